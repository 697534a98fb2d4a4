"""How model values lie in rows: each field in the column of its name.

What SQLite cannot hold as it is has a pair of functions. Many rows are read and written for
each run that is made, so each layout has functions of its own, that name all fields: they are
written here, as `dataclasses` writes ``__init__``.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from claw.model import values

T = TypeVar("T")
Value = str | bytes | int | float | None
Row = dict[str, Value]
Cells = tuple[Value, ...]
Pair = tuple[Callable[[Any], Value], Callable[[Any], Any]]
"""What is stored of a content, and the content of what is stored; None is stored as None."""


class Layout(Generic[T]):
    """The rows of one kind of value.

    Attributes:
        columns: Those that hold its fields.
        cells: Returns what is stored of a value, in the order of the columns.
    """

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
        self._kind: Any = kind
        self._pairs = pairs
        self._spread = spread
        self._others = others
        self._names = _names(kind)
        self.columns = tuple(
            column
            for name in self._names
            for column in (_names(type(spread[name])) if name in spread else (name,))
        )
        self.cells: Callable[[T], Cells] = self._make_cells()
        self._reader = lru_cache(None)(self._make_reader)

    def row(self, value: T) -> Row:
        """Return what is stored of a value, by column."""
        return dict(zip(self.columns, self.cells(value), strict=True))

    def value(self, row: sqlite3.Row) -> T:
        """Return the value that a row holds."""
        found: T = self._reader(tuple(row.keys()))(row)
        return found

    def placed(self, statement: str) -> str:
        """Return a statement that takes cells, of one that takes each column by its name.

        Raises:
            ValueError: It has them in another order: no number binds to a place, for Python.
        """
        if tuple(re.findall(r":(\w+)", statement)) != self.columns:
            raise ValueError(f"{self._kind.__name__}: not in the order of its fields")
        return re.sub(r":\w+", "?", statement)

    def _make_cells(self) -> Callable[[Any], Any]:
        contents = (
            f"*(usual_{name} if value.{name} is mostly_{name} else of_{name}(value.{name}))"
            if name in self._spread
            else self._written(name, f"value.{name}")
            for name in self._names
        )
        return self._made("cells(value)", [f"return ({', '.join(contents)},)"])

    def changes(self, statement: str) -> Callable[[T, T], Row]:
        """Return what tells how one value, its second argument, is not as the first.

        Args:
            statement: It names the fields that may differ; of those is told what is stored.
        """
        lines, named = ["row = {}"], set(re.findall(r":(\w+)", statement))
        for name in self._names:
            if name in named:
                lines += [
                    f"if after.{name} is not before.{name} and after.{name} != before.{name}:",
                    f"    row[{name!r}] = " + self._written(name, f"after.{name}"),
                ]
        return self._made("changes(before, after)", [*lines, "return row"])

    def _make_reader(self, keys: tuple[str, ...]) -> Callable[[sqlite3.Row], Any]:
        """Return what makes values of rows with such columns."""
        lines = [f"({', '.join(keys)},) = row", "twin = make()"]
        for name in self._names:
            content = f"read_{name}({name}) if {name} is not None else None"
            if name in self._spread:
                inner = _names(type(self._spread[name]))
                content = (
                    f"mostly_{name} if ({', '.join(inner)},) == usual_{name}"
                    f" else from_{name}({', '.join(f'{one}={one}' for one in inner)})"
                )
            elif name not in self._pairs:
                content = name
            lines.append(f"twin.{name} = {content}")
        return self._made("value(row)", [*lines, "twin.__class__ = kind", "return twin"])

    def _written(self, name: str, content: str) -> str:
        if name not in self._pairs:
            return content
        return f"(write_{name}({content}) if {content} is not None else None)"

    def _made(self, head: str, lines: list[str]) -> Callable[..., Any]:
        """Return the function of such lines."""
        scope: dict[str, Any] = {"kind": self._kind, "make": values.twin(self._kind)}
        for name, (write, read) in self._pairs.items():
            scope |= {f"write_{name}": write, f"read_{name}": read}
        for name, usual in self._spread.items():
            inner: Layout[Any] = Layout(type(usual), {})
            scope |= {
                f"mostly_{name}": usual,
                f"usual_{name}": inner.cells(usual),
                f"of_{name}": inner.cells,
                f"from_{name}": type(usual),
            }
        body = "".join(f"    {line}\n" for line in lines)
        exec(f"def {head}:\n{body}", scope)  # noqa: S102
        made: Callable[..., Any] = scope[head.partition("(")[0]]
        return made


def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
