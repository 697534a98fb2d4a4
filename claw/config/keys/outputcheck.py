"""The kind of ``checks``: what is looked for in the output of a run that has ended."""

from collections.abc import Callable, Mapping

from claw.config import kinds
from claw.config.keys.probe import PATTERN
from claw.config.kinds import Kind, MistakesError, nearest, unlike
from claw.model.outputcheck import BOTH, Check, Then

_make_check: Callable[..., Check] = Check
_STREAMS = (BOTH, "stdout", "stderr")
_KINDS: Mapping[str, Kind[object]] = {
    "match": PATTERN,  # type: ignore[dict-item]
    "stream": kinds.one_of(*_STREAMS),  # type: ignore[dict-item]
    "then": kinds.member_of(Then),  # type: ignore[dict-item]
}


def _check(value: object) -> Check:
    if not isinstance(value, dict):
        raise unlike('a table like { match = "Traceback", then = "fail" }', value)
    if "match" not in value:
        raise ValueError('match is missing: what is looked for, like match = "Traceback"')
    return _make_check(**{key: _part(key, one) for key, one in value.items()})


def _part(key: str, value: object) -> object:
    kind = _KINDS.get(key)
    if kind is None:
        raise MistakesError([((key,), f"unknown key{nearest(key, list(_KINDS))}")])
    try:
        return kind.parse(value)
    except ValueError as error:
        raise MistakesError([((key,), str(error))]) from None


CHECK = Kind(
    "table",
    _check,
    {
        "type": "object",
        "properties": {key: dict(kind.schema) for key, kind in _KINDS.items()},
        "required": ["match"],
        "additionalProperties": False,
    },
)
