"""What time alone makes of a job: its operating hours, its backoff after errors, its jitter.

All of it pure; `claw.schedule.hours` knows when hours begin, `claw.master.engine.slots`
applies the rest to slots.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from claw.model.run import State
from claw.model.values import replace

ERROR_DELAYS_S = (30.0, 60.0, 300.0, 900.0, 3600.0)
"""How long a job that fails is left alone on top of its schedule, by errors in a row."""

_ERRORS = {State.FAILED, State.TIMED_OUT, State.CRASHED}
_WHOLE = 1 << 64


class Outside(StrEnum):
    """What becomes of a run that would begin outside its job's hours."""

    SKIP = "skip"
    WAIT = "wait"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When runs of a job may begin; a span over midnight belongs to the day it begins on."""

    days: str = "*"  # as in the last field of a cron expression
    begin: tuple[int, int] = (0, 0)  # hour and minute, on the clock of the zone
    end: tuple[int, int] = (24, 0)
    timezone: str = "UTC"  # an IANA name, already resolved
    outside: Outside = Outside.SKIP

    @property
    def label(self) -> str:
        """The hours in words: ``mon-fri 08:00-18:00``."""
        days = "" if self.days == "*" else f"{self.days} "
        return f"{days}{_clock(self.begin)}-{_clock(self.end)} {self.timezone}"


def _clock(at: tuple[int, int]) -> str:
    return f"{at[0]:02}:{at[1]:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What has come of a job's times, beside its standing; a row of the store."""

    job: str
    errors: int = 0  # runs in a row that failed, ran out of time or were lost
    error_at: datetime | None = None  # when the last of them ended
    again_through: datetime | None = None  # see `claw.master.engine.slots`
    retire_at: datetime | None = None  # when its ttl is over, or its one run

    def after_end(self, state: State, at: datetime) -> "Timing":
        """Return this with the end of a run that had begun counted in."""
        if state is State.SUCCEEDED:
            return replace(self, errors=0, error_at=None)
        if state not in _ERRORS:
            return self
        return replace(self, errors=self.errors + 1, error_at=at)

    @property
    def left_alone_until(self) -> datetime | None:
        """Until when a job with ``error_backoff`` is left alone; None: it may run."""
        if not self.errors or self.error_at is None:
            return None
        delay_s = ERROR_DELAYS_S[min(self.errors, len(ERROR_DELAYS_S)) - 1]
        return self.error_at + timedelta(seconds=delay_s)


def jitter(host: str, job: str, slot: datetime, most_s: float) -> timedelta:
    """Return how much later than its slot a run is due: the same whenever it is asked for.

    Args:
        host: What names the machine, so that two of them do not agree.
        job: Whose slot it is.
        slot: The fire time.
        most_s: The largest offset in seconds; the result is spread over 0 to this.
    """
    if not most_s:
        return timedelta(0)
    text = f"{host}\n{job}\n{slot.timestamp():.6f}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return timedelta(microseconds=round(most_s * 1e6) * number // (_WHOLE - 1))
