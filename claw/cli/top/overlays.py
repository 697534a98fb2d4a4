"""What lies over a tab until it is left: a page, a line to type, a question, a choice."""

from __future__ import annotations

from claw.cli.top.lineinput import LineInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from claw.cli.top.listing import Listing

_LEAVING = frozenset({"escape", "q"})


class Pager:
    """A page that is scrolled.

    Args:
        title: What stands above it.
        about: Of what all is asked for, as kind and name; None: it is a text.
        text: The lines of a text.

    Attributes:
        parts: What was answered; None: nothing yet.
    """

    def __init__(
        self, title: str, about: tuple[str, str] | None, text: Sequence[str] = ()
    ) -> None:
        self.title = title
        self.about = about
        self.text = text
        self.parts: dict[str, Any] | None = None
        self.offset = 0
        self._height = 1
        self._count = 0

    def visible(self, lines: Sequence[str], height: int) -> Sequence[str]:
        """Return those of its lines that so many lines of the screen show."""
        self._height, self._count = max(height, 1), len(lines)
        self.offset = min(self.offset, max(len(lines) - self._height, 0))
        return lines[self.offset : self.offset + self._height]

    def press(self, key: str, _data: str) -> bool:
        """Take a key; False when the page is to be left."""
        page = max(self._height - 1, 1)
        steps = {
            "up": -1, "k": -1, "down": 1, "j": 1, "enter": 1, "pageup": -page, "c-b": -page,
            "pagedown": page, "c-f": page, "space": page, "home": -self._count,
            "g": -self._count, "end": self._count, "G": self._count,
        }  # fmt: skip
        self.offset = max(self.offset + steps.get(key, 0), 0)
        return key not in _LEAVING and not (self.about is None and key == "?")

    @property
    def place(self) -> str:
        """How far down one is."""
        if self._count <= self._height:
            return ""
        return f"{min(self.offset + self._height, self._count)}/{self._count}"


class Prompt:
    """A line that is typed.

    Args:
        label: What is asked for.
        text: What stands there at first.
        done: Given what was typed, at its end.
        changed: Given what stands there, after each key; also what stood there at first,
            when it is left.
    """

    def __init__(
        self,
        label: str,
        text: str,
        done: Callable[[str], None],
        changed: Callable[[str], None] | None = None,
    ) -> None:
        self.label = label
        self.line = LineInput(text)
        self._first = text
        self._done = done
        self._changed = changed

    def press(self, key: str, data: str) -> bool:
        """Take a key; False when it is over."""
        if key in {"escape", "c-c"}:
            if self._changed is not None:
                self._changed(self._first)
            return False
        if key == "enter":
            self._done(self.line.text.strip())
            return False
        if self.line.press("space" if key == "space" else key, data) and self._changed:
            self._changed(self.line.text)
        return True


class Question:
    """What is done only when somebody says yes.

    Args:
        text: The question.
        yes: Does it.
    """

    def __init__(self, text: str, yes: Callable[[], None]) -> None:
        self.text = text
        self._yes = yes

    def press(self, key: str, _data: str) -> bool:
        """Take a key; only ``y`` is yes."""
        if key in {"y", "Y"}:
            self._yes()
        return False


class Chooser:
    """Which columns of a table are shown, and in the end remembered."""

    def __init__(self, table: Listing, done: Callable[[], None]) -> None:
        self.table = table
        self.at = 0
        self._done = done

    def press(self, key: str, _data: str) -> bool:
        """Take a key; False when it is over."""
        names = [column.name for column in self.table.columns]
        if key in {"up", "k", "down", "j"}:
            self.at = (self.at + (1 if key in {"down", "j"} else -1)) % len(names)
        elif key in {"space", "x"} and self.at:  # the first says what a row is
            self._toggle(names[self.at])
        if key in {"escape", "q", "enter", "C"}:
            self._done()
            return False
        return True

    def _toggle(self, name: str) -> None:
        chosen = self.table.chosen
        if name in chosen:
            chosen.remove(name)
        else:
            chosen.append(name)


Overlay = Pager | Prompt | Question | Chooser
"""Any of them."""
