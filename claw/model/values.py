"""Frozen values with changes: what `dataclasses.replace` does, in a tenth of the time.

A run has about fifty fields, and each step of it makes another one. ``replace`` calls
``__init__``, which sets a frozen value's fields one by one through ``object.__setattr__``.
Here each class has a twin with the same slots that is not frozen: a copy is made as one of
the twin's, by a function that names all fields, those that change among them, and becomes one
of the class when all of it is set. For classes with slots, no base but ``object``, and
without ``__post_init__``.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import replace

    __all__ = ["replace", "twin"]
else:
    T = TypeVar("T")

    def replace(value: T, /, **changes: Any) -> T:
        """Return a copy of a frozen value with other contents in some fields.

        Raises:
            AttributeError: It has no such field.
        """
        copier = _copiers.get((type(value), *changes))
        if copier is None:
            copier = _copiers[type(value), *changes] = _copier(type(value), tuple(changes))
        return copier(value, *changes.values())

    _copiers: dict[tuple[Any, ...], "Callable[..., Any]"] = {}
    """By class, and the fields that change, in the order in which they are said."""

    def _copier(kind: type, names: tuple[str, ...]) -> "Callable[..., Any]":
        """Return what copies a value with other contents in some fields."""
        for name in set(names).difference(kind.__slots__):
            raise AttributeError(f"{kind.__name__} has no field {name!r}")
        lines = [
            f"_made.{name} = {name if name in names else f'_old.{name}'}"
            for name in kind.__slots__
        ]
        lines = ["_made = _make()", *lines, "_made.__class__ = _kind", "return _made"]
        scope = {"_make": twin(kind), "_kind": kind}
        body = "".join(f"    {line}\n" for line in lines)
        exec(f"def copy({', '.join(('_old', *names))}):\n{body}", scope)  # noqa: S102
        return scope["copy"]


@cache
def twin(kind: type) -> Any:
    """Return a class with the same slots as a frozen one, of which values can be set.

    When all of it is set, assign the frozen class to its ``__class__``.
    """
    return type(f"{kind.__name__}Twin", (), {"__slots__": kind.__slots__})  # type: ignore[attr-defined]
