"""Definitions as plain values that JSON can hold, and back.

What begins with a definition keeps it, while the configuration goes on: so it is stored.
Only what differs from the defaults is; a key of another version is passed over.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: object) -> object:
    """Return a definition as lists, tables and texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            one.name: plain(getattr(value, one.name))
            for one in fields(value)
            if getattr(value, one.name) != _default(one)
        }
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    if isinstance(value, frozenset):
        return sorted(plain(one) for one in value)  # type: ignore[type-var]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def _default(one: Field[Any]) -> object:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def known_again(kind: type[T], stored: object) -> T:
    """Return the definition of a kind that `plain` has made plain.

    Raises:
        ValueError: It is none of that kind.
    """
    try:
        return cast("T", _value(kind, stored))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error


def _value(kind: Any, stored: Any) -> object:
    if get_origin(kind) in {types.UnionType, Union}:
        if stored is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not types.NoneType)
    if get_origin(kind) in {tuple, frozenset}:
        return get_origin(kind)(_items(get_args(kind), stored))
    if is_dataclass(kind):
        return _record(cast("type", kind), stored)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(stored)
    if kind is datetime:
        return datetime.fromisoformat(stored)
    return stored


def _items(kinds: Sequence[Any], stored: Sequence[Any]) -> tuple[object, ...]:
    if kinds[-1] is Ellipsis or len(kinds) == 1:  # tuple[X, ...], frozenset[X]
        return tuple(_value(kinds[0], one) for one in stored)
    return tuple(_value(kind, one) for kind, one in zip(kinds, stored, strict=True))


def _record(kind: type, stored: Mapping[str, Any]) -> object:
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind) if one.init and one.name in stored]
    return kind(**{name: _value(hints[name], stored[name]) for name in names})
