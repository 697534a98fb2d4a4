"""Alerts: what is worth somebody's attention, and of which jobs it is told.

An alert stands for a condition, from the change that began it to the change that ended it:
a job that fails ten times in a row has one `failed`, which its next success resolves. What
merely happened, as a missed slot, has no end of its own: it stands until somebody takes
note of it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlertKind(StrEnum):
    """What a job can be told of: the words of ``alerts.on``."""

    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    RETRIES_EXHAUSTED = "retries_exhausted"
    FATAL = "fatal"
    UNHEALTHY = "unhealthy"
    RECOVERED = "recovered"
    MISSED = "missed"
    SKIPPED = "skipped"
    OVERDUE = "overdue"
    STALE = "stale"
    DEAD_LETTER = "dead_letter"
    SLA = "sla"
    APPROVAL = "approval"
    SUCCEEDED = "succeeded"


RESOURCES = "resources"
"""A tree of processes uses too much: told whenever the job limits that."""
CHECK = "check"
"""Something was found in a run's output, and its job says that somebody is to know."""
STUCK = "stuck"
"""What a watchdog job watches does not come to its end."""
WATCHDOG = "watchdog"
"""What a watchdog job has watched is finished."""
QUEUE_FULL = "queue_full"
"""What came by itself found no room; of the daemon as a whole."""
TICKER = "ticker"
"""Due times pass and nobody writes their rows; of the daemon as a whole."""
BACKUP = "backup"
"""The backup that was due could not be made; of the daemon as a whole."""

DELIVERY = "delivery"
"""A channel does not take what it is sent; of the daemon as a whole, until it does, or it is
noted."""
DROPPED = "dropped"
"""More messages waited than are kept; of the daemon as a whole, and nothing ends it."""

CONDITIONS = frozenset(AlertKind) - {
    AlertKind.RECOVERED,
    AlertKind.MISSED,
    AlertKind.SKIPPED,
    AlertKind.SUCCEEDED,
} | {RESOURCES, TICKER, STUCK, BACKUP}
"""Kinds that end by themselves; of any other kind an alert is over once it is noted."""

UNASKED = frozenset(
    {
        AlertKind.FATAL,
        AlertKind.OVERDUE,
        AlertKind.STALE,
        AlertKind.DEAD_LETTER,
        AlertKind.SLA,
        AlertKind.APPROVAL,
    }
)
"""What is told of a job that has no ``alerts``; of a service also that it keeps failing."""

FAILURES_IN_A_ROW = 5
"""So many of a service are worth an alert: one that is restarted now and then is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """What a job's people want to be told of it."""

    on: frozenset[AlertKind] | None = None  # None: nobody has said, `UNASKED`
    channel: str = ""  # that is told of them
    to: str = ""

    def wants(self, kind: AlertKind) -> bool:
        """Tell whether an alert of a kind is wanted."""
        return kind in (UNASKED if self.on is None else self.on)

    def wants_service_failures(self) -> bool:
        """Tell whether an alert is wanted of a service that fails again and again."""
        return self.on is None or AlertKind.FAILED in self.on


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A row of the store; said at every turn until it is acknowledged, or over."""

    kind: str
    text: str
    at: datetime
    last_at: datetime | None = None  # the newest of several occurrences
    job: str | None = None  # None: of the daemon as a whole
    run: str | None = None  # the newest
    about: str = ""  # which of several things of one kind: an instance
    times: int = 1  # how often it was seen since `at`
    acked_at: datetime | None = None
    resolved_at: datetime | None = None
    id: int = 0
