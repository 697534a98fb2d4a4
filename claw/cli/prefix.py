"""Output of several jobs at once: each line with its job before it."""

from __future__ import annotations

from claw.cli.terminal import BLUE, CYAN, GREEN, MAGENTA, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.terminal import Style

_COLORS = (CYAN, YELLOW, GREEN, MAGENTA, BLUE)
_WIDEST = 20


class Prefixer:
    """Puts a job's name before each of its lines.

    A line that comes in pieces is held until it ends; one job's never breaks another's.
    """

    __slots__ = ("_begun", "_colors", "_style", "_width")

    def __init__(self, names: list[str], style: Style) -> None:
        self._style = style
        self._colors: dict[str, str] = {}
        self._begun: dict[tuple[str, str], str] = {}
        self._width = 0
        for name in names:
            self.prefix(name)

    def prefix(self, name: str) -> str:
        """Return what stands before the lines of a job."""
        if name not in self._colors:
            self._colors[name] = _COLORS[len(self._colors) % len(_COLORS)]
            self._width = max(self._width, min(len(name), _WIDEST))
        return self._style.paint(f"{name:{self._width}} | ", self._colors[name])

    def lines(self, name: str, stream: str, text: str) -> str:
        """Return the lines that a piece of output completes, prefixed; '' when none."""
        whole = self._begun.pop((name, stream), "") + text
        *ended, begun = whole.split("\n")
        if begun:
            self._begun[name, stream] = begun
        prefix = self.prefix(name)
        return "".join(f"{prefix}{line}\n" for line in ended)

    def rest(self) -> str:
        """Return the lines that were begun and will not be ended any more."""
        begun, self._begun = self._begun, {}
        return "".join(f"{self.prefix(name)}{text}\n" for (name, _), text in begun.items())
