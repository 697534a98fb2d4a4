"""Deduplication: of two runs that ask for the same thing within a window the second is skipped.

Off unless a job has a window. What is the same is told by ``key``, in which these stand for
what the run was asked for with: ``${1}``, ``${2}``, ... one argument, ``${*}`` all of them,
``${NAME}`` a variable of the run's or else of the job's environment; what is not there is
empty. Without a key all arguments and variables of the run count.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_PART = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"\*|[1-9][0-9]?|[A-Za-z_][A-Za-z0-9_]*")
_DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Dedup:
    """How a job's runs are held against each other."""

    window_s: float = 0.0  # 0: not at all
    key: str = ""


def key_problem(key: str) -> str | None:
    """Return what is wrong with a key's template, or None."""
    for part in _PART.findall(key):
        if not _NAME.fullmatch(part):
            return f"${{{part}}} stands for nothing: write ${{1}}, ${{*}} or ${{NAME}}"
    if "${" in _PART.sub("", key):
        return "a ${ is not closed"
    return None


def key_of(
    dedup: Dedup, args: Sequence[str], env: Mapping[str, str], common: Mapping[str, str]
) -> str:
    """Return what two runs of a job have in common that are the same.

    Args:
        dedup: Of the job.
        args: The run's own arguments.
        env: The run's own variables.
        common: Those of the job.
    """
    said: object = [list(args), sorted(env.items())]
    if dedup.key:
        said = _PART.sub(lambda part: _value(part[1], args, {**common, **env}), dedup.key)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:_DIGEST_LENGTH]


def _value(name: str, args: Sequence[str], env: Mapping[str, str]) -> str:
    if name == "*":
        return json.dumps(list(args))
    if name.isdigit():
        return args[int(name) - 1] if int(name) <= len(args) else ""
    return env.get(name, "")
