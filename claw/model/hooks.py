"""Hooks: which events are told to which channel.

Events are many and hooks are few: of each type of event it is found out once which hooks
want it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from claw.model.event import Event

FIELDS = (
    "by", "duration", "exit_code", "host", "job", "name", "reason", "run", "signal", "state",
    "type", "why",
)  # fmt: skip
"""What may stand in braces in the text of a hook."""
_FIELD = re.compile(r"\{([A-Za-z_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook, as the configuration defines it."""

    on: tuple[str, ...]
    channel: str = ""
    to: str = ""
    jobs: tuple[str, ...] = ()  # shell-style patterns; none: any job, and what is of none
    tags: tuple[str, ...] = ()  # of which the job has one
    text: str = ""  # with `FIELDS` in braces; empty: what claw says of the event


class Hooks:
    """All hooks, to be asked for each event."""

    __slots__ = ("_by_type", "_hooks")

    def __init__(self, hooks: tuple[Hook, ...]) -> None:
        self._hooks = hooks
        self._by_type: dict[str, tuple[Hook, ...]] = {}

    def of(self, kind: str) -> tuple[Hook, ...]:
        """Return the hooks on a type of events."""
        found = self._by_type.get(kind)
        if found is None:
            found = tuple(one for one in self._hooks if fits_any(kind, one.on))
            self._by_type[kind] = found
        return found


def wants(hook: Hook, event: Event, tags: Collection[str]) -> bool:
    """Tell whether a hook on events of this type wants this one.

    Args:
        hook: The hook.
        event: The event.
        tags: Of the event's job.
    """
    if hook.jobs and (event.job is None or not fits_any(event.job, hook.jobs)):
        return False
    return not hook.tags or not set(hook.tags).isdisjoint(tags)


def fits_any(text: str, patterns: Collection[str]) -> bool:
    """Tell whether a text fits one of some shell-style patterns."""
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def unknown_fields(text: str) -> list[str]:
    """Return what stands in braces in a hook's text and is none of `FIELDS`."""
    return [name for name in _FIELD.findall(text) if name not in FIELDS]


def filled(text: str, facts: Mapping[str, object]) -> str:
    """Return a hook's text with facts in it; what is not known is left empty."""

    def put(found: re.Match[str]) -> str:
        value = facts.get(found[1])
        return "" if value is None else str(value)

    return _FIELD.sub(put, text)
