"""The two bodies of a tab: rows under headings, and output."""

from __future__ import annotations

from claw.cli.terminal import BLUE, CYAN, GRAY, GREEN, MAGENTA, RED, YELLOW
from claw.cli.top import cells
from claw.cli.top.listing import widths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from claw.cli.top.listing import Column, Listing
    from claw.cli.top.logpane import LogPane

    Line = list[tuple[str, str]]

STYLES = {
    RED: "ansired", GREEN: "ansigreen", YELLOW: "ansiyellow", BLUE: "ansiblue",
    MAGENTA: "ansimagenta", CYAN: "ansicyan", GRAY: "ansibrightblack", "": "",
}  # fmt: skip
"""Colours by the name that the renderers have for them."""
_GAP = "  "
_MARKED = "bold ansimagenta"


def rows(table: Listing, width: int, height: int, now: datetime) -> list[Line]:
    """Return the heading of a table, and the rows for which there is room.

    Args:
        table: The table.
        width: Columns of the terminal.
        height: Lines that there are for it, the heading's among them.
        now: The time.
    """
    shown = table.visible(height - 1)
    columns = table.shown
    told = [[_cell(column, row, now) for column in columns] for row in shown]
    names = [f"{column.name.upper()}{_arrow(table, column)}" for column in columns]
    naturals = [
        _natural(table, column, name, max((cells.width(row[at][0]) for row in told), default=0))
        for at, (column, name) in enumerate(zip(columns, names, strict=True))
    ]
    found = widths(columns, naturals, width)
    head = [(name, "") for name in names]
    lines: list[Line] = [_line(columns, head, found, width, "bold underline")]
    for row, parts in zip(shown, told, strict=True):
        style = "reverse" if row is table.selected else ""
        marked = f"{_MARKED} {style}".rstrip() if table.identity(row) in table.marked else ""
        lines.append(_line(columns, parts, found, width, marked or style))
    if not shown:
        lines.append([("", _nothing(table))])
    return lines


def _nothing(table: Listing) -> str:
    if not table.is_loaded:
        return "..."
    return (
        f"none of {table.count} has {table.filter!r}: Esc shows all"
        if table.count
        else table.empty
    )


def _natural(table: Listing, column: Column, title: str, longest: int) -> int:
    """Return how wide a column would be; 0 as long as nothing was ever seen in it.

    Columns only grow: what jumps about while one scrolls cannot be read.
    """
    longest = max(longest, table.held.get(column.name, 0) if column.width >= 0 else 0)
    table.held[column.name] = longest
    return max(longest, cells.width(title)) if longest or not column.rank else 0


def _cell(column: Column, row: dict[str, object], now: datetime) -> tuple[str, str]:
    told = column.told(row, now)
    text, color = (told, "") if isinstance(told, str) else told
    return cells.one_line(text), STYLES[color]


def _arrow(table: Listing, column: Column) -> str:
    if column.name != table.sort:
        return ""
    return "↓" if table.is_descending else "↑"


def _line(
    columns: Sequence[Column],
    parts: Sequence[tuple[str, str]],
    found: Sequence[int],
    width: int,
    style: str,
) -> Line:
    line: Line = []
    used = 0
    for column, (text, color), room in zip(columns, parts, found, strict=True):
        if not room:
            continue
        gap = _GAP if line else ""
        fitted = cells.fit(text, min(room, width - used - len(gap)), is_right=column.is_right)
        # One style for a selected row: colours turned round are hard to read.
        line += [(style, gap), (style or color, fitted)]
        used += len(gap) + cells.width(fitted)
    if "reverse" in style or "underline" in style:
        line.append((style, " " * (width - used)))
    return line


def output(pane: LogPane, width: int, height: int) -> list[Line]:
    """Return the lines of output that there is room for, with what is searched marked."""
    shown = pane.visible(width, height)
    if not shown:
        return [
            [
                (
                    "",
                    pane.note
                    or (f"no line with {pane.only!r}" if pane.only else "no output yet"),
                )
            ]
        ]
    return [_marked(line, pane.needle) for line in shown]


def _marked(line: str, needle: str) -> Line:
    if not needle:
        return [("", line)]
    found: Line = []
    low, wanted, at = line.lower(), needle.lower(), 0
    while (here := low.find(wanted, at)) >= 0:
        end = here + len(wanted)
        found += [("", line[at:here]), ("reverse ansiyellow", line[here:end])]
        at = end
    return [*found, ("", line[at:])]


def of_logs(pane: LogPane) -> str:
    """Return what output is shown, and how."""
    words = [pane.label or "nothing chosen"]
    if pane.stream != "both":
        words.append(pane.stream)
    if pane.only:
        words.append(f"only {pane.only!r}")
    if not pane.is_following:
        words.append(f"held, {pane.unseen} more: F follows" if pane.unseen else "held")
    if pane.note:
        words.append(pane.note)
    return ", ".join(words)
