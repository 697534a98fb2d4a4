"""What operators want of jobs and runs: written down first, then done.

Each intent is in the standing of the job, or in the run, before anyone is told, so it
outlives the master: what an operator stopped stays stopped over reloads and restarts.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from claw.errors import ConflictError
from claw.master.engine import intake, piecemeal, rollouts, services, slots
from claw.master.engine.turn import Turn
from claw.model import gates, ids, instances, machine, outcome
from claw.model.effect import Dispatch, Reschedule, StopRun
from claw.model.gates import Standing
from claw.model.job import Job, JobType
from claw.model.root import is_root
from claw.model.run import Origin, Run, State
from claw.model.values import replace

REMOVED = "removed"
"""Why the runs of a job end that is no longer in the configuration."""

_AGAIN = "restarted"
"""Why the runs of a workflow end that is restarted: another run begins from its first step."""

_UNSTARTED = {State.QUEUED, State.RETRY_WAIT, State.AWAITING_APPROVAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Which instances of a service are restarted, and how many at a time."""

    instance: int | None = None  # None: all
    batch: int | None = 1  # None: all at once


ONE_BY_ONE = Extent()


def start_job(
    turn: Turn,
    name: str,
    *,
    by: str,
    key: str,
    forced: bool = False,
    instance: int | None = None,
) -> str | None:
    """Release a stop or a pause; then a service runs, a manual job has one run, others wait.

    Args:
        turn: The decision.
        name: The job.
        by: Who wants it.
        key: Unique to this request.
        forced: Start it although it is disabled.
        instance: Only this one of a service; None: the whole job.

    Returns:
        The id of the run that serves the wish; None for a job that waits for its time.

    Raises:
        NotFoundError, ConflictError, SaturatedError: As for `intake.submit`.
    """
    job = turn.job(name)
    _check_enabled(job, forced=forced)
    _release(turn, name, by, instance)
    if job.type is JobType.CONTINUOUS:
        rolling = turn.tx.rollout(name)
        if rolling is not None and rolling.is_over:
            turn.tx.delete_rollout(name)
        wish = services.Wish(origin=Origin.MANUAL, key=key, by=by, forced=forced)
        only = None if instance is None else (instance,)
        return next(iter(services.raise_service(turn, job, wish, only)), None)
    if job.type is not JobType.MANUAL or job.transient is not None:
        return None
    ask = intake.Ask(job=name, origin=Origin.MANUAL, key=key, by=by, forced=forced)
    return intake.submit(turn, ask).id


def _check_enabled(job: Job, *, forced: bool) -> None:
    if not job.enabled and not forced:
        raise ConflictError(
            f"job {job.name!r} is disabled",
            hint=f"clawctl enable {job.name}, or use --force",
        )


def _release(turn: Turn, name: str, by: str, instance: int | None) -> None:
    """Take back a stop and a pause; slots from before stay skipped.

    One instance that is released leaves the others as they were.
    """
    standing = turn.standing(name)
    was_stopped = _release_instances(turn, standing, instance)
    if standing.stopped_by is None and standing.paused_by is None:
        if was_stopped:
            label = instances.label(name, instance)
            turn.note("job.started", job=name, why=f"{label} released", by=by)
            turn.emit(Dispatch())
        return
    slots.settle(turn, name)
    standing = replace(
        turn.standing(name), stopped_by=None, paused_by=None, active_since=turn.now
    )
    turn.tx.put_standing(standing)
    turn.note("job.started", job=name, why="released", by=by)
    turn.emit(Reschedule(name), Dispatch())


def _release_instances(turn: Turn, standing: Standing, instance: int | None) -> bool:
    """Take back the stop of one instance, or of all; tell whether there was one.

    When the whole job was stopped and one instance is released, the others stay stopped.
    """
    name = standing.name
    if instance is not None and standing.stopped_by is not None:
        for no in instances.numbers(turn.job(name), standing):
            one = turn.instance(name, no)
            turn.tx.put_instance(replace(one, stopped_by=one.stopped_by or standing.stopped_by))
    stopped = [
        one
        for one in turn.tx.instances(name).values()
        if one.stopped_by is not None and instance in {None, one.no}
    ]
    for one in stopped:
        turn.tx.put_instance(replace(one, stopped_by=None))
    return bool(stopped)


def stop_job(
    turn: Turn, name: str, *, by: str, forced: bool = False, instance: int | None = None
) -> tuple[str, ...]:
    """End a job's runs and keep it stopped until it is started again.

    Args:
        turn: The decision.
        name: The job.
        by: Who wants it.
        forced: Give its children no time to end by themselves, and wait for no job that
            depends on it. Only the telling is hurried: a supervisor that is told again, by
            the next master, gives them theirs.
        instance: Only this one of a service; None: the whole job.

    Returns:
        The ids of the runs that end.

    Raises:
        NotFoundError: No such job.
    """
    job = turn.job(name)
    standing = turn.standing(name)
    if instance is not None:
        _stop_instance(turn, job, instance, by)
    elif standing.stopped_by is None:
        slots.settle(turn, name)
        standing = replace(turn.standing(name), stopped_by=by, up=False)
        turn.tx.put_standing(standing)
        turn.tx.delete_rollout(name)
        turn.note("job.stopped", job=name, by=by)
        turn.emit(Reschedule(name))
    ended = end_runs(turn, name, why="stop", by=by, instance=instance)
    if forced:
        _hurry(turn, ended)
    return ended


def _stop_instance(turn: Turn, job: Job, no: int, by: str) -> None:
    """Keep one instance stopped while the others go on."""
    one = turn.instance(job.name, no)
    if one.stopped_by is not None:
        return
    turn.tx.put_instance(replace(one, stopped_by=by))
    turn.note("job.stopped", job=job.name, why=instances.label(job.name, no), by=by)
    turn.emit(Dispatch())  # who waits for all of them waits for one less


def end_runs(
    turn: Turn, name: str, *, why: str, by: str, instance: int | None = None
) -> tuple[str, ...]:
    """Ask for the end of all open runs of a job, or of one instance; return their ids.

    What was still to be made of its batches will not be.
    """
    piecemeal.drop(turn, piecemeal.meant(turn.tx, [name]), by=by)
    runs = _of_instance(turn.tx.open_runs(name), instance)
    for run in runs:
        turn.end(run, why=why, by=by)
    return tuple(run.id for run in runs)


def _of_instance(runs: Iterable[Run], instance: int | None) -> list[Run]:
    return [run for run in runs if instance in {None, instances.number(run)}]


def restart_job(
    turn: Turn,
    name: str,
    *,
    by: str,
    key: str,
    forced: bool = False,
    extent: Extent = ONE_BY_ONE,
) -> tuple[str, ...]:
    """Make the active runs of a job anew, with its present definition.

    A service or a manual job that has none is started. A service with several instances is
    restarted so many at a time (`rollouts`).

    Returns:
        The ids of the runs that are made anew, or of the one begun.

    Raises:
        NotFoundError, ConflictError, SaturatedError: As for `intake.submit`.
    """
    job, only = turn.job(name), extent.instance
    _check_enabled(job, forced=forced)
    _release(turn, name, by, only)
    if job.workflow is not None:
        end_runs(turn, name, why=_AGAIN, by=by)
        ask = intake.Ask(job=name, origin=Origin.MANUAL, key=key, by=by, forced=forced)
        return (intake.submit(turn, ask).id,)
    if only is None and extent.batch is not None and _has_several(turn, job):
        turn.tx.put_standing(replace(turn.standing(name), up=True))
        return rollouts.begin(turn, job, by=by, why=outcome.RESTART, batch=extent.batch)
    if only is None:
        turn.tx.delete_rollout(name)
    active = (run for run in turn.tx.active_runs(name) if not run.is_armed(turn.now))
    runs = _of_instance(active, only)
    for run in runs:
        step = machine.ask_end(run, why=outcome.RESTART, by=by)
        turn.take(run, replace(step, run=replace(step.run, forced=run.forced or forced)))
    renewed = tuple(run.id for run in runs if run.stop_why in services.GOES_ON)
    if renewed and job.type is not JobType.CONTINUOUS:
        return renewed
    begun = start_job(turn, name, by=by, key=key, forced=forced, instance=only)
    return renewed or (() if begun is None else (begun,))


def _has_several(turn: Turn, job: Job) -> bool:
    return instances.wanted(job, turn.standing(job.name)) > 1


def scale_job(turn: Turn, name: str, count: int, *, by: str) -> None:
    """Have so many instances of a service, touching none of those that stay.

    It holds over restarts of the daemon, until the configured number is another one.

    Raises:
        NotFoundError: No such job.
        ConflictError: It is no service.
    """
    job = turn.job(name)
    if job.type is not JobType.CONTINUOUS:
        raise ConflictError(
            f"job {name!r} is {job.type}: only continuous jobs have instances",
            hint="max_instances bounds how many runs of it there are at once",
        )
    standing = turn.standing(name)
    before = instances.wanted(job, standing)
    if count == before:
        return
    kept = None if count == job.instances else count
    turn.tx.put_standing(replace(standing, scale=kept, scaled_from=job.instances))
    turn.note("job.scaled", job=name, why=f"{before} to {count} instances", by=by)
    services.fit_to_scale(turn, job, by=by, before=before)
    turn.emit(Dispatch())


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Who revokes or ends runs, and how."""

    by: str
    why: str = ""  # in that person's words; kept as the runs' reason
    at_once: bool = False  # give their children no time to end by themselves


def cancel_run(turn: Turn, run_id: str, *, by: str, why: str = "") -> Run:
    """Revoke a run that waits, or end one that is active; see `cancel_runs`."""
    cancel_runs(turn, [run_id], Revocation(by=by, why=why))
    return turn.run(run_id)


def cancel_runs(turn: Turn, run_ids: Iterable[str], how: Revocation) -> None:
    """Revoke runs that wait, and end those that are active.

    Raises:
        NotFoundError: No such run.
        ConflictError: One has ended.
    """
    ended = set()
    for run_id in run_ids:
        run = turn.run(run_id)
        if not run.is_open:
            raise ConflictError(f"run {ids.short(run_id)} has ended: {run.state}")
        turn.end(run, why=f"cancel: {how.why}" if how.why else "cancel", by=how.by)
        ended.add(run_id)
    if how.at_once:
        _hurry(turn, ended)


def _hurry(turn: Turn, runs: Container[str]) -> None:
    """Have the stops of some runs told without any grace."""
    turn.effects = dict.fromkeys(
        replace(effect, grace_s=0.0)
        if isinstance(effect, StopRun) and effect.run in runs
        else effect
        for effect in turn.effects
    )


def shut_down(turn: Turn, *, by: str) -> tuple[str, ...]:
    """End what runs, and claim nothing more until the next `services.begin`.

    Runs that wait keep waiting, over the time without a master; services do not: they
    start by themselves then, unless an operator stopped them.

    Returns:
        The ids of the runs that end.
    """
    turn.tx.put_meta(intake.ENDING, "1")
    turn.note("daemon.stopped", by=by)
    for name in turn.tx.rollouts():
        turn.tx.delete_rollout(name)
    # Those of workflows have no process to end: they go on with the next master.
    active = (run for run in turn.tx.active_runs() if not is_root(run))
    ended = [turn.end(run, why="shutdown", by=by).id for run in active]
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
    return [turn.end(run, why="shutdown", by=by).id for run in waiting]


def renew(turn: Turn, name: str, *, by: str) -> None:
    """Give a job whose definition changed its new one: make its active runs anew.

    A service that has ended by itself begins again, if it is wanted. What is paused or
    disabled goes on as it is: ended, it could not begin again.
    """
    job = turn.job(name)
    if gates.closed(turn.standing(name)) is not None:
        return
    if _has_several(turn, job) and turn.tx.open_runs(name):
        rollouts.begin(turn, job, by=by, why=rollouts.RELOAD, batch=1)
        return
    for run in turn.tx.active_runs(name):
        if not run.is_armed(turn.now):
            turn.take(run, machine.ask_end(run, why=outcome.RESTART, by=by))
    if job.type is JobType.CONTINUOUS and turn.standing(name).up:
        services.raise_service(turn, job, services.Wish(by=by))
