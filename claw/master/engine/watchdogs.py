"""Watchdog jobs: what follows from what their checks have found; see `claw.model.watchdog`."""

from datetime import timedelta

from claw.master.engine import alerts, intake
from claw.master.engine.turn import Turn
from claw.model import ids, watchdog
from claw.model.alerts import STUCK, WATCHDOG
from claw.model.job import Job
from claw.model.lineage import below
from claw.model.retry import Rules
from claw.model.run import Origin, Run, State
from claw.model.values import replace
from claw.model.watchdog import Watch

EVENT = "job.watchdog"


def rules(turn: Turn, job: Job) -> Rules:
    """Return by which rules a run of a job is judged, the age of what it watches among them."""
    if job.watchdog is None:
        return job.rules
    timeout_s = job.watchdog.timeout_s
    since = turn.standing(job.name).active_since
    stuck_at = since + timedelta(seconds=timeout_s) if timeout_s else None
    return replace(job.rules, watch=Watch(timeout_s, stuck_at))


def settle(turn: Turn, run: Run) -> None:
    """Say what a check has found whose run is over, and begin what is to be begun then."""
    job = turn.config.job(run.job)
    if job is None or job.watchdog is None:
        return
    if watchdog.is_stuck(run):
        _stuck(turn, job, run)
    elif watchdog.is_finished(run):
        text = (
            f"{job.name}: what it watches is {run.note}: clawctl runs show {ids.short(run.id)}"
        )
        turn.note(EVENT, job=job.name, run=run.id, why=run.note)
        alerts.resolve(turn, STUCK, job.name, str(run.note))
        alerts.raise_alert(turn, WATCHDOG, job.name, run.id, text)
    elif run.state is State.SUCCEEDED and run.note != watchdog.TRY_LATER:
        alerts.resolve(turn, STUCK, job.name, "it goes on")


def _stuck(turn: Turn, job: Job, run: Run) -> None:
    turn.note(EVENT, job=job.name, run=run.id, why=run.reason)
    text = f"{job.name}: what it watches is {run.reason}: clawctl logs {ids.short(run.id)}"
    alerts.raise_alert(turn, STUCK, job.name, run.id, text)
    follower = job.watchdog.on_stuck if job.watchdog else ""
    if follower and turn.config.job(follower) is not None:
        ask = intake.Ask(
            job=follower,
            origin=Origin.TRIGGER,
            key=f"{run.id}:{follower}",
            by="watchdog",
            lineage=below(run),
        )
        intake.follow_up(turn, ask)
