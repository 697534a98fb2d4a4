"""What the end of a run begins: the jobs that follow its job, in the same transaction.

An end is decided once, after the last attempt, and with it what follows: the key of each run
that does is the run that has ended (or those that were waited for together) and the job. What
cannot be begun is stored as skipped, and says why; nothing is just left out.
"""

from datetime import timedelta

from claw.master.engine import descent, intake, matches
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.model import ids, lineage
from claw.model.lineage import MAX_DEPTH, Lineage
from claw.model.run import Origin, Run
from claw.model.trigger import Trigger, is_complete
from claw.model.values import replace
from claw.store.lineagerows import Meeting


def fire(turn: Turn, run: Run) -> None:
    """Begin what follows the end of a run."""
    names = turn.config.triggers.after(run.job)
    if not names or turn.is_history or not is_complete(run):
        return
    place = 0
    for name in names:
        job = turn.config.job(name)
        rule = None if job is None else job.trigger
        if rule is None or not rule.is_for(run) or not matches.holds(turn.tx, run, rule.when):
            continue
        parents = _joined(turn, name, rule, run) if rule.is_joined else (run,)
        if parents:
            place += 1
            _begin(turn, name, rule, parents, place)


def _joined(turn: Turn, name: str, rule: Trigger, run: Run) -> tuple[Run, ...]:
    """Note an end, and return those that belong together if it is the last of them."""
    is_by_root = turn.config.triggers.pairs_by_root(name)
    root = (run.lineage.root or run.id) if is_by_root else ""
    at = Meeting(name, root, rule.key)
    turn.tx.put_joined(at, run)
    found = turn.tx.joined(at)
    if any(parent not in found for parent in rule.after):
        return ()
    turn.tx.delete_joined(at)
    others = [turn.run(found[parent]) for parent in rule.after if parent != run.job]
    return (*others, run)


def _begin(turn: Turn, name: str, rule: Trigger, parents: tuple[Run, ...], place: int) -> None:
    """Ask for the run that follows some ends, the last of them last."""
    run = parents[-1]
    deepest = max(parent.lineage.depth for parent in parents)
    ended_at = run.ended_at or turn.now
    ask = Ask(
        job=name,
        origin=Origin.JOIN if len(parents) > 1 else Origin.TRIGGER,
        key=f"{'+'.join(sorted(parent.id for parent in parents))}:{name}",
        due_at=ended_at + timedelta(seconds=rule.delay_s) if rule.delay_s else None,
        lineage=replace(lineage.below(run), depth=deepest + 1),
    )
    why = _circle(turn, parents, name)
    if why is None and place > rule.max_fanout:
        why = (
            f"trigger.max_fanout = {rule.max_fanout}: it is number {place} of the jobs that"
            f" follow run {ids.short(run.id)} of {run.job}"
        )
    if why is None:
        intake.follow_up(turn, ask)
    else:
        intake.skip(turn, ask, why)


def _circle(turn: Turn, parents: tuple[Run, ...], name: str) -> str | None:
    """Return the way on which a job would come of itself; None: it does not.

    No configuration has such a way; a reload may have made one out of two, and the children
    of runs ask for what they like.
    """
    for parent in parents:
        way = ancestry(turn, parent)
        if name in way:
            return f"cycle: {' > '.join(way[way.index(name) :])} > {name}"
    return None


def ancestry(turn: Turn, run: Run) -> list[str]:
    """Return the jobs that a run comes of, its own last."""
    way = [run.job]
    before: Run | None = run
    while before is not None and before.lineage.parent is not None and len(way) <= MAX_DEPTH:
        before = turn.tx.run(before.lineage.parent)
        if before is not None:
            way.append(before.job)
    return way[::-1]


def recalled(turn: Turn, run: Run) -> Lineage:
    """Return what a run comes of whose journal alone is known, as far as its key tells."""
    found = [turn.tx.run(parent) for parent in descent.parents_of(run)]
    known = [parent for parent in found if parent is not None]
    if not known:
        return run.lineage
    depth = max(parent.lineage.depth for parent in known) + 1
    return replace(lineage.below(known[-1]), depth=depth)
