"""``cron next``: when an expression fires, without a daemon."""

from __future__ import annotations

import os
from zoneinfo import ZoneInfo

from claw.commands import times
from claw.errors import UsageError
from claw.kernel import clock
from claw.schedule import fires, zone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from claw.cli.context import Context

_DEFAULT = 5
_MOST = 1000
"""As many as ``job next`` tells."""


def next_fires(context: Context) -> int:
    """Show the next times of an expression."""
    args = context.args
    count = args["count"] or _DEFAULT
    if count > _MOST:
        raise UsageError(f"-n is at most {_MOST}", hint="--from goes on from a later time")
    try:
        timezone = args["tz"] or zone.read_local_zone(os.environ)
        schedule = fires.parse([args["expr"]], timezone)
    except ValueError as error:
        raise UsageError(str(error)) from None
    now, local = clock.now(), ZoneInfo(timezone)
    after = now if args["from"] is None else times.parse_past(args["from"], now, local)
    found = _next(schedule, after, count)
    context.show(
        {
            "expr": args["expr"],
            "timezone": timezone,
            "fires": [at.astimezone(local).isoformat() for at in found],
        }
    )
    return 0


def _next(schedule: fires.Schedule, after: datetime, count: int) -> list[datetime]:
    """Return the next times; `@every` counts from ``after``."""
    found: list[datetime] = []
    at: datetime | None = after
    while len(found) < count:
        at = schedule.next_after(at, after) if at is not None else None
        if at is None:
            break
        found.append(at)
    return found
