"""Frozen values, made and changed quickly: what `dataclasses` does, in a fraction of the time.

A run has about fifty fields, and each step of it makes another one. ``__init__``, which
`dataclasses.replace` calls too, sets a frozen value's fields one by one through
``object.__setattr__``. Here each class has a twin with the same slots that is not frozen: a
value is made as one of the twin's, by a function that names all fields, and becomes one of
the class when all of it is set. For classes with slots, no base but ``object``, and without
``__post_init__``.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import replace

    __all__ = ["quick", "replace", "twin"]
else:

    def replace(value: T, /, **changes: Any) -> T:
        """Return a copy of a frozen value with other contents in some fields.

        Raises:
            AttributeError: It has no such field.
        """
        copier = _copiers.get((type(value), *changes))
        if copier is None:
            copier = _copiers[type(value), *changes] = _copier(type(value), tuple(changes))
        return copier(value, *changes.values())

    _copiers: dict[tuple[Any, ...], Callable[..., Any]] = {}
    """By class, and the fields that change, in the order in which they are said."""

    def _copier(kind: type, names: tuple[str, ...]) -> Callable[..., Any]:
        """Return what copies a value with other contents in some fields."""
        for name in set(names).difference(kind.__slots__):
            raise AttributeError(f"{kind.__name__} has no field {name!r}")
        lines = [
            f"_made.{name} = {name if name in names else f'_old.{name}'}"
            for name in kind.__slots__
        ]
        lines = ["_made = _make()", *lines, "_made.__class__ = _kind", "return _made"]
        scope = {"_make": twin(kind), "_kind": kind}
        return _function(f"copy({', '.join(('_old', *names))})", lines, scope)


def quick(kind: type[T]) -> type[T]:
    """Give a frozen dataclass an ``__init__`` that does the same sooner.

    Its fields have no ``default_factory``.
    """
    every = fields(kind)  # type: ignore[arg-type]
    head = ["_made", *(_taken(one) for one in every if not one.kw_only)]
    head += ["*", *(_taken(one) for one in every if one.kw_only)]
    lines = [f"_made.{one.name} = {one.name}" for one in every]
    lines = ["_become(_made, _twin)", *lines, "_made.__class__ = _kind"]
    scope = {"_become": _become, "_twin": twin(kind), "_kind": kind}  # type: ignore[arg-type]
    scope |= {f"_default_{one.name}": one.default for one in every}
    head = head[:-1] if head[-1] == "*" else head
    kind.__init__ = _function(f"__init__({', '.join(head)})", lines, scope)  # type: ignore[method-assign]
    return kind


def _taken(field: Field[Any]) -> str:
    """Return how a field is written among those that ``__init__`` takes."""
    name = field.name
    return name if field.default is MISSING else f"{name}=_default_{name}"


_become = object.__dict__["__class__"].__set__
"""Makes a value one of another class, though it is frozen."""


def _function(head: str, lines: list[str], scope: dict[str, Any]) -> Callable[..., Any]:
    """Return the function of such lines."""
    body = "".join(f"    {line}\n" for line in lines)
    exec(f"def {head}:\n{body}", scope)  # noqa: S102
    made: Callable[..., Any] = scope[head.partition("(")[0]]
    return made


@cache
def twin(kind: type) -> Any:
    """Return a class with the same slots as a frozen one, of which values can be set.

    When all of it is set, assign the frozen class to its ``__class__``.
    """
    return type(f"{kind.__name__}Twin", (), {"__slots__": kind.__slots__})  # type: ignore[attr-defined]
