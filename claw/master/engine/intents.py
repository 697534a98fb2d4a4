"""What operators want of jobs and runs: written down first, then done.

Each intent is in the standing of the job, or in the run, before anyone is told, so it
outlives the master: what an operator stopped stays stopped over reloads and restarts.
"""

from dataclasses import replace

from claw.errors import ConflictError
from claw.master.engine import intake, services, slots
from claw.master.engine.turn import Turn
from claw.model import gates, ids, machine, outcome
from claw.model.effect import Dispatch, Reschedule, StopRun
from claw.model.job import Job, JobType
from claw.model.run import Origin, Run, State

REMOVED = "removed"
"""Why the runs of a job end that is no longer in the configuration."""

_UNSTARTED = {State.QUEUED, State.RETRY_WAIT, State.AWAITING_APPROVAL}


def start_job(turn: Turn, name: str, *, by: str, key: str, forced: bool = False) -> str | None:
    """Release a stop or a pause; then a service runs, a manual job has one run, others wait.

    Args:
        turn: The decision.
        name: The job.
        by: Who wants it.
        key: Unique to this request.
        forced: Start it although it is disabled.

    Returns:
        The id of the run that serves the wish; None for a job that waits for its time.

    Raises:
        NotFoundError, ConflictError, SaturatedError: As for `intake.submit`.
    """
    job = turn.job(name)
    _check_enabled(job, forced=forced)
    _release(turn, name, by)
    if job.type is JobType.CONTINUOUS:
        turn.tx.put_standing(replace(turn.standing(name), up=True))
        for run in turn.tx.open_runs(name):
            if run.stop_why in {None, outcome.RESTART}:
                return run.id
    elif job.type is not JobType.MANUAL:
        return None
    ask = intake.Ask(job=name, origin=Origin.MANUAL, key=key, by=by, forced=forced)
    return intake.submit(turn, ask).id


def _check_enabled(job: Job, *, forced: bool) -> None:
    if not job.enabled and not forced:
        raise ConflictError(
            f"job {job.name!r} is disabled",
            hint="set enabled = true and reload, or use --force",
        )


def _release(turn: Turn, name: str, by: str) -> None:
    """Take back a stop and a pause; slots from before stay skipped."""
    standing = turn.standing(name)
    if standing.stopped_by is None and standing.paused_by is None:
        return
    slots.settle(turn, name)
    standing = replace(
        turn.standing(name), stopped_by=None, paused_by=None, active_since=turn.now
    )
    turn.tx.put_standing(standing)
    turn.note("job.started", job=name, why="released", by=by)
    turn.emit(Reschedule(name), Dispatch())


def stop_job(turn: Turn, name: str, *, by: str, forced: bool = False) -> tuple[str, ...]:
    """End a job's runs and keep it stopped until it is started again.

    Args:
        turn: The decision.
        name: The job.
        by: Who wants it.
        forced: Give its children no time to end by themselves. Only the telling is hurried:
            a supervisor that is told again, by the next master, gives them theirs.

    Returns:
        The ids of the runs that end.

    Raises:
        NotFoundError: No such job.
    """
    turn.job(name)
    standing = turn.standing(name)
    if standing.stopped_by is None:
        slots.settle(turn, name)
        standing = replace(turn.standing(name), stopped_by=by, up=False)
        turn.tx.put_standing(standing)
        turn.note("job.stopped", job=name, by=by)
        turn.emit(Reschedule(name))
    ended = end_runs(turn, name, why="stop", by=by)
    if forced:
        turn.effects = [
            replace(effect, grace_s=0.0) if isinstance(effect, StopRun) else effect
            for effect in turn.effects
        ]
    return ended


def end_runs(turn: Turn, name: str, *, why: str, by: str) -> tuple[str, ...]:
    """Ask for the end of all open runs of a job, and return their ids."""
    runs = turn.tx.open_runs(name)
    for run in runs:
        _end(turn, run, why=why, by=by)
    return tuple(run.id for run in runs)


def _end(turn: Turn, run: Run, *, why: str, by: str) -> Run:
    if run.state in _UNSTARTED:
        return turn.take(run, machine.revoke(run, why=why, by=by, at=turn.now))
    return turn.take(run, machine.ask_end(run, why=why, by=by))


def restart_job(
    turn: Turn, name: str, *, by: str, key: str, forced: bool = False
) -> tuple[str, ...]:
    """Make the active runs of a job anew, with its present definition.

    A service or a manual job that has none is started.

    Returns:
        The ids of the runs that are made anew, or of the one begun.

    Raises:
        NotFoundError, ConflictError, SaturatedError: As for `intake.submit`.
    """
    _check_enabled(turn.job(name), forced=forced)
    _release(turn, name, by)
    runs = turn.tx.active_runs(name)
    for run in runs:
        step = machine.ask_end(run, why=outcome.RESTART, by=by)
        turn.take(run, replace(step, run=replace(step.run, forced=run.forced or forced)))
    if any(run.stop_why in {None, outcome.RESTART} for run in runs):
        return tuple(run.id for run in runs)
    begun = start_job(turn, name, by=by, key=key, forced=forced)
    return () if begun is None else (begun,)


def pause_job(turn: Turn, name: str, *, by: str) -> None:
    """Let nothing new of a job begin; its slots become skipped rows; what runs goes on.

    Raises:
        NotFoundError: No such job.
    """
    turn.job(name)
    if turn.standing(name).paused_by is not None:
        return
    slots.settle(turn, name)
    turn.tx.put_standing(replace(turn.standing(name), paused_by=by))
    turn.note("job.paused", job=name, by=by)
    turn.emit(Reschedule(name))


def resume_job(turn: Turn, name: str, *, by: str) -> None:
    """Take back a pause; slots from before stay skipped.

    Raises:
        NotFoundError: No such job.
        ConflictError: It is stopped: `start_job` releases that.
    """
    turn.job(name)
    standing = turn.standing(name)
    if standing.paused_by is None:
        if standing.stopped_by is not None:
            raise ConflictError(
                f"job {name!r} is stopped, not paused", hint=f"clawctl start {name}"
            )
        return
    slots.settle(turn, name)
    turn.tx.put_standing(replace(turn.standing(name), paused_by=None, active_since=turn.now))
    turn.note("job.resumed", job=name, by=by)
    turn.emit(Reschedule(name), Dispatch())


def cancel_run(turn: Turn, run_id: str, *, by: str, why: str = "") -> Run:
    """Revoke a run that waits, or end one that is active.

    Args:
        turn: The decision.
        run_id: The whole id.
        by: Who wants it.
        why: In that person's words; kept as the run's reason.

    Raises:
        NotFoundError: No such run.
        ConflictError: It has ended.
    """
    run = turn.run(run_id)
    if not run.is_open:
        raise ConflictError(f"run {ids.short(run_id)} has ended: {run.state}")
    return _end(turn, run, why=f"cancel: {why}" if why else "cancel", by=by)


def shut_down(turn: Turn, *, by: str) -> tuple[str, ...]:
    """End what runs, and claim nothing more until the next `services.begin`.

    Runs that wait keep waiting, over the time without a master; services do not: they
    start by themselves then, unless an operator stopped them.

    Returns:
        The ids of the runs that end.
    """
    turn.tx.put_meta(intake.ENDING, "1")
    turn.note("daemon.stopped", by=by)
    ended = [_end(turn, run, why="shutdown", by=by).id for run in turn.tx.active_runs()]
    for job in turn.config.jobs:
        if job.type is JobType.CONTINUOUS:
            ended += _lower(turn, job, by)
    return tuple(ended)


def _lower(turn: Turn, job: Job, by: str) -> list[str]:
    """Take back that a service is wanted, with its waiting runs, until `autostart`."""
    standing = turn.standing(job.name)
    if standing.up:
        turn.tx.put_standing(replace(standing, up=False))
    waiting = [run for run in turn.tx.open_runs(job.name) if run.state in _UNSTARTED]
    return [_end(turn, run, why="shutdown", by=by).id for run in waiting]


def renew(turn: Turn, name: str, *, by: str) -> None:
    """Give a job whose definition changed its new one: make its active runs anew.

    A service that has ended by itself begins again, if it is wanted. What is paused or
    disabled goes on as it is: ended, it could not begin again.
    """
    job = turn.job(name)
    if gates.closed(turn.standing(name)) is not None:
        return
    for run in turn.tx.active_runs(name):
        turn.take(run, machine.ask_end(run, why=outcome.RESTART, by=by))
    standing = turn.standing(name)
    if job.type is JobType.CONTINUOUS and standing.up:
        services.raise_service(turn, job, standing)
