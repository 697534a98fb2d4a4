"""Services that start by themselves, and what a start of the master or a boot begins.

Whether a service is wanted is kept in its standing (`up`, `stopped_by`), so it outlives the
master: a service that ended by itself is not begun again because the master was restarted,
one that a shutdown or a boot ended is, and one that an operator stopped is not.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from claw.errors import ClawError
from claw.master.engine import intake, slots
from claw.master.engine.turn import Turn
from claw.model import backoff, gates, instances, machine, outcome
from claw.model.gates import Standing
from claw.model.job import Job, JobType, RestartPolicy
from claw.model.run import Origin, Run, State
from claw.model.values import replace
from claw.schedule import fires

_BOOT = "boot"
BOOTED = "booted"
"""Under this name the store notes that the host has booted, and services are to begin again."""


def begin(turn: Turn, boot: str, why: str = "", host: str = "") -> None:
    """A master begins: it claims again, and notes whether the host has booted since the last.

    Args:
        turn: The decision.
        boot: The boot id, '' where there is none.
        why: For the event: version, pid.
        host: What names the machine.
    """
    turn.tx.put_meta(slots.HOST, host)
    turn.tx.put_meta(intake.ENDING, None)
    turn.tx.put_meta(slots.BEGAN, turn.now.isoformat())
    if turn.tx.meta(_BOOT) != boot:
        turn.tx.put_meta(_BOOT, boot)
        turn.tx.put_meta(BOOTED, "1")
    turn.note("daemon.started", why=why)


def has_booted(turn: Turn) -> bool:
    """Tell whether the host has booted since anything was claimed: so until `autostart`."""
    return turn.tx.meta(BOOTED) is not None


def note_boot(turn: Turn, boot: str) -> None:
    """Keep the id of the boot that was seen last, when the database did not."""
    turn.tx.put_meta(_BOOT, boot)


def autostart(turn: Turn) -> None:
    """Begin the services that are to run by themselves and have no open run.

    Those are new ones, those that a shutdown ended, and after a boot all of them.
    """
    booted = has_booted(turn)
    turn.tx.put_meta(BOOTED, None)
    if booted:
        _on_boot(turn)
    for job in turn.config.jobs:
        if job.type is not JobType.CONTINUOUS or not job.autostart or not job.enabled:
            continue
        standing = turn.standing(job.name)
        if standing.stopped_by is not None:
            continue
        if booted or not standing.up:
            raise_service(turn, job, Wish())
        elif new := _never_begun(turn, job, standing):
            raise_service(turn, job, Wish(), only=new)


def _never_begun(turn: Turn, job: Job, standing: Standing) -> list[int]:
    """Return the instances that there are to be since another number was configured."""
    if instances.wanted(job, standing) == 1:
        return []
    known, begun = turn.tx.instances(job.name), {1}
    begun |= {instances.number(run) for run in turn.tx.open_runs(job.name)}
    for one in known.values():
        last = None if one.last_run is None else turn.tx.run(one.last_run)
        if last is not None and last.reason != SCALE:
            begun.add(one.no)
    return [no for no in instances.numbers(job, standing) if no not in begun]


def _on_boot(turn: Turn) -> None:
    """Forget that services were up; begin the ``@reboot`` jobs, once per boot."""
    boot = turn.tx.meta(_BOOT) or ""
    for job in turn.config.jobs:
        if job.type is JobType.CONTINUOUS and not job.autostart:
            turn.tx.put_standing(replace(turn.standing(job.name), up=False))
        if any(text.strip().lower() == fires.REBOOT for text in job.schedule):
            _run_at_boot(turn, job, boot)


def _run_at_boot(turn: Turn, job: Job, boot: str) -> None:
    """Begin an ``@reboot`` job, or say why not; the key is job and boot."""
    ask = intake.Ask(job=job.name, origin=Origin.REBOOT, key=f"{job.name}@{boot}", by="boot")
    run = _submit(turn, ask)
    closed = gates.closed(turn.standing(job.name))
    if run is not None and closed is not None and run.state is State.QUEUED:
        turn.take(run, machine.turn_away(run, why=closed, at=turn.now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Who wants a service to run, and how it came to that."""

    origin: Origin = Origin.AUTOSTART
    key: str = ""  # of the request; what starts by itself is counted instead
    by: str = "autostart"
    wait_s: float = 0.0
    cause: str = "start"
    forced: bool = False


def raise_service(
    turn: Turn, job: Job, wish: Wish, only: Collection[int] | None = None
) -> tuple[str, ...]:
    """Want a service, and give each of its instances a run that has none.

    Instances that an operator stopped alone stay so.

    Args:
        turn: The decision.
        job: The service.
        wish: Who wants it.
        only: These instances; None: all that there are to be.

    Returns:
        The ids of the runs that serve the wish, by instance.

    Raises:
        ConflictError, SaturatedError: As for `intake.submit`, when a person asks.
    """
    standing = turn.standing(job.name)
    turn.tx.put_standing(replace(standing, up=True))
    several = instances.wanted(job, standing) > 1
    known = turn.tx.instances(job.name) if several else {}
    open_runs = turn.tx.open_runs(job.name)
    served = {instances.number(run): run.id for run in open_runs if run.stop_why in GOES_ON}
    wanted = [
        no
        for no in instances.numbers(job, standing)
        if only is None or no in only
        if (job.name, no) not in known or known[job.name, no].stopped_by is None
    ]
    absent = [no for no in wanted if no not in served]
    if absent and wish.origin is Origin.AUTOSTART:
        epoch = _next_epoch(turn, standing, absent)
        turn.tx.put_standing(replace(standing, up=True, epoch=epoch))
        wish = replace(wish, key=str(epoch))
    for no in absent:
        run = _begin(turn, job, wish, no, several=several)
        if run is not None:
            served[no] = run.id
    return tuple(served[no] for no in wanted if no in served)


def _begin(turn: Turn, job: Job, wish: Wish, no: int, *, several: bool) -> Run | None:
    """Ask for the run of one instance; autostart's key is job, instance, epoch."""
    if wish.origin is Origin.AUTOSTART:
        key = _epoch_key(job.name, no, int(wish.key))
    else:
        key = instances.label(wish.key, no if several else None)
    ask = intake.Ask(
        job=job.name,
        origin=wish.origin,
        key=key,
        by=wish.by,
        due_at=turn.now + timedelta(seconds=wish.wait_s),
        cause=wish.cause,
        forced=wish.forced,
        instance=no if several else None,
    )
    return intake.submit(turn, ask) if wish.origin is Origin.MANUAL else _submit(turn, ask)


def _epoch_key(name: str, no: int, epoch: int) -> str:
    return f"{name}#{no}@{epoch}"


def _next_epoch(turn: Turn, standing: Standing, numbers: Collection[int]) -> int:
    """Return the next epoch in which none of some instances has a run yet.

    The count begins anew when a job is removed and comes back, or the database is rebuilt;
    the runs of earlier epochs are still there then.
    """
    epoch, name = standing.epoch + 1, standing.name
    while any(
        turn.tx.run_by_origin(Origin.AUTOSTART, _epoch_key(name, no, epoch)) for no in numbers
    ):
        epoch += 1
    return epoch


GOES_ON = {None, outcome.RESTART}
"""Why an open run is to end that serves all the same: not at all, or to be made anew."""


def fit_to_scale(turn: Turn, job: Job, *, by: str, before: int) -> None:
    """Begin or end instances of a service so that there are as many as there are to be.

    Those that there are to be before and after are not touched.

    Args:
        turn: The decision.
        job: The service.
        by: Who wants it.
        before: How many there were to be.
    """
    standing = turn.standing(job.name)
    wanted = instances.wanted(job, standing)
    for run in turn.tx.open_runs(job.name):
        if instances.number(run) > wanted:
            turn.end(run, why=SCALE, by=by)
    for one in turn.tx.instances(job.name).values():
        if one.no > wanted and one.stopped_by is not None:
            turn.tx.put_instance(replace(one, stopped_by=None))
    if standing.up and gates.closed(standing) is None and wanted > before:
        raise_service(turn, job, Wish(by=by), only=range(before + 1, wanted + 1))


SCALE = "scale"
"""Why an instance ends that there is not to be any more."""


def _submit(turn: Turn, ask: intake.Ask) -> Run | None:
    """Submit what nobody waits for; a refusal is said as an event."""
    try:
        return intake.submit(turn, ask)
    except ClawError as error:
        turn.note("job.refused", job=ask.job, why=error.message)
        return None


def revive(turn: Turn, job: Job, lost: Run) -> None:
    """Begin a service anew whose run was lost, when it is wanted and its policy restarts."""
    standing = turn.standing(job.name)
    if not standing.up or standing.stopped_by or not job.enabled:
        return
    if turn.tx.meta(BOOTED) is not None:
        turn.tx.put_standing(replace(standing, up=False))
        return  # the host went down: `autostart` is about to come
    if job.restart.policy is RestartPolicy.NEVER:
        return
    lived_s = (turn.now - lost.started_at).total_seconds() if lost.started_at else 0.0
    failure_no = 1 if lived_s >= job.restart.reset_after_s else max(standing.crashes, 1)
    wait_s = backoff.delay_s(job.restart.delays_s, 0.0, failure_no, 0.0)
    wish = Wish(wait_s=wait_s, cause="crash")
    raise_service(turn, job, wish, only=(instances.number(lost),))
