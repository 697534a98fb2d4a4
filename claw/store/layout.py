"""How model values lie in rows: each field in the column of its name.

What SQLite cannot hold as it is has a pair of functions. Many rows are read and written for
each run that is made, so this copies all fields at once and looks only at those.
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Value = str | bytes | int | float | None
Row = dict[str, Value]
Pair = tuple[Callable[[Any], Value], Callable[[Any], Any]]
"""What is stored of a content, and the content of what is stored; None is stored as None."""


class Layout(Generic[T]):
    """The rows of one kind of value."""

    def __init__(
        self,
        kind: type[T],
        pairs: Mapping[str, Pair],
        *,
        spread: Mapping[str, object] = MappingProxyType({}),
        others: tuple[str, ...] = (),
    ) -> None:
        """Lay it out.

        Args:
            kind: A dataclass.
            pairs: By field, how it is written and read; the others are stored as they are.
            spread: The fields whose content is a value itself, of which each field has a
                column, and what that content is mostly; they never change.
            others: Columns that are no fields.
        """
        self._kind = kind
        self._names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
        self._contents: Callable[[T], tuple[Any, ...]] = attrgetter(*self._names)
        self._writers = {name: pair[0] for name, pair in pairs.items()}
        self._readers = tuple((name, pair[1]) for name, pair in pairs.items())
        self._spread = tuple((name, _Spread(usual)) for name, usual in spread.items())
        self._others = others

    def row(self, value: T) -> Row:
        """Return what is stored of a value."""
        row = dict(zip(self._names, self._contents(value), strict=True))
        for name, write in self._writers.items():
            if row[name] is not None:
                row[name] = write(row[name])
        for name, spread in self._spread:
            row |= spread.row(row.pop(name))
        return row

    def changes(self, before: T, after: T) -> Row:
        """Return what is stored of those fields that are not as before."""
        both = zip(self._names, self._contents(before), self._contents(after), strict=True)
        row: Row = {}
        for name, old, new in both:
            if new is not old and new != old:
                write = self._writers.get(name)
                row[name] = new if write is None or new is None else write(new)
        return row

    def value(self, row: sqlite3.Row) -> T:
        """Return the value that a row holds."""
        found = dict(zip(row.keys(), row, strict=True))
        for name in self._others:
            del found[name]
        for name, spread in self._spread:
            found[name] = spread.take(found)
        for name, read in self._readers:
            if found[name] is not None:
                found[name] = read(found[name])
        return self._kind(**found)


class _Spread:
    """The columns of a value within another one, which is mostly the same."""

    def __init__(self, usual: object) -> None:
        self._usual = usual
        self._layout = Layout(type(usual), {})
        self._usual_row = self._layout.row(usual)

    def row(self, value: object) -> Row:
        return self._usual_row if value is self._usual else self._layout.row(value)

    def take(self, row: dict[str, Any]) -> object:
        """Take them out of the other columns."""
        found = {name: row.pop(name) for name in self._usual_row}
        return self._usual if found == self._usual_row else type(self._usual)(**found)
