"""Times and spans of time for people: relative, or local."""

from __future__ import annotations

from datetime import datetime

from claw.model.units import format_duration

_RELATIVE_S = 7 * 86400


def span(seconds: float) -> str:
    """Return a span in two units at most: ``42s``, ``5m``, ``2h3m``, ``3d4h``."""
    return format_duration(int(seconds))


def relative(iso: str | None, now: datetime) -> str:
    """Return ``5m ago``, ``in 2h3m``, or for what is over a week off the local date."""
    if not iso:
        return ""
    at = datetime.fromisoformat(iso)
    away_s = (at - now).total_seconds()
    if abs(away_s) > _RELATIVE_S:
        return f"{at.astimezone():%Y-%m-%d}"
    if abs(away_s) < 1:
        return "now"
    return f"in {span(away_s)}" if away_s > 0 else f"{span(-away_s)} ago"


def local(iso: str | None) -> str:
    """Return a time in the local zone, to the second."""
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}" if iso else ""


def clock(iso: str) -> str:
    """Return the local time of a day, to the second."""
    return f"{datetime.fromisoformat(iso).astimezone():%H:%M:%S}"


def both(iso: str | None, now: datetime) -> str:
    """Return the local time, and how long ago it was or will be."""
    return f"{local(iso)} ({relative(iso, now)})" if iso else ""
