"""From what `claw.config.keys.watch` says of a job to values."""

from claw.config.check import Values
from claw.config.keys.watch import AlertKeys
from claw.model.alerts import Alerting


def alerting(values: Values) -> Alerting:
    """Return what a job's people want to be told of."""
    on = values.table("alerts")[AlertKeys.on]
    return Alerting(on=None if on is None else frozenset(on))
