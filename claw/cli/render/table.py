"""Rows under headings, fitted to the width of a terminal."""

from __future__ import annotations

from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from claw.cli.terminal import Style

_GAP = "  "
_LEAST = 8


class Column:
    """One column.

    Attributes:
        title: Its heading.
        is_right: Whether it is set to the right, as numbers are.
        is_optional: Whether it is left out when no row has anything in it.
        shrinks: Whether it gives way when the terminal is too narrow, the widest first.
        keeps_end: Whether what is cut off is its beginning, as of a path.
    """

    __slots__ = ("is_optional", "is_right", "keeps_end", "shrinks", "title")

    def __init__(
        self,
        title: str,
        *,
        is_right: bool = False,
        is_optional: bool = False,
        shrinks: bool = False,
        keeps_end: bool = False,
    ) -> None:
        self.title = title
        self.is_right = is_right
        self.is_optional = is_optional
        self.shrinks = shrinks
        self.keeps_end = keeps_end


class Cell:
    """A text with a colour."""

    __slots__ = ("color", "text")

    def __init__(self, text: str, color: str = "") -> None:
        self.text = clean(text)
        self.color = color


def lay_out(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], style: Style
) -> str:
    """Return rows as text, headings first."""
    cells = [[one if isinstance(one, Cell) else Cell(one) for one in row] for row in rows]
    kept = [
        index
        for index, column in enumerate(columns)
        if not column.is_optional or any(row[index].text for row in cells)
    ]
    columns = [columns[index] for index in kept]
    cells = [[row[index] for index in kept] for row in cells]
    widths = _widths(columns, cells, style.width)
    heading = [Cell(column.title, GRAY) for column in columns]
    return "\n".join(_line(columns, row, widths, style) for row in (heading, *cells))


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], most: int) -> list[int]:
    widths = [
        max([len(column.title), *(len(row[index].text) for row in rows)])
        for index, column in enumerate(columns)
    ]
    excess = sum(widths) + len(_GAP) * (len(widths) - 1) - most if most else 0
    shrinking = [index for index, column in enumerate(columns) if column.shrinks]
    for _ in range(excess if shrinking else 0):
        widest = max(shrinking, key=lambda index: (widths[index], index))
        if widths[widest] > _LEAST:
            widths[widest] -= 1
    return widths


def _line(
    columns: Sequence[Column], row: Sequence[Cell], widths: list[int], style: Style
) -> str:
    parts = []
    for column, cell, width in zip(columns, row, widths, strict=True):
        text = cell.text
        if len(text) > width:
            text = f"…{text[1 - width :]}" if column.keeps_end else f"{text[: width - 1]}…"
        room = " " * (width - len(text))
        painted = style.paint(text, cell.color)
        parts.append(room + painted if column.is_right else painted + room)
    return _GAP.join(parts).rstrip()


def clean(text: str) -> str:
    """Return a text on one line, without what could steer the terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " for one in text)
