"""What ``doctor`` finds: one thing it has looked at, how it stands, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How something stands."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"  # it works, and may not for long, or not for all
    FAIL = "fail"  # it does not work
    SKIP = "skip"  # it could not be looked at, or there is nothing to look at


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``doctor``; `check` is filled in by who runs the check."""

    level: Level
    text: str
    fix: str = ""
    check: str = ""


def good(text: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.PASS, text)


def doubtful(text: str, fix: str) -> Finding:
    """Return that something may become a failure, with what to do."""
    return Finding(Level.WARN, text, fix)


def bad(text: str, fix: str) -> Finding:
    """Return that something does not work, with what to do."""
    return Finding(Level.FAIL, text, fix)


def unknown(text: str, fix: str = "") -> Finding:
    """Return that something was not looked at, and why."""
    return Finding(Level.SKIP, text, fix)
