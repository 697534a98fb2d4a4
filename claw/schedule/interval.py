"""True intervals: ``@every 90s`` fires at anchor + k x 90 s, and does not drift.

Times are microseconds since the epoch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from claw.model.units import parse_duration

PREFIX = "@every"
_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Every:
    """Fires each ``period_us`` from the anchor on; who asks, asks for what is later than it.

    Before it the same grid goes on: a clock that is behind must not stop all intervals.
    """

    period_us: int

    def first(self, after_us: int, anchor_us: int) -> int:
        """Return the first fire later than ``after_us``."""
        return anchor_us + self._number(after_us, anchor_us) * self.period_us + self.period_us

    def count(self, after_us: int, until_us: int, anchor_us: int) -> int:
        """Count the fires later than ``after_us``, up to and with ``until_us``."""
        later = self._number(until_us, anchor_us) - self._number(after_us, anchor_us)
        return max(later, 0)

    def between(self, after_us: int, until_us: int, anchor_us: int) -> Iterator[int]:
        """Yield the fires later than ``after_us``, up to and with ``until_us``."""
        return iter(range(self.first(after_us, anchor_us), until_us + 1, self.period_us))

    def _number(self, at_us: int, anchor_us: int) -> int:
        """Which fire was the last, one at this instant included; the anchor has number 0."""
        return (at_us - anchor_us) // self.period_us


def parse_every(text: str) -> Every:
    """Read ``@every D``, with D as durations are written everywhere (``90s``, ``1h30m``).

    Raises:
        ValueError: If D is missing, no duration, or shorter than a second.
    """
    duration = text.strip()[len(PREFIX) :].strip()
    if not duration:
        raise ValueError(f'{text!r}: how often? write it like "@every 90s" or "@every 1h30m"')
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if seconds < 1:
        raise ValueError(f"{text!r}: the shortest interval is 1s")
    return Every(round(seconds * _SECOND_US))
