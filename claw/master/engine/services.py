"""Services that start by themselves, and what a start of the master or a boot begins.

Whether a service is wanted is kept in its standing (`up`, `stopped_by`), so it outlives the
master: a service that ended by itself is not begun again because the master was restarted,
one that a shutdown or a boot ended is, and one that an operator stopped is not.
"""

from dataclasses import replace
from datetime import timedelta

from claw.errors import ClawError
from claw.master.engine import intake, slots
from claw.master.engine.turn import Turn
from claw.model import backoff, gates, machine, outcome
from claw.model.gates import Standing
from claw.model.job import Job, JobType, RestartPolicy
from claw.model.run import Origin, Run, State
from claw.schedule import fires

_BOOT = "boot"
_BOOTED = "booted"


def begin(turn: Turn, boot: str, why: str = "") -> None:
    """A master begins: it claims again, and notes whether the host has booted since the last.

    Args:
        turn: The decision.
        boot: The boot id, '' where there is none.
        why: For the event: version, pid.
    """
    turn.tx.put_meta(intake.ENDING, None)
    turn.tx.put_meta(slots.BEGAN, turn.now.isoformat())
    if turn.tx.meta(_BOOT) != boot:
        turn.tx.put_meta(_BOOT, boot)
        turn.tx.put_meta(_BOOTED, "1")
    turn.note("daemon.started", why=why)


def note_boot(turn: Turn, boot: str) -> None:
    """Keep the id of the boot that was seen last, when the database did not."""
    turn.tx.put_meta(_BOOT, boot)


def autostart(turn: Turn) -> None:
    """Begin the services that are to run by themselves and have no open run.

    Those are new ones, those that a shutdown ended, and after a boot all of them.
    """
    booted = turn.tx.meta(_BOOTED) is not None
    turn.tx.put_meta(_BOOTED, None)
    if booted:
        _on_boot(turn)
    for job in turn.config.jobs:
        if job.type is not JobType.CONTINUOUS or not job.autostart or not job.enabled:
            continue
        standing = turn.standing(job.name)
        if standing.stopped_by is None and (booted or not standing.up):
            raise_service(turn, job, standing)


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


def raise_service(
    turn: Turn, job: Job, standing: Standing, *, wait_s: float = 0.0, cause: str = "start"
) -> Run | None:
    """Want a service and give it a run, unless it has one; the key is job, instance, epoch."""
    if any(run.stop_why in _GOES_ON for run in turn.tx.open_runs(job.name)):
        turn.tx.put_standing(replace(standing, up=True))
        return None
    epoch = _next_epoch(turn, standing)
    turn.tx.put_standing(replace(standing, up=True, epoch=epoch))
    ask = intake.Ask(
        job=job.name,
        origin=Origin.AUTOSTART,
        key=_epoch_key(job.name, epoch),
        by="autostart",
        due_at=turn.now + timedelta(seconds=wait_s),
        cause=cause,
    )
    return _submit(turn, ask)


def _epoch_key(name: str, epoch: int) -> str:
    return f"{name}#1@{epoch}"


def _next_epoch(turn: Turn, standing: Standing) -> int:
    """Return the next epoch that has no run yet.

    The count begins anew when a job is removed and comes back, or the database is rebuilt;
    the runs of earlier epochs are still there then.
    """
    epoch = standing.epoch + 1
    while turn.tx.run_by_origin(Origin.AUTOSTART, _epoch_key(standing.name, epoch)):
        epoch += 1
    return epoch


_GOES_ON = {None, outcome.RESTART}


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
    if turn.tx.meta(_BOOTED) is not None:
        turn.tx.put_standing(replace(standing, up=False))
        return  # the host went down: `autostart` is about to come
    if job.restart.policy is RestartPolicy.NEVER:
        return
    lived_s = (turn.now - lost.started_at).total_seconds() if lost.started_at else 0.0
    failure_no = 1 if lived_s >= job.restart.reset_after_s else max(standing.crashes, 1)
    wait_s = backoff.delay_s(job.restart.delays_s, 0.0, failure_no, 0.0)
    raise_service(turn, job, standing, wait_s=wait_s, cause="crash")
