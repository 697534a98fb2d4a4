"""The rows that a job's status is made from, read in one transaction.

Of a long queue only the first few runs are read, and the others counted: what is told of a job
costs the same however many of its runs wait.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from claw.master.views import parts
from claw.master.views.parts import Parts
from claw.model import outcome
from claw.model.gates import Standing
from claw.model.run import Attempt, Phase, Run, State
from claw.store.records import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The rows that a status is made from."""

    standings: Mapping[str, Standing]
    open_runs: Mapping[str, Sequence[Run]]  # by job, in order of due time, the first few
    queued: Mapping[str, int]  # how many wait, by job
    attempts: Mapping[str, Attempt]  # the present one of active runs, by run
    last_runs: Mapping[str, Run]  # by job
    failed: Mapping[str, Attempt]  # the last child, when it failed as claw saw it, by run
    parts: Parts = field(default_factory=Parts)

    def count_queued(self, job: str, runs: Sequence[Run] | None) -> int:
        """Return how many runs of a job wait, or of those given, which are of one instance."""
        if runs is None:
            return self.queued.get(job, 0)
        return sum(run.state is State.QUEUED for run in runs)


def look(tx: Tx, names: Collection[str] | None = None) -> Look:
    """Read the rows of some jobs; None: of all."""
    if names is not None and len(names) <= _FEW:
        return _look_at(tx, set(names))
    open_runs: dict[str, list[Run]] = {}
    for run in tx.telling_runs():
        open_runs.setdefault(run.job, []).append(run)
    last_runs, found, queued = tx.last_runs(), parts.read(tx), tx.queued_counts()
    return Look(
        standings=tx.standings(),
        open_runs=open_runs,
        queued=queued,
        attempts=tx.live_attempts(),
        last_runs=last_runs,
        failed=_failed(tx, open_runs, (*last_runs.values(), *found.last_runs.values())),
        parts=found,
    )


_FEW = 50


def _look_at(tx: Tx, names: Set[str]) -> Look:
    known = {name: tx.standing(name) for name in names}
    standings = {name: standing for name, standing in known.items() if standing is not None}
    open_runs = {name: tx.telling_runs(name) for name in names}
    queued = {name: tx.count_queued(name) for name in names}
    active = [run for runs in open_runs.values() for run in runs if run.is_active]
    attempts = {run.id: tx.attempt(run.id, run.attempt) for run in active}
    last = {name: standing.last_run for name, standing in standings.items()}
    found_runs = {name: tx.run(run_id) for name, run_id in last.items() if run_id is not None}
    last_runs = {name: run for name, run in found_runs.items() if run is not None}
    for name in names - standings.keys():  # of a single run
        ended = (run for run in tx.runs_page(job=name, limit=1) if not run.is_open)
        last_runs.update((run.job, run) for run in ended)
    found = parts.read(tx, names)
    return Look(
        standings=standings,
        open_runs=open_runs,
        queued=queued,
        attempts={run: attempt for run, attempt in attempts.items() if attempt is not None},
        last_runs=last_runs,
        failed=_failed(tx, open_runs, (*last_runs.values(), *found.last_runs.values())),
        parts=found,
    )


def _failed(
    tx: Tx, open_runs: Mapping[str, Sequence[Run]], last_runs: Iterable[Run]
) -> dict[str, Attempt]:
    """Read the children that could not be started or were ended, where a status says so."""
    present = (run for runs in open_runs.values() for run in runs if run.phase in _TELLING)
    ended = (run for run in last_runs if run.reason in _TOLD_ENDS)
    newest = (attempt for run in (*present, *ended) for attempt in tx.attempts(run.id, 1))
    return {one.run: one for one in newest if one.error or one.ended_for}


_TELLING = {Phase.BACKOFF, Phase.STOPPING}
_TOLD_ENDS = {outcome.SPAWN_FAILED, outcome.START_LIMIT, *outcome.FAILURES}
