"""Which changes of runs begin or end a condition that a job's people want to know of.

`notice` is called by `consequences` for each run that has changed, in the transaction of the
change. What does not come with a change, as a slot that has no row, is found by
`claw.master.engine.duties`.
"""

from datetime import timedelta

from claw.master.engine import alerts, sla
from claw.master.engine.turn import Change, Turn
from claw.model import ids, instances, machine, outcome
from claw.model.alerts import FAILURES_IN_A_ROW, RESOURCES, AlertKind
from claw.model.checks import HEALTHY, UNHEALTHY, HealthAction
from claw.model.effect import DutyAt, PingAsked
from claw.model.job import Job, JobType
from claw.model.pings import PingKind
from claw.model.root import look_at
from claw.model.run import Attempt, Phase, Run, State

_BAD = {
    State.FAILED: AlertKind.FAILED,
    State.TIMED_OUT: AlertKind.TIMED_OUT,
    State.CRASHED: AlertKind.CRASHED,
}
_AWAY = {State.SKIPPED: AlertKind.SKIPPED, State.MISSED: AlertKind.MISSED}
_ILL = frozenset({*_BAD.values(), AlertKind.RETRIES_EXHAUSTED})
"""What the next success is the end of, and a recovery."""
_WELL = frozenset({AlertKind.RECOVERED, AlertKind.SUCCEEDED})
"""What the next failure is the end of."""
_OF_A_RUN = frozenset({RESOURCES, UNHEALTHY})
"""What ends with the run at the latest."""


def notice(turn: Turn, change: Change) -> None:
    """Raise and resolve what a change of a run begins and ends."""
    job = turn.config.job(change.after.job)
    if job is None:
        return
    if change.after.health != change.before.health:
        _notice_health(turn, job, change.after)
    if change.after.dead_at is not None:
        _notice_dead_letter(turn, job, change)
    if job.ping:
        _ping(turn, job, change)
    if job.type is JobType.CONTINUOUS:
        _notice_service(turn, job, change)
    elif not change.after.is_open and (change.before.is_open or change.is_new):
        _notice_end(turn, job, change.after)


def _notice_end(turn: Turn, job: Job, run: Run) -> None:
    _end_with_run(turn, run)
    sla.count(turn, job, run)
    if run.state is State.SUCCEEDED:
        _notice_success(turn, job, run)
    elif run.state in _BAD:
        _notice_failure(turn, job, run)
    elif run.state in _AWAY and job.alerts.wants(_AWAY[run.state]):
        count = f" {run.slot_count} slots" if run.slot_count > 1 else ""
        text = f"{job.name} {run.state}{count}: {run.reason}: clawctl why {ids.short(run.id)}"
        alerts.raise_alert(turn, _AWAY[run.state], job.name, run.id, text)


def _notice_success(turn: Turn, job: Job, run: Run) -> None:
    why = f"run {ids.short(run.id)} succeeded"
    was_ill = alerts.resolve_those(turn, job.name, why, lambda one: one.kind in _ILL)
    alerts.resolve(turn, AlertKind.STALE, job.name, why)
    if was_ill and job.alerts.wants(AlertKind.RECOVERED):
        text = f"{job.name} has recovered: {why}"
        alerts.raise_alert(turn, AlertKind.RECOVERED, job.name, run.id, text)
    if job.alerts.wants(AlertKind.SUCCEEDED):
        text = f"{job.name} succeeded: clawctl runs show {ids.short(run.id)}"
        alerts.raise_alert(turn, AlertKind.SUCCEEDED, job.name, run.id, text)


def _notice_failure(turn: Turn, job: Job, run: Run) -> None:
    short = ids.short(run.id)
    over = f"run {short} {run.state}"
    alerts.resolve_those(turn, job.name, over, lambda one: one.kind in _WELL)
    how = _end_text(run)
    if job.alerts.wants(_BAD[run.state]):
        text = f"{job.name} {run.state.replace('_', ' ')}: {how}: {look_at(run)}"
        alerts.raise_alert(turn, _BAD[run.state], job.name, run.id, text)
    if run.retries and job.alerts.wants(AlertKind.RETRIES_EXHAUSTED):
        text = (
            f"{job.name} {run.state.replace('_', ' ')} after {run.retries} retries: {how}:"
            f" {look_at(run)}"
        )
        alerts.raise_alert(turn, AlertKind.RETRIES_EXHAUSTED, job.name, run.id, text)


def _end_text(run: Run) -> str:
    if run.exit_code is not None or run.signal is not None:
        return machine.exit_text(run.exit_code, run.signal)
    return run.reason or "nothing is known of how"


def _end_with_run(turn: Turn, run: Run) -> None:
    why = f"run {ids.short(run.id)} has ended"
    alerts.resolve_those(
        turn, run.job, why, lambda one: one.run == run.id and one.kind in _OF_A_RUN
    )


# -- services -------------------------------------------------------------------------------


def _notice_service(turn: Turn, job: Job, change: Change) -> None:
    """A service has one run, whose attempts fail: it is told when that goes on and on."""
    before, run = change.before, change.after
    about = _about(run)
    if before.state is not State.RUNNING and run.state is State.RUNNING:
        for kind in (AlertKind.FATAL, AlertKind.CRASHED):
            alerts.resolve(turn, kind, job.name, "it was started again", about=about)
    is_final = before.is_open and not run.is_open
    if (run.phase is Phase.BACKOFF and before.phase is not Phase.BACKOFF) or is_final:
        _notice_failures(turn, job, run)
    if is_final:
        _notice_service_end(turn, job, run)


def _notice_failures(turn: Turn, job: Job, run: Run) -> None:
    # Between two attempts the run has the number of the next one already.
    last = run.attempt - 1 if run.phase is Phase.BACKOFF else run.attempt
    if last < FAILURES_IN_A_ROW or not job.alerts.wants_service_failures():
        return
    numbers = range(last, last - FAILURES_IN_A_ROW, -1)  # later ones may have begun by now
    attempts = [turn.tx.attempt(run.id, no) for no in numbers]
    if all(attempt is not None and _has_failed(job, attempt) for attempt in attempts):
        label = instances.label(job.name, run.instance)
        text = f"{label} fails again and again: {_how(attempts[0])}: clawctl logs {label}"
        alerts.raise_alert(turn, AlertKind.FAILED, job.name, run.id, text, about=_about(run))
        calm_at = turn.now + timedelta(seconds=job.restart.reset_after_s)
        turn.emit(DutyAt(job.name, calm_at))


def _has_failed(job: Job, attempt: Attempt) -> bool:
    """Tell whether a child has failed before it had lived for `restart.reset_after`."""
    if attempt.ended_at is None:
        return False
    began_at = attempt.started_at or attempt.ended_at
    lived_s = (attempt.ended_at - began_at).total_seconds()
    if lived_s >= job.restart.reset_after_s:
        return False
    is_told = bool(attempt.error or attempt.ended_for or attempt.timed_out)
    return is_told or attempt.exit_code not in job.success_codes


def _how(attempt: Attempt | None) -> str:
    if attempt is None:
        return "nothing is known of how"
    told = attempt.error or attempt.ended_for
    return told or machine.exit_text(attempt.exit_code, attempt.signal)


def _notice_service_end(turn: Turn, job: Job, run: Run) -> None:
    _end_with_run(turn, run)
    label, about = instances.label(job.name, run.instance), _about(run)
    if run.state not in _BAD:
        why = f"run {ids.short(run.id)} {run.state}"
        alerts.resolve(turn, AlertKind.FAILED, job.name, why, about=about)
    elif run.reason == outcome.START_LIMIT:
        if job.alerts.wants(AlertKind.FATAL):
            text = f"{label} is given up (restart.start_limit): clawctl why {label}"
            alerts.raise_alert(turn, AlertKind.FATAL, job.name, run.id, text, about=about)
    elif run.state is State.CRASHED and job.alerts.wants(AlertKind.CRASHED):
        text = f"{label} crashed: {_end_text(run)}: clawctl why {ids.short(run.id)}"
        alerts.raise_alert(turn, AlertKind.CRASHED, job.name, run.id, text, about=about)


def is_up(run: Run, attempt: Attempt | None) -> bool:
    """Tell whether a child of a service serves."""
    return run.phase is Phase.UP and attempt is not None and attempt.ended_at is None


def _about(run: Run) -> str:
    return "" if run.instance is None else instances.label(run.job, run.instance)


# -- what any run may come to -----------------------------------------------------------------


def _notice_health(turn: Turn, job: Job, run: Run) -> None:
    about = _about(run)
    if run.health == HEALTHY:
        alerts.resolve(turn, AlertKind.UNHEALTHY, job.name, "it is well again", about=about)
    if run.health != UNHEALTHY:
        return
    is_asked = job.health is not None and job.health.action is HealthAction.ALERT
    if is_asked or job.alerts.wants(AlertKind.UNHEALTHY):
        label = instances.label(job.name, run.instance)
        text = f"{label} is unhealthy: {run.health_why}: clawctl why {label}"
        alerts.raise_alert(turn, AlertKind.UNHEALTHY, job.name, run.id, text, about=about)


def _notice_dead_letter(turn: Turn, job: Job, change: Change) -> None:
    run = change.after
    is_new = change.is_new or change.before.dead_at is None
    if is_new and job.alerts.wants(AlertKind.DEAD_LETTER):
        short = ids.short(run.id)
        text = f"{job.name} has a dead letter: {run.dead_why}: clawctl runs show {short}"
        alerts.raise_alert(turn, AlertKind.DEAD_LETTER, job.name, run.id, text)


def _ping(turn: Turn, job: Job, change: Change) -> None:
    """Have a job's dead-man's switch told that a run has begun, or how it ended."""
    before, run = change.before, change.after
    if before.started_at is None and run.started_at is not None:
        _ask_ping(turn, job, run, PingKind.START)
    if before.is_open and run.state is State.SUCCEEDED:
        _ask_ping(turn, job, run, PingKind.SUCCESS)
    elif before.is_open and run.state in _BAD:
        _ask_ping(turn, job, run, PingKind.FAIL)


def _ask_ping(turn: Turn, job: Job, run: Run, kind: PingKind) -> None:
    asked = PingAsked(job.name, run.id, kind)
    turn.tx.ask_ping(asked, turn.now)
    turn.emit(asked)
