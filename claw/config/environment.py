"""Kinds of values that are about the environment of a program."""

import re

from claw.config.kinds import (
    LINE,
    Kind,
    MistakesError,
    Step,
    argument,
    parse_items,
    plain,
    show,
    unlike,
)
from claw.model import reference

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def env_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an environment variable, or None."""
    if not _ENV_NAME.fullmatch(name):
        return f"{show(name)} is no environment name: letters, digits and '_' only"
    if name.startswith("CLAW_"):
        return f"{show(name)}: names that begin with CLAW_ are set by claw itself"
    return None


def _env_name(value: object) -> str:
    name = plain(value)
    problem = env_name_problem(name)
    if problem:
        raise ValueError(problem)
    return name


ENV_NAME = Kind("name", _env_name, {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})


def _env(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise unlike('a table of texts, like { NAME = "value" },', value)
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for name, text in value.items():
        problem = env_name_problem(name) or _env_value_problem(name, text)
        if problem:
            wrong.append(((name,), problem))
    if wrong:
        raise MistakesError(wrong)
    return tuple(sorted(value.items()))


def _env_value_problem(name: str, value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'a text is expected: write "{show(value)}", in quotes'
    try:
        written = argument(value)
        argument(f"{name}={written}")
    except ValueError as error:
        return str(error)
    return reference.problem(written)


ENV = Kind(
    "table of texts",
    _env,
    {"type": "object", "additionalProperties": {"type": "string"}},
    refers=True,
)


def _referring(value: object) -> str:
    text = LINE.parse(value)
    problem = reference.problem(text)
    if problem:
        raise ValueError(problem)
    return text


REFERRING = Kind("text", _referring, LINE.schema, refers=True)
"""A line in which something may stand for a value that is kept elsewhere."""


def _inherit(value: object) -> tuple[str, ...]:
    if value in ("*", ["*"]):
        return ("*",)
    if not isinstance(value, list):
        raise unlike('a list of names, or "*" for all,', value)
    return parse_items(ENV_NAME, value)


INHERIT = Kind(
    'list of names, or `"*"`',
    _inherit,
    {"anyOf": [{"const": "*"}, {"type": "array", "items": dict(ENV_NAME.schema)}]},
)
