"""Effects: what the master does once a decision is on disk.

All of them may be performed twice, or be lost in a crash: the store can name them again.
"""

from dataclasses import dataclass
from datetime import datetime

from claw.model.pings import PingKind


@dataclass(frozen=True, slots=True)
class StopRun:
    """Tell a supervisor to end its run; nothing when it has not been launched yet.

    The engine names the effect again as soon as the supervisor's first line is read.
    """

    run: str
    sid: str
    why: str
    by: str
    grace_s: float | None = None  # instead of the job's own


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Tell the supervisor of an armed run not to begin it; if it has, nothing comes of that."""

    run: str
    sid: str
    why: str


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Queued runs may have become free to go: call ``dispatch``."""


@dataclass(frozen=True, slots=True)
class DispatchAt:
    """A run that waits for what it depends on is given up then: call ``dispatch`` again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Reschedule:
    """The due times of a job have changed: the ticker looks again. Empty: all jobs."""

    job: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A supervisor has nothing more to say: its connection can be let go."""

    sid: str
    run: str


@dataclass(frozen=True, slots=True)
class EssentialEnded:
    """A run of an essential job has ended by itself: the daemon ends as it did."""

    job: str
    run: str
    exit_status: int


@dataclass(frozen=True, slots=True)
class Recheck:
    """A child has begun, become ready, or ended: its checks begin or end."""

    job: str
    run: str


@dataclass(frozen=True, slots=True)
class Retire:
    """A job that was made with clawctl is to be removed: its time is over."""

    job: str
    why: str


@dataclass(frozen=True, slots=True)
class DutyAt:
    """Something of a job may be late, or over, by then: it is to be looked at."""

    job: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LockWanted:
    """A run waits for a shared lock, and for nothing else: ask the others for it."""

    name: str
    run: str


@dataclass(frozen=True, slots=True)
class LockLeft:
    """Something has become of a shared lock that this master had: see what is to be done."""

    name: str


@dataclass(frozen=True, slots=True)
class PingAsked:
    """A job's dead-man's switch is to be told what has become of a run."""

    job: str
    run: str
    kind: PingKind


@dataclass(frozen=True, slots=True)
class BatchGoesOn:
    """Runs of a batch are to be made that were too many for one transaction."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Something is to be sent by a channel, now or again."""

    channel: str


Effect = (
    EssentialEnded
    | LockLeft
    | LockWanted
    | StopRun
    | Withdraw
    | Dispatch
    | DispatchAt
    | Reschedule
    | Settled
    | Recheck
    | Retire
    | DutyAt
    | PingAsked
    | Posted
    | BatchGoesOn
)
