"""What has come of runs: those that follow them, that their children asked for, and so on."""

from collections.abc import Iterable, Iterator

from claw.model.job import Config
from claw.model.run import Origin, Run
from claw.store.records import Tx


def parents_of(run: Run) -> tuple[str, ...]:
    """Return the runs whose ends a run follows, in the order of their ids."""
    if run.origin not in {Origin.TRIGGER, Origin.JOIN}:
        return ()
    return tuple(run.origin_key.partition(":")[0].split("+"))


def descendants(tx: Tx, runs: Iterable[str]) -> Iterator[Run]:
    """Yield all that has come of some runs, ended ones too, each once."""
    rest = list(runs)
    seen = set(rest)
    while rest:
        for child in tx.children_of(rest.pop()):
            if child.id not in seen:
                seen.add(child.id)
                rest.append(child.id)
                yield child


def open_below(
    tx: Tx, config: Config, jobs: Iterable[str], runs: Iterable[str]
) -> dict[str, Run]:
    """Return the open runs that came of some runs, and those of jobs that follow some jobs."""
    found = {run.id: run for run in descendants(tx, runs) if run.is_open}
    names = {name for job in jobs for name in config.triggers.descendants(job)}
    for name in sorted(names):
        found.update((run.id, run) for run in tx.open_runs(name))
    return found
