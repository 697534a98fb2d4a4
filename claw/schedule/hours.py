"""When operating hours begin and end; their times on the clock of a zone are cron's.

So the rules of `claw.schedule.fires` hold for changes of that clock: hours that begin in an
hour that is skipped begin right after the jump, and in one that is repeated the first time.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from claw.model.timing import Hours
from claw.schedule import fires

_LONGEST = timedelta(days=2)
"""No span of hours is longer, however the clock is changed in it."""


def is_open(hours: Hours, at: datetime) -> bool:
    """Tell whether a run may begin at an instant."""
    opened = _begins(hours).newest(at - _LONGEST, at, at)
    if opened is None:
        return False
    closes = _ends(hours).next_after(opened, at)
    return closes is None or at < closes


def opens_at(hours: Hours, at: datetime) -> datetime | None:
    """Return from when on a run may begin that would like to at an instant.

    None: never again, within the calendar.
    """
    return at if is_open(hours, at) else _begins(hours).next_after(at, at)


@lru_cache(maxsize=4096)
def _begins(hours: Hours) -> fires.Schedule:
    hour, minute = hours.begin
    return fires.parse((f"{minute} {hour} * * {hours.days}",), hours.timezone)


@lru_cache(maxsize=4096)
def _ends(hours: Hours) -> fires.Schedule:
    hour, minute = hours.end
    return fires.parse((f"{minute} {hour % 24} * * *",), hours.timezone)
