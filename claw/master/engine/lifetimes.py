"""What the ends of runs mean for the times of their jobs: backoff after errors, and retirement.

A oneshot with a ``ttl``, or with ``delete_after_run``, goes when its run is over and so much
time has passed. One that was made with clawctl is removed; of one that people have written
into a file only they can say that it goes: it is stopped, and says so.
"""

from datetime import timedelta
from pathlib import PurePath

from claw.master.engine.turn import Turn
from claw.model import ids, watchdog
from claw.model.effect import DispatchAt, Retire
from claw.model.gates import DELETE_AFTER_RUN, OVER, TTL, Standing
from claw.model.job import Job, JobType
from claw.model.run import Run, State
from claw.model.values import replace

MANAGED = "managed.toml"
"""The file of jobs that claw itself may remove."""

_AGAIN_S = 60.0
_NEVER_BEGAN = {State.SKIPPED, State.MISSED}


def ended(turn: Turn, run: Run) -> None:
    """Take note of the end of a run."""
    job = turn.config.job(run.job)
    if job is None:
        return
    if job.error_backoff and run.attempt and run.state not in _NEVER_BEGAN:
        known = turn.tx.timing(job.name)
        after = known.after_end(run.state, run.ended_at or turn.now)
        if after != known:
            turn.tx.put_timing(after)
    if _has_end(job):
        _plan_retirement(turn, job, run)


def _has_end(job: Job) -> bool:
    if job.watchdog is not None:
        return job.watchdog.self_destruct
    return job.type is JobType.ONESHOT and (job.delete_after_run or job.ttl_s is not None)


def _plan_retirement(turn: Turn, job: Job, run: Run) -> None:
    through = turn.standing(job.name).scheduled_through
    is_past = through is not None and job.run_at is not None and through >= job.run_at
    if job.watchdog is not None and not watchdog.is_finished(run):
        return  # what it watches goes on
    if job.watchdog is None and run.slot_at is None and not is_past:
        return  # its time is still to come
    is_at_once = job.delete_after_run or job.watchdog is not None
    at = turn.now + timedelta(seconds=0.0 if is_at_once else job.ttl_s or 0.0)
    turn.tx.put_timing(replace(turn.tx.timing(job.name), retire_at=at))
    turn.emit(DispatchAt(at))


def retire(turn: Turn) -> None:
    """Let the jobs go whose time has come, and say when the next one's will."""
    following = turn.tx.next_retirement()
    if following is not None and following <= turn.now:
        for name in turn.tx.retiring(turn.now):
            _retire(turn, name)
        following = turn.tx.next_retirement()
    if following is not None:
        turn.emit(DispatchAt(following))


def _retire(turn: Turn, name: str) -> None:
    job, known = turn.config.job(name), turn.tx.timing(name)
    turn.tx.put_timing(replace(known, retire_at=None))
    if job is None or not _has_end(job) or turn.tx.open_runs(name):
        return
    standing = turn.standing(name)
    why = TTL if job.ttl_s is not None and not job.delete_after_run else DELETE_AFTER_RUN
    if standing.stopped_by is None:
        turn.tx.put_standing(replace(standing, stopped_by=why))
        about = f"run {ids.short(standing.last_run)}" if standing.last_run else "its time"
        turn.note("job.retired", job=name, why=f"{why}: {about} is over", by=why)
    if PurePath(job.file).name == MANAGED:
        # Removed by who acts on the effect; should that fail, it is asked for again.
        again = turn.now + timedelta(seconds=_AGAIN_S)
        turn.tx.put_timing(replace(known, retire_at=again))
        turn.emit(Retire(name, why))


def revive(turn: Turn, standing: Standing) -> Standing:
    """Return the standing of a job that has got another time to run at."""
    turn.tx.put_timing(replace(turn.tx.timing(standing.name), retire_at=None))
    if standing.stopped_by in OVER:
        return replace(standing, stopped_by=None)
    return standing
