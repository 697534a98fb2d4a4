"""Which jobs' runs may be claimed a moment before they are due, and how long before.

It is worth it where many begin at one time: each would wait for the forks of those before it.
What is armed is taken back when anything changes that it depends on, so only such jobs are
armed of which little can change in that moment, and all of that is seen by the engine.
"""

from datetime import timedelta

from claw.model.context import Context
from claw.model.job import Job, JobType
from claw.model.retry import Delivery

FEWEST = 4
"""Runs due together; fewer begin as fast without."""
MOST = 128
"""Armed at one time: each is a process of about a megabyte."""
MOST_LOOKED_AT = 256
"""Jobs that are due together; of more it is not asked which may be armed, unless all may."""
TOGETHER = timedelta(seconds=1)
"""What is due within this of each other is armed at one time."""
LATEST = timedelta(seconds=0.15)
"""Before the first is due: later it is not worth while."""
_LEAD = timedelta(seconds=0.4)
_LEAD_OF_EACH = timedelta(seconds=0.012)
SETTLED = timedelta(seconds=0.3)
"""After the time of an armed run its slot gets its mark: the processor is wanted till then."""
_CROWD_S, _MOST_CROWD_S = 0.0015, 0.2
LEAST_INTERVAL = timedelta(seconds=5)
"""Between two slots of a job whose runs are armed."""


def lead(count: int) -> timedelta:
    """Return how long before they are due so many runs are armed: two seconds at most."""
    return _LEAD + min(count, MOST) * _LEAD_OF_EACH


def crowd_s(count: int) -> float:
    """Return for how long, in seconds, so many that begin at one time need the processor."""
    return min(count * _CROWD_S, _MOST_CROWD_S)


def suits(job: Job) -> bool:
    """Tell whether nothing but its own standing and slots decides about a job's runs.

    Any supervisor of plain runs will do for them, and they are at their places by themselves.
    """
    is_alone = not (
        job.workflow
        or job.step_of
        or job.transient
        or job.depends_on
        or job.trigger
        or job.events
        or job.watch
        or job.watchdog
    )
    is_unhindered = not (
        job.pool or job.lock or job.dedup.window_s or job.hours or job.approval or job.jitter_s
    )
    return (
        job.type is JobType.SCHEDULED
        and job.is_plain
        and is_alone
        and is_unhindered
        and job.context is Context.NONE
        and job.delivery_guarantee is Delivery.AT_MOST_ONCE
    )
