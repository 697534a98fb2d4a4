"""From what `claw.config.keys.watch` says of a job to values."""

from collections.abc import Iterator
from typing import Any

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.config.keys.watch import AlertKeys, SlaKeys
from claw.config.locate import Path
from claw.config.table import Field
from claw.model.alerts import Alerting
from claw.model.job import JobType
from claw.model.sla import Sla

_PROMISES: tuple[Field[object], ...] = (  # type: ignore[assignment]
    SlaKeys.success_rate,
    SlaKeys.tolerance,
    SlaKeys.max_duration,
    SlaKeys.max_consecutive_failures,
    SlaKeys.error_budget,
)
_TIMED = (JobType.SCHEDULED, JobType.ONESHOT)


def values_of(values: Values, kind: JobType) -> dict[str, Any]:
    """Return the values of a job that are about what goes wrong with it.

    Args:
        values: What its table says.
        kind: Its type: what belongs to another one comes from ``[defaults]``, and is left out.
    """
    is_service = kind is JobType.CONTINUOUS
    return {
        "alerts": alerting(values),
        "sla": None if is_service else sla_of(values),
        "overdue_after_s": values[JobKeys.overdue_after] if kind in _TIMED else None,
        "ping": None if is_service else values[JobKeys.ping],
        "success_within_s": None if is_service else values[JobKeys.success_within],
    }


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield a promise that holds nothing."""
    if not values.says_table("sla"):
        return
    table = values.table("sla")
    if kind is JobType.CONTINUOUS:
        yield ("sla",), "a continuous job has one run, from start to stop: remove it"
    elif all(table[field] is None for field in _PROMISES):
        names = ", ".join(field.name for field in _PROMISES)
        yield ("sla",), f"nothing is promised: add one of {names}, or remove it"


def alerting(values: Values) -> Alerting:
    """Return what a job's people want to be told of."""
    table = values.table("alerts")
    on = table[AlertKeys.on]
    return Alerting(
        on=None if on is None else frozenset(on),
        channel=table[AlertKeys.channel],
        to=table[AlertKeys.to],
    )


def sla_of(values: Values) -> Sla | None:
    """Return what is promised of a job; None when it has no such table."""
    table = values.table("sla")
    if table.is_empty:
        return None
    return Sla(
        success_rate=table[SlaKeys.success_rate],
        tolerance_s=table[SlaKeys.tolerance],
        max_duration_s=table[SlaKeys.max_duration],
        max_consecutive_failures=table[SlaKeys.max_consecutive_failures],
        error_budget=table[SlaKeys.error_budget],
        period_s=table[SlaKeys.period],
    )
