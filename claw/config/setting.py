"""``key=value``, ``key+=value``, ``key-=value``, ``key=``: changes of one job's table.

What a text means is told by the kind of the key that it is for: ``30s`` for a duration, ``3``
for a number, ``a,b`` for a list.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from claw.config import fields
from claw.config.check import hint
from claw.config.kinds import Kind
from claw.config.merge import INSTEAD
from claw.config.table import Field, Section
from claw.errors import UsageError

Table = dict[str, object]


class Op(StrEnum):
    """What a change does to a key."""

    SET = "="
    ADD = "+="
    TAKE = "-="
    UNSET = "unset"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one key; a text is read as the key's kind has it."""

    key: tuple[str, ...]
    op: Op
    value: object = None


def read(text: str) -> Change:
    """Return the change that a word like ``tags+=blue`` asks for.

    Raises:
        UsageError: It is none.
    """
    key, equals, value = text.partition("=")
    op = Op.SET
    if key[-1:] in ("+", "-"):
        key, op = key[:-1], Op.ADD if key[-1] == "+" else Op.TAKE
    if not equals or not key:
        raise UsageError(f"{text!r} is no change: write KEY=VALUE, KEY+=VALUE or KEY-=VALUE")
    if op is Op.SET and not value:
        op = Op.UNSET
    return Change(path_of(key), op, value)


def path_of(key: str) -> tuple[str, ...]:
    """Return the steps of a dotted key.

    Raises:
        UsageError: A job has no such key.
    """
    path = tuple(key.split("."))
    if not all(path):
        raise UsageError(f"{key!r} is no key: write it like restart.policy")
    section: Section = fields.JOB
    for number, step in enumerate(path):
        if step in section.tables:
            section = section.tables[step]
        elif step in section.fields:
            return path
        elif step in section.later:
            raise UsageError(f"{key}: not available yet in this version")
        else:
            where = ".".join(path[:number])
            raise UsageError(
                f"{key}: unknown key{f' of {where}' if where else ''}{hint(section, step)}"
            )
    raise UsageError(
        f"{key} is a table: name one of its keys, like {key}.{next(iter(section.fields))}"
    )


def apply(table: Table, beneath: Mapping[str, object], change: Change) -> None:
    """Change a table of managed.toml.

    Args:
        table: It.
        beneath: What the job's table says without it: to what a list is added.
        change: What is wanted.

    Raises:
        UsageError: The value does not fit the key, or there is nothing to take away.
    """
    if change.op is Op.UNSET:
        _unset(table, change.key)
        return
    holder = table
    for step in change.key[:-1]:
        nested = holder.setdefault(step, {})
        if not isinstance(nested, dict):
            nested = holder[step] = {}
        holder = cast("Table", nested)
    last, value = change.key[-1], change.value
    for other in INSTEAD.get(change.key, ()):
        holder.pop(other, None)
    if change.op is Op.SET:
        holder[last] = _typed(change.key, value) if isinstance(value, str) else value
        return
    now = holder.get(last, _look_up(beneath, change.key))
    items = _items(now, change.key)
    changed = _added if change.op is Op.ADD else _taken
    holder[last] = changed(change.key, items, value)


def _unset(table: Table, key: tuple[str, ...]) -> None:
    nested = table.get(key[0])
    if len(key) > 1 and isinstance(nested, dict):
        _unset(nested, key[1:])
        if not nested:
            del table[key[0]]
    elif len(key) == 1:
        table.pop(key[0], None)


def _look_up(table: Mapping[str, object], key: tuple[str, ...]) -> object:
    found: object = table
    for step in key:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _items(now: object, key: tuple[str, ...]) -> list[object]:
    if now is None:
        return []
    if isinstance(now, list):
        return list(now)
    if isinstance(now, str):
        return [now]
    raise UsageError(f"{'.'.join(key)} is no list: write {'.'.join(key)}=VALUE")


def _added(key: tuple[str, ...], items: list[object], value: object) -> list[object]:
    for more in _lists(value):
        made = [*items, *(one for one in more if one not in items)]
        if _problem(key, made) is None:
            return made
    raise UsageError(f"{'.'.join(key)}: {_problem(key, [*items, value])}")


def _taken(key: tuple[str, ...], items: list[object], value: object) -> list[object]:
    for gone in _lists(value):
        if gone and all(one in items for one in gone):
            return [one for one in items if one not in gone]
    raise UsageError(f"{'.'.join(key)} has no {value!r} to take away")


def _lists(value: object) -> Iterator[list[object]]:
    """Yield what items a value may be: one, or several in brackets or between commas."""
    if not isinstance(value, str):
        yield value if isinstance(value, list) else [value]
        return
    whole = _toml(value)
    if isinstance(whole, list):
        yield whole
    yield [value]
    parts: list[object] = [part.strip() for part in value.split(",") if part.strip()]
    yield parts
    yield [_toml(cast("str", part)) for part in parts]


def _typed(key: tuple[str, ...], text: str) -> object:
    """Return the first reading of a text that the key's kind takes.

    Raises:
        UsageError: There is none.
    """
    readings = list(_readings(text))
    for value in readings:
        if _problem(key, value) is None:
            return value
    literal = _toml(text)
    raise UsageError(f"{'.'.join(key)}: {_problem(key, text if literal is None else literal)}")


def _readings(text: str) -> Iterator[object]:
    literal = _toml(text)
    if text[:1] in ('"', "'", "[", "{") and literal is not None:
        yield literal
    yield text
    if literal is not None:
        yield literal
    parts: list[object] = [part.strip() for part in text.split(",")]
    if all(parts):
        yield parts
        yield [_toml(cast("str", part)) for part in parts]


def _toml(text: str) -> object:
    """Return the value that a text is in TOML; None when it is none."""
    if "\n" in text:
        return None
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except (ValueError, RecursionError):
        return None


def _problem(key: tuple[str, ...], value: object) -> str | None:
    """Return what is wrong with a key's value; None when nothing is."""
    field, rest = _field(key)
    for step in reversed(rest):
        value = {step: value}
    if rest and _needs_more(field.kind, cast("Table", value)):
        return None
    try:
        field.kind.parse(value)
    except ValueError as error:
        return str(error)
    return None


def _needs_more(kind: Kind[object], value: Table) -> bool:
    """Tell whether a table of one key could only be judged together with others."""
    try:
        kind.parse(value)
    except ValueError:
        required = kind.schema.get("required")
        return bool(required) or "anyOf" in kind.schema
    return False


def _field(key: tuple[str, ...]) -> tuple[Field[object], tuple[str, ...]]:
    section: Section = fields.JOB
    for number, step in enumerate(key):
        if step in section.fields:
            return section.fields[step], key[number + 1 :]
        section = section.tables[step]
    raise AssertionError(key)
