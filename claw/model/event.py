"""Events: the append-only, numbered record of everything that happened.

A move of a run writes exactly one, in the same transaction. The types are
``run.<state>``, ``attempt.started|exited``, ``job.<what>`` and ``daemon.<what>``.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from claw.model.values import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Who did what to what, when and why; ``cursor`` is 0 until it is stored."""

    at: datetime
    type: str
    job: str | None = None
    run: str | None = None
    old: str | None = None  # "from" on the wire
    new: str | None = None  # "to" on the wire
    why: str | None = None
    by: str | None = None
    cursor: int = 0


def wire_of(event: Event) -> dict[str, Any]:
    """Return an event as clients and hooks are told it."""
    return {
        "cursor": event.cursor,
        "at": event.at.isoformat(),
        "type": event.type,
        "job": event.job,
        "run": event.run,
        "from": event.old,
        "to": event.new,
        "why": event.why,
        "by": event.by,
    }
