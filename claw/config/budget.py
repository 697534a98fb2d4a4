"""The error budget of a job's ``sla``: ``{ period = "week", failures = 3 }``."""

from claw.config import kinds
from claw.config.kinds import Kind, nearest, show, unlike
from claw.model.sla import TALLY_S, Budget

_PERIOD = kinds.one_of("day", "week", "month")
_FAILURES = kinds.integer(1, 1_000_000)
_KEYS = ["period", "failures"]


def _budget(value: object) -> Budget:
    if not isinstance(value, dict):
        raise unlike('a table like { period = "week", failures = 3 }', value)
    for key in value:
        if key not in _KEYS:
            raise ValueError(f"unknown key {show(key)}{nearest(str(key), _KEYS)}")
    for key in _KEYS:
        if key not in value:
            raise ValueError(f'{key} is missing: {{ period = "week", failures = 3 }}')
    return Budget(
        period=_PERIOD.parse(value["period"]), failures=_FAILURES.parse(value["failures"])
    )


BUDGET = Kind(
    "table",
    _budget,
    {
        "type": "object",
        "additionalProperties": False,
        "required": _KEYS,
        "properties": {"period": dict(_PERIOD.schema), "failures": dict(_FAILURES.schema)},
    },
)


def _percent(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unlike("a number up to 100, without quotes,", value)
    if not 0 < value <= _ALL:
        raise ValueError(f"more than 0 and at most 100, not {show(value)}")
    return float(value)


_ALL = 100
PERCENT = Kind("number", _percent, {"type": "number", "exclusiveMinimum": 0, "maximum": _ALL})


def _period(value: object) -> float:
    seconds = kinds.DURATION.parse(value)
    if not TALLY_S <= seconds <= _LONGEST_S:
        raise ValueError(f"from 15m to 366d, not {show(value)}")
    return seconds


_LONGEST_S = 366 * 86400.0
PERIOD = Kind("duration", _period, kinds.DURATION.schema)
