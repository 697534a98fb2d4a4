"""A line that is typed at the bottom of the screen."""

from __future__ import annotations

from claw.cli.top import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ClassVar


class LineInput:
    """A text with a cursor in it.

    Args:
        text: What it begins with; the cursor stands behind it.
    """

    __slots__ = ("at", "text")

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.at = len(text)

    def press(self, key: str, data: str) -> bool:
        """Take a key; False when it means nothing here.

        Args:
            key: Its name.
            data: What it types.
        """
        if key == "paste" or (len(data) == 1 and data.isprintable()):
            self._insert(cells.one_line(data))
            return True
        edit = self._EDITS.get(key)
        if edit is None:
            return False
        edit(self)
        return True

    def _insert(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def _backspace(self) -> None:
        if self.at:
            self.text = self.text[: self.at - 1] + self.text[self.at :]
            self.at -= 1

    def _delete(self) -> None:
        self.text = self.text[: self.at] + self.text[self.at + 1 :]

    def _left(self) -> None:
        self.at = max(self.at - 1, 0)

    def _right(self) -> None:
        self.at = min(self.at + 1, len(self.text))

    def _home(self) -> None:
        self.at = 0

    def _end(self) -> None:
        self.at = len(self.text)

    def _cut_before(self) -> None:
        self.text, self.at = self.text[self.at :], 0

    def _cut_after(self) -> None:
        self.text = self.text[: self.at]

    def _cut_word(self) -> None:
        before = self.text[: self.at].rstrip()
        begin = before.rfind(" ") + 1
        self.text, self.at = self.text[:begin] + self.text[self.at :], begin

    _EDITS: ClassVar[dict[str, Callable[[LineInput], None]]] = {
        "backspace": _backspace, "c-h": _backspace,
        "delete": _delete, "left": _left, "right": _right,
        "home": _home, "c-a": _home, "end": _end,
        "c-e": _end, "c-u": _cut_before, "c-k": _cut_after,
        "c-w": _cut_word,
    }  # fmt: skip
