"""What is looked at, for what, and how; two equal ones are one and the same task."""

import os.path
from dataclasses import dataclass, replace
from datetime import datetime

from claw.model import instances
from claw.model.checks import Health, Ready, ReadyType
from claw.model.job import Job, JobType
from claw.model.run import Attempt, Phase, Run, State

PROBED = frozenset(
    {ReadyType.LOG, ReadyType.TCP, ReadyType.HTTP, ReadyType.FILE, ReadyType.EXEC}
)
"""Kinds of readiness that the master finds out; the others a supervisor learns by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One child, and one of its two checks."""

    job: str
    user: str  # whom the job runs as; empty: as claw does
    run: str
    sid: str
    attempt: int
    pid: int
    started_at: datetime
    ready_at: datetime | None  # None: that is what is to be found out
    cwd: str
    check: Ready | Health


def subject_of(job: Job, run: Run, attempt: Attempt | None, home: str) -> Subject | None:
    """Return what is to be looked at of a run just now, None when nothing is.

    A child that is being stopped, or that is not there, is never looked at.

    Args:
        job: Its job, as configured now.
        run: As it is stored.
        attempt: The run's present one.
        home: Where relative paths start from without a ``cwd``.
    """
    is_up = run.state is State.RUNNING and run.phase in {Phase.STARTING, Phase.UP}
    if not is_up or run.stop_why is not None or run.sid is None or run.pid is None:
        return None
    if attempt is None or attempt.started_at is None or attempt.ended_at is not None:
        return None
    check: Ready | Health | None = job.ready if job.ready.type in PROBED else None
    if attempt.ready_at is not None:
        check = job.health
    if check is None:
        return None
    cwd = job.cwd
    if job.type is JobType.CONTINUOUS:
        number = instances.number(run)
        check, cwd = _filled(check, number), instances.fill(cwd, number)
    return Subject(
        job=job.name,
        user=job.user,
        run=run.id,
        sid=run.sid,
        attempt=attempt.no,
        pid=run.pid,
        started_at=attempt.started_at,
        ready_at=attempt.ready_at,
        cwd=os.path.join(home, cwd),  # noqa: PTH118
        check=check,
    )


def _filled(check: Ready | Health, number: int) -> Ready | Health:
    """Return a check of one instance."""
    probe = replace(
        check.probe,
        url=instances.fill(check.probe.url, number),
        address=instances.fill(check.probe.address, number),
        path=instances.fill(check.probe.path, number),
    )
    return check if probe == check.probe else replace(check, probe=probe)
