"""What the changes of a decision lead to elsewhere, in the same transaction.

`follow` is called once a decision has been made, whatever it was: a line of a journal, a
request, a reload. It looks at each run that has changed (`Turn.changes`):

==============================  =======================================================
what has become of a run        what follows
==============================  =======================================================
its child is ready              who waits for it may go; a rolling restart goes on
it restarts, and no sibling is  dependents with ``on_dependency_restart = restart`` are
up                              restarted
it has ended badly for good     dependents are ended as ``on_dependency_failure`` says
it is gone                      what it depends on may be told to stop, if it is to
it is gone, with a lock         the lock is left to others
it has ended                    its keys of the idempotency ledger are done, or free
it has ended, after it began    the jobs that follow it are begun
it was approved, or will not be what was asked of people is settled
it is ill, or well again        alerts (`claw.master.engine.conditions`)
it is a step and has ended      its workflow goes on, or ends
it is a workflow and is to end  its steps are ended
==============================  =======================================================

The last is how jobs stop in the reverse order of their start: that a run is to end is
noted in all of them at once, but its supervisor is told only when no run that depends on
it is still on its way out. Nothing else is kept of the order, so a new master goes on
with it.
"""

from collections.abc import Container

from claw.master.engine import (
    approvals,
    conditions,
    deadletters,
    deliveries,
    idem,
    lifetimes,
    locks,
    needs,
    rollouts,
    triggers,
    watchdogs,
    workflows,
)
from claw.master.engine.turn import Change, Turn
from claw.model import gates, ids, instances, machine, outcome
from claw.model.effect import Dispatch, Effect, StopRun
from claw.model.job import Job, OnFailure, OnRestart
from claw.model.run import Phase, Run, State

_IN_ORDER = {"stop", "shutdown", outcome.RESTART}
"""Why runs end in the order of the graph: what was asked of several jobs."""

_NAMED = 3
"""So many of the runs that are waited for are named, and looked for."""

_BAD_ENDS = {State.FAILED, State.TIMED_OUT, State.CRASHED, State.SKIPPED}


def follow(turn: Turn) -> None:
    """Decide what follows from all that has changed; the changes are taken."""
    released: set[str] = set()
    while turn.changes:
        changes, turn.changes = turn.changes, []
        for change in changes:
            _follow(turn, change)
            approvals.settle(turn, change)
            if change.is_end:
                _over(turn, change)
            conditions.notice(turn, change)
            workflows.wind_down(turn, change)
            if change.before.is_active and not change.after.is_active:
                locks.leave(turn, change.after)
                released |= {need.job for need in turn.config.graph.needs(change.after.job)}
        for name in dict.fromkeys(change.after.job for change in changes):
            rollouts.advance(turn, name)
    for name in sorted(released):
        for run in turn.tx.active_runs(name):
            turn.emit(*machine.stop_effects(run))
    deliveries.announce(turn)
    _hold_stops_back(turn)


def _over(turn: Turn, change: Change) -> None:
    """Decide what the end of a run means for others, its keys, and the times of its job."""
    run = change.after
    if turn.config.transients.are_any_open and turn.tx.look_again(gates.after(run.id)):
        turn.emit(Dispatch())
    triggers.fire(turn, run)
    workflows.advance(turn, run)
    if change.is_new:
        return
    if run.claimed_at is not None:  # also of one that was put back and has no attempt
        idem.settle(turn, run)
    lifetimes.ended(turn, run)
    deadletters.mark(turn, run)
    watchdogs.settle(turn, run)


def _follow(turn: Turn, change: Change) -> None:
    run = change.after
    if not turn.config.graph.needed_by(run.job):
        return
    attempt = change.attempt
    if attempt is not None and attempt.ready_at is not None and attempt.ended_at is None:
        turn.emit(Dispatch())
    elif _restarts(change):
        turn.emit(Dispatch())  # who waits for it is told that
        _restart_dependents(turn, run)
    elif change.before.is_open and not run.is_open and _is_failure(run):
        _end_dependents(turn, run)


def _restarts(change: Change) -> bool:
    before, run = change.before, change.after
    is_asked = run.stop_why == outcome.RESTART and before.stop_why != outcome.RESTART
    return run.is_active and (
        is_asked or (run.phase is Phase.BACKOFF and before.phase is not Phase.BACKOFF)
    )


def _is_failure(run: Run) -> bool:
    return run.state in _BAD_ENDS or run.reason == outcome.DEPENDENCY


def _restart_dependents(turn: Turn, run: Run) -> None:
    """Restart what runs on a job that is restarted as a whole."""
    siblings = (other for other in turn.tx.open_runs(run.job) if other.id != run.id)
    if any(needs.is_ready(turn.tx, other) for other in siblings):
        return
    for job in _dependents(turn, run):
        if job.on_dependency_restart is OnRestart.RESTART:
            for other in turn.tx.active_runs(job.name):
                by = f"the restart of {run.job}"
                turn.take(other, machine.ask_end(other, why=outcome.RESTART, by=by))


def _end_dependents(turn: Turn, run: Run) -> None:
    """End what runs on a job of which nothing is left; what begins anew is a restart."""
    left = turn.tx.open_runs(run.job)
    if any(other.stop_why in {None, outcome.RESTART} for other in left):
        _restart_dependents(turn, run)
        return
    whys = {OnFailure.STOP: outcome.DEPENDENCY, OnFailure.FAIL: outcome.DEPENDENCY_FAILED}
    for job in _dependents(turn, run):
        why = whys.get(job.on_dependency_failure)
        if why is not None:
            for other in turn.tx.active_runs(job.name):
                by = f"the end of {run.job} (run {ids.short(run.id)})"
                turn.take(other, machine.ask_end(other, why=why, by=by))


def _dependents(turn: Turn, run: Run) -> list[Job]:
    """Return the jobs that need a job to be there all the time."""
    graph = turn.config.graph
    return [
        turn.job(name)
        for name in graph.needed_by(run.job)
        if any(need.job == run.job and not need.to_complete for need in graph.needs(name))
    ]


def _hold_stops_back(turn: Turn) -> None:
    """Leave out the stops that have to wait."""
    if not any(isinstance(effect, StopRun) for effect in turn.effects):
        return
    active = turn.tx.active_counts()
    turn.effects = dict.fromkeys(
        effect for effect in turn.effects if _may_be_told(turn, effect, active)
    )


def _may_be_told(turn: Turn, effect: Effect, active: Container[str]) -> bool:
    """Tell whether an effect may be performed now: all but stops that have to wait.

    Args:
        turn: The turn, with all that has changed.
        effect: To be performed.
        active: The jobs of which a run is active.
    """
    if not isinstance(effect, StopRun) or effect.grace_s is not None:
        return True
    run = turn.tx.run(effect.run)
    if run is None or not run.is_active or run.stop_why not in _IN_ORDER:
        return True
    before = _on_their_way_out(turn, run, active)
    waits = f"waits for {' and '.join(before)} to end first" if before else None
    if waits != run.waiting_for:
        turn.tx.set_waiting_for(run.id, waits)
    return not before


def _on_their_way_out(turn: Turn, run: Run, active: Container[str]) -> list[str]:
    """Return what depends on a run and has not ended yet that is to; of many only some."""
    names = turn.config.graph.needed_by(run.job)
    found: list[str] = []
    for name in names:
        for other in turn.tx.active_runs(name) if name in active else ():
            if other.stop_why in _IN_ORDER:
                found.append(instances.label(other.job, other.instance))
                if len(found) == _NAMED:
                    return found
    return found
