"""What a key and a table of the configuration are; `claw.config.fields` has them all."""

import inspect
from enum import StrEnum
from typing import Generic, TypeVar, cast

from claw.config.kinds import Kind

T = TypeVar("T")


class Applies(StrEnum):
    """When a changed value takes effect after a reload."""

    LIVE = "at once"
    NEXT = "next run"
    RESTART = "restarts a running service"
    DAEMON = "next start of the daemon"


class Field(Generic[T]):
    """One key.

    Attributes:
        name: The key itself.
        kind: What values it takes.
        default: The value when nobody says anything; None where it depends.
        written: The default as TOML has it; None when there is none to write.
        doc: What it means, in Markdown.
        applies: When a change takes effect.
        attr: Attributes of `claw.model.job.Job` that hold it, for `claw.config.plan`.
        shown: The default in words, where it depends.
    """

    __slots__ = ("applies", "attr", "default", "doc", "kind", "name", "shown", "written")

    def __init__(
        self,
        kind: Kind[T],
        default: object,
        doc: str,
        *,
        applies: Applies = Applies.RESTART,
        attr: str = "",
        shown: str = "",
    ) -> None:
        self.name = ""
        self.kind = kind
        self.written = default
        self.default = cast("T", None) if default is None else kind.parse(default)
        self.doc = doc
        self.applies = applies
        self.attr = attr
        self.shown = shown

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name
        self.attr = self.attr or name


class Section:
    """One table: its keys, the tables in it, and the keys that come later."""

    __slots__ = ("doc", "fields", "later", "name", "tables")

    def __init__(
        self,
        name: str,
        keys: type,
        *,
        later: str = "",
        tables: "dict[str, Section] | None" = None,
    ) -> None:
        self.name = name
        self.doc = inspect.cleandoc(keys.__doc__ or "")
        self.fields: dict[str, Field[object]] = {
            key: value
            for part in keys.__mro__  # its own first, then those of the classes it is made of
            for key, value in vars(part).items()
            if isinstance(value, Field)
        }
        self.later = frozenset(later.split())
        self.tables = tables or {}

    def known(self) -> list[str]:
        """Return every key that works today, nested tables included."""
        return [*self.fields, *self.tables]
