"""Rows under headings: filtered, sorted; who is selected stays so as rows come and go."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from typing import Any

    Row = dict[str, Any]
    Key = Callable[[Row], Any]
    Told = Callable[[Row, datetime], str | tuple[str, str]]


class Column:
    """One column.

    Attributes:
        name: What it is remembered by; its heading in capitals.
        told: Given a row and the time, returns its text, or the text and its colour.
        key: By what it is sorted; None: not at all.
        width: Columns that it takes; 0: as many as its longest text; -1: all that is left.
        rank: The higher, the sooner it gives way where there is little room.
        is_right: Whether it is set to the right, as numbers are.
        is_descending: Whether the largest comes first when it is sorted by it.
        is_chosen: Whether it is shown until somebody says otherwise.
    """

    __slots__ = (
        "is_chosen", "is_descending", "is_right", "key", "name", "rank", "told", "width",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        told: Told,
        *,
        key: Key | None = None,
        width: int = 0,
        rank: int = 0,
        is_right: bool = False,
        is_descending: bool = False,
        is_chosen: bool = True,
    ) -> None:
        self.name = name
        self.told = told
        self.key = key
        self.width = width
        self.rank = rank
        self.is_right = is_right
        self.is_descending = is_descending
        self.is_chosen = is_chosen


class Listing:
    """One table.

    Args:
        columns: All that it may show.
        identity: Tells rows apart.
        words: What a filter looks at: pairs of the name of a field and its text.
        empty: What is said where there is no row.
        is_newest_first: Whether rows come as they were made, the newest first: whoever is at
            the first then stays at the first.

    Attributes:
        chosen: Names of the columns that are shown.
        sort: The column it is sorted by; '': as it came.
        is_descending: Whether the largest comes first.
        filter: Words that all have to be in a row; see `matches`.
        offset: How many rows are above the first that is shown.
        marked: Identities of the rows that the next command is for.
        held: How wide columns have been.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        identity: Callable[[Row], str],
        words: Callable[[Row], Sequence[tuple[str, str]]],
        empty: str,
        *,
        is_newest_first: bool = False,
    ) -> None:
        self.columns = tuple(columns)
        self.identity = identity
        self.empty = empty
        self.chosen = [column.name for column in columns if column.is_chosen]
        self.sort = ""
        self.is_descending = False
        self.filter = ""
        self.offset = 0
        self.marked: set[str] = set()
        self.held: dict[str, int] = {}
        self._words = words
        self._rows: dict[str, Row] = {}
        self._view: list[Row] | None = []
        self._at = 0
        self._cursor = ""
        self._is_loaded = False
        self._is_newest_first = is_newest_first

    @property
    def is_loaded(self) -> bool:
        """Whether rows have come, were it none."""
        return self._is_loaded

    @property
    def count(self) -> int:
        """How many rows there are, those that the filter hides too."""
        return len(self._rows)

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns that are chosen, in their order."""
        return tuple(column for column in self.columns if column.name in self.chosen)

    @property
    def view(self) -> list[Row]:
        """The rows that the filter lets through, sorted."""
        if self._view is None:
            self._view = self._sorted(
                [row for row in self._rows.values() if matches(self.filter, self._words(row))]
            )
            self._at = self._find(self._at)
        return self._view

    @property
    def at(self) -> int:
        """The place of the selected row in the view."""
        return min(self._at, max(len(self.view) - 1, 0))

    @property
    def selected(self) -> Row | None:
        """The selected row; None when there is none."""
        return self.view[self.at] if self.view else None

    @property
    def aimed(self) -> list[Row]:
        """The rows that a command is for: those that are marked, or else the selected."""
        marked = [row for name, row in self._rows.items() if name in self.marked]
        chosen = self.selected
        return marked or ([chosen] if chosen is not None else [])

    @property
    def rows(self) -> Iterable[Row]:
        """All rows, as they came."""
        return self._rows.values()

    def row(self, name: str) -> Row | None:
        """Return the row of that identity."""
        return self._rows.get(name)

    def replace(self, rows: Iterable[Row]) -> None:
        """Show other rows; who was selected stays so, or else the place does."""
        self._note_cursor()
        self._rows = {self.identity(row): row for row in rows}
        self.marked &= self._rows.keys()
        self._view = None
        self._is_loaded = True

    def forget(self) -> None:
        """Show nothing until other rows come."""
        self.replace(())
        self._at, self._is_loaded = 0, False

    def update(self, rows: Iterable[Row]) -> None:
        """Show some rows as they are now; those that were not there are not added."""
        self._note_cursor()
        for row in rows:
            name = self.identity(row)
            if name in self._rows:
                self._rows[name] = {**self._rows[name], **row}
        self._view = None

    def narrow(self, words: str) -> None:
        """Show only the rows in which there are these words."""
        self._note_cursor()
        self.filter = words
        self._view = None

    def sort_by(self, name: str, *, is_descending: bool | None = None) -> None:
        """Sort by a column; the first row is selected unless one was chosen."""
        self._note_cursor()
        column = next((one for one in self.columns if one.name == name), None)
        self.sort = "" if column is None else name
        known = False if column is None else column.is_descending
        self.is_descending = known if is_descending is None else is_descending
        self._view = None

    def sort_beside(self, step: int) -> str:
        """Sort by the column to the left (-1) or right (1) of the present one; name it."""
        names = [column.name for column in self.shown if column.key is not None]
        at = names.index(self.sort) if self.sort in names else -1 if step > 0 else 0
        self.sort_by(names[(at + step) % len(names)])
        return self.sort

    def move(self, step: int) -> None:
        """Select the row that is so many below."""
        self._at = min(max(self.at + step, 0), max(len(self.view) - 1, 0))
        self._note_cursor()

    def mark(self) -> None:
        """Mark the selected row, or do not any more, and go on to the next."""
        chosen = self.selected
        if chosen is not None:
            self.marked ^= {self.identity(chosen)}
            self.move(1)

    def visible(self, height: int) -> list[Row]:
        """Return the rows that so many lines show; the selected one is among them."""
        height = max(height, 1)
        at, last = self.at, max(len(self.view) - height, 0)
        self.offset = min(max(self.offset, at - height + 1), at, last)
        return self.view[self.offset : self.offset + height]

    def _note_cursor(self) -> None:
        chosen = self.selected
        if chosen is not None:  # a filter that nothing passes moves nobody
            self._cursor = self.identity(chosen)

    def _find(self, otherwise: int) -> int:
        if self._is_newest_first and not self.sort and otherwise == 0:
            return 0
        for at, row in enumerate(self._view or ()):
            if self.identity(row) == self._cursor:
                return at
        return otherwise

    def _sorted(self, rows: list[Row]) -> list[Row]:
        column = next((one for one in self.columns if one.name == self.sort), None)
        key = None if column is None else column.key
        if key is None:
            return rows
        found = [(key(row), row) for row in rows]
        known = [pair for pair in found if pair[0] is not None]
        # A stable sort of what came by name; those with nothing there come last either way.
        known.sort(key=lambda pair: pair[0], reverse=self.is_descending)
        return [row for _, row in known] + [row for value, row in found if value is None]


def matches(wanted: str, fields: Sequence[tuple[str, str]]) -> bool:
    """Tell whether all words of a filter are in a row.

    ``word`` is looked for in every field, ``field:word`` in one, and a ``!`` before either
    means that it must not be there. Letters are taken alike, large or small.
    """
    return all(_has(word, fields) for word in wanted.lower().split())


def _has(word: str, fields: Sequence[tuple[str, str]]) -> bool:
    if word.startswith("!") and len(word) > 1:
        return not _has(word[1:], fields)
    name, colon, rest = word.partition(":")
    if colon and any(name == field for field, _ in fields):
        return any(rest in text.lower() for field, text in fields if field == name)
    return any(word in text.lower() for _, text in fields)


def widths(columns: Sequence[Column], naturals: Sequence[int], room: int) -> list[int]:
    """Return how wide each column is; 0: there is no room for it.

    Args:
        columns: From left to right.
        naturals: The length of each column's longest text.
        room: Of the terminal.
    """
    wanted = [
        min(natural, (column.width or natural) if column.width >= 0 else _LEAST)
        for column, natural in zip(columns, naturals, strict=True)
    ]
    found = [0] * len(columns)
    for at in sorted(range(len(columns)), key=lambda at: columns[at].rank):
        if not columns[at].rank or _sum([*found, wanted[at]]) <= room:
            found[at] = wanted[at]
    for at in reversed(range(len(columns))):
        if _sum(found) > room:  # none but those that always stay
            found[at] = max(min(found[at], _LEAST), found[at] - (_sum(found) - room))
    for at, column in enumerate(columns):
        if found[at] and column.width < 0:
            found[at] = min(naturals[at], found[at] + room - _sum(found))
    return found


_LEAST = 8


def _sum(found: Sequence[int]) -> int:
    kept = [one for one in found if one]
    return sum(kept) + 2 * (len(kept) - 1)
