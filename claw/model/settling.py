"""Files of which something was noticed, until they have not changed for long enough."""

from collections.abc import Sequence
from dataclasses import dataclass

from claw.model.watching import Version, Word

LONGEST_S = 30.0
"""Files that change all the time are acted upon together after so long."""


@dataclass(slots=True)
class Waiting:
    """One path; times are those of a clock that only runs on."""

    path: str
    words: frozenset[Word]  # of notices; empty: it was found by a look
    due: float
    version: Version | None = None  # what the look has found
    is_found: bool = False
    is_old: bool = False


class Settling:
    """The paths of one job of which something was noticed."""

    __slots__ = ("_began", "_is_whole", "_settle_s", "_waiting")

    def __init__(self, settle_s: float, *, is_whole: bool = False) -> None:
        """Take how it settles.

        Args:
            settle_s: So long nothing changes.
            is_whole: Of none of the paths: they are due together.
        """
        self._settle_s = settle_s
        self._is_whole = is_whole
        self._waiting: dict[str, Waiting] = {}
        self._began = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, path: str, words: frozenset[Word], now: float) -> None:
        """Take in a notice: the path changes just now."""
        if not self._waiting:
            self._began = now
        known = self._waiting.get(path)
        if known is not None and not known.is_found:
            words |= known.words
        self._waiting[path] = Waiting(path, words, now + self._settle_s)

    def find(
        self,
        path: str,
        version: Version | None,
        now: float,
        wait_s: float = 0.0,
        *,
        is_old: bool = False,
    ) -> None:
        """Take in what a look has found; a notice that waits knows better.

        Args:
            path: The path.
            version: What it is; None: there is no such file.
            now: The time.
            wait_s: How long it has to stay as it is.
            is_old: It was there before the job.
        """
        if not self._waiting:
            self._began = now
        known = self._waiting.get(path)
        if known is not None and (not known.is_found or known.version == version):
            return
        due = now + wait_s
        self._waiting[path] = Waiting(path, frozenset(), due, version, True, is_old)

    def take(self, now: float, most: int) -> Sequence[Waiting]:
        """Take out what is due, so many at most."""
        due_at = self.due_at
        if due_at is None or due_at > now:
            return ()
        if self._is_whole:
            found = list(self._waiting.values())
        else:
            found = [one for one in self._waiting.values() if one.due <= now][:most]
        for one in found:
            del self._waiting[one.path]
        return found

    @property
    def due_at(self) -> float | None:
        """When there is something to take; None: nothing waits."""
        if not self._waiting:
            return None
        times = [one.due for one in self._waiting.values()]
        return min(max(times), self._began + LONGEST_S) if self._is_whole else min(times)
