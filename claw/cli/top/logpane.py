"""Output that is followed: kept lines, where one looks, and what is searched."""

from __future__ import annotations

from collections import deque

from claw.cli.top import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINES = 10_000
"""So many lines are kept; older ones are in the file."""
_STREAMS = ("both", "stdout", "stderr")
_STEP = 20


class LogPane:
    """The tab Logs.

    Attributes:
        target: The job or run that is shown; 'all'; '': none was chosen yet.
        label: What stands above it.
        stream: ``stdout``, ``stderr`` or ``both``.
        has_times: Whether each line is shown with its time.
        is_wrapped: Whether long lines go on below, or are cut.
        left: How many columns are off to the left.
        needle: What is searched.
        only: Only lines with this are shown.
        note: What is said of it beside its lines.
        unseen: How many lines have come since it was last followed.
    """

    def __init__(self) -> None:
        self.target = ""
        self.label = ""
        self.stream = "both"
        self.has_times = False
        self.is_wrapped = False
        self.left = 0
        self.needle = ""
        self.only = ""
        self.note = ""
        self.unseen = 0
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._chosen: list[str] | None = None
        self._begun = ""
        self._top: int | None = None
        self._match: int | None = None
        self._height = 1

    @property
    def is_following(self) -> bool:
        """Whether what comes is shown at once."""
        return self._top is None

    @property
    def asked(self) -> tuple[str, str, bool]:
        """What is to be followed: target, stream, and whether with times."""
        return self.target, self.stream, self.has_times

    @property
    def lines(self) -> Sequence[str]:
        """The lines that are shown, oldest first."""
        if not self.only:
            return self._lines
        if self._chosen is None:
            wanted = self.only.lower()
            self._chosen = [line for line in self._lines if wanted in line.lower()]
        return self._chosen

    def show(self, target: str, label: str) -> None:
        """Show the output of something else."""
        self.target, self.label = target, label
        self.clear()

    def clear(self) -> None:
        """Begin with no line."""
        self._lines.clear()
        self._begun, self._chosen, self._top, self._match, self.left = "", None, None, None, 0
        self.note, self.unseen = "", 0

    def add(self, text: str) -> None:
        """Take in output; a line that has not ended is held until it does."""
        *ended, self._begun = (self._begun + text).split("\n")
        # What a carriage return has written over was not to be seen either.
        lines = [cells.one_line(line.rstrip("\r").rpartition("\r")[2]) for line in ended]
        lost = max(len(self._lines) + len(lines) - MOST_LINES, 0)
        self._lines.extend(lines)
        self._chosen = None
        if self._top is not None:
            self.unseen += len(lines)
            if not self.only:
                self._top = max(self._top - lost, 0)
        if self._match is not None:
            self._match = None if self.only or self._match < lost else self._match - lost

    def choose(self, only: str) -> None:
        """Show only lines with a text."""
        self.only, self._chosen, self._top, self._match = only, None, None, None

    def follow(self) -> None:
        """Show the end, and what comes."""
        self._top, self._match, self.unseen = None, None, 0

    def scroll(self, step: int) -> None:
        """Move by so many lines; whoever comes to the end follows again."""
        last = max(len(self.lines) - self._height, 0)
        top = min(max((last if self._top is None else self._top) + step, 0), last)
        self._top, self._match = top, None
        if top >= last and step > 0:
            self.follow()

    def shift(self, step: int) -> None:
        """Move to the right or left."""
        self.left = max(self.left + step * _STEP, 0)

    def next_stream(self) -> str:
        """Show another of stdout, stderr and both; name it."""
        self.stream = _STREAMS[(_STREAMS.index(self.stream) + 1) % len(_STREAMS)]
        return self.stream

    def search(self, step: int) -> bool:
        """Show the next line, or the one before, that has the needle; False: none does."""
        lines, wanted = self.lines, self.needle.lower()
        if not wanted or not lines:
            return False
        here = self._match
        if here is None and self._top is None:
            here = len(lines) if step < 0 else len(lines) - self._height - 1
        elif here is None:
            here = (self._top or 0) - step
        for at in range(max(here + step, 0), len(lines) if step > 0 else -1, step):
            if wanted in lines[at].lower():
                self._match = self._top = at
                return True
        return False

    def visible(self, width: int, height: int) -> list[str]:
        """Return what so many lines of the screen show."""
        self._height = max(height, 1)
        lines = self.lines
        if self._top is not None and not self.is_wrapped:
            # A match near the end stands where it is, and not at the top.
            self._top = min(self._top, max(len(lines) - self._height, 0))
        first = max(len(lines) - self._height, 0) if self._top is None else self._top
        some = [lines[at] for at in range(first, min(first + self._height, len(lines)))]
        if not self.is_wrapped:
            return [cells.cut(cells.skip(line, self.left), width) for line in some]
        wrapped = [piece for line in some for piece in cells.pieces(line, width)]
        return wrapped[-self._height :] if self._top is None else wrapped[: self._height]
