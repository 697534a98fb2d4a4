"""What is read and shown of jobs beside their runs: instances, rollouts, alerts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from claw.master.engine import slots
from claw.model.alerts import Alert, AlertKind
from claw.model.gates import InstanceStanding
from claw.model.job import Job
from claw.model.pings import Ping
from claw.model.rollout import Rollout
from claw.model.run import Run
from claw.model.timing import Timing
from claw.store.records import Tx

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The rows of instances, by job and number, and of rolling restarts, by job."""

    standings: Mapping[tuple[str, int], InstanceStanding] = field(default_factory=dict)
    last_runs: Mapping[tuple[str, int], Run] = field(default_factory=dict)
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)
    timings: Mapping[str, Timing] = field(default_factory=dict)
    alerts: Mapping[str, Sequence[Alert]] = field(default_factory=dict)  # that stand, by job
    pings: Mapping[str, Ping] = field(default_factory=dict)  # by job

    def watched(self, job: str) -> Json:
        """Return the kinds of a job's alerts, and the last call to its dead-man's switch."""
        return {
            "alerts": [alert.kind for alert in self.alerts.get(job, ())],
            "ping": ping_object(self.pings.get(job)),
        }

    def why_of(self, job: Job, state: str, why: str | None, now: datetime) -> str | None:
        """Return why a job is as it is, and that it is late, or left alone after errors."""
        known = self.timings.get(job.name)
        if why is None and state == "scheduled" and known is not None and job.error_backoff:
            why = slots.left_alone_why(known, now)
        return self._late_why(job.name, why)

    def _late_why(self, job: str, why: str | None) -> str | None:
        """Return what of a job is late, as its alerts say, and after it why it is as it is."""
        late = [alert.text for alert in self.alerts.get(job, ()) if alert.kind in _LATE]
        return "; ".join([*late, why] if why else late) or None


def read(tx: Tx, names: Collection[str] | None = None) -> Parts:
    """Read the rows of some jobs; None: of all."""
    if names is None:
        standings, rollouts = tx.instances(), tx.rollouts()
    else:
        standings = {key: one for name in names for key, one in tx.instances(name).items()}
        rolling = {name: tx.rollout(name) for name in names}
        rollouts = {name: one for name, one in rolling.items() if one is not None}
    timings = tx.timings() if names is None else {name: tx.timing(name) for name in names}
    runs = {key: tx.run(one.last_run) for key, one in standings.items() if one.last_run}
    return Parts(
        standings=standings,
        last_runs={key: run for key, run in runs.items() if run is not None},
        rollouts=rollouts,
        timings=timings,
        alerts=_alerts(tx, names),
        pings=_pings(tx, names),
    )


def _alerts(tx: Tx, names: Collection[str] | None) -> dict[str, list[Alert]]:
    found: dict[str, list[Alert]] = {}
    if names is None:
        stand = tx.all_standing_alerts()
    else:
        stand = tuple(alert for name in names for alert in tx.standing_alerts(name))
    for alert in stand:
        if alert.job is not None:
            found.setdefault(alert.job, []).append(alert)
    return found


_LATE = frozenset({AlertKind.OVERDUE, AlertKind.STALE})


def _pings(tx: Tx, names: Collection[str] | None) -> dict[str, Ping]:
    if names is None:
        return tx.pings()
    return {name: ping for name in names for ping in tx.pings(name).values()}


def ping_object(ping: Ping | None) -> Json | None:
    """Return what is shown of the last call to a job's dead-man's switch."""
    if ping is None:
        return None
    return {
        "kind": ping.kind,
        "run": ping.run,
        "asked_at": ping.asked_at.isoformat(),
        "done_at": None if ping.done_at is None else ping.done_at.isoformat(),
        "problem": ping.problem,
    }


def rollout_object(rolling: Rollout | None) -> Json | None:
    """Return what is shown of a rolling restart."""
    if rolling is None:
        return None
    return {
        "why": rolling.why,
        "by": rolling.by,
        "at": rolling.at.isoformat(),
        "batch": rolling.batch,
        "todo": list(rolling.todo),
        "busy": [one.instance for one in rolling.busy],
        "done": list(rolling.done),
        "failed": rolling.failed,
    }


def rolling_why(rolling: Rollout | None, instance: int | None) -> str | None:
    """Return what a rolling restart means to an instance that it has not come to yet."""
    if rolling is None or instance not in rolling.todo:
        return None
    if rolling.failed is not None:
        return f"not restarted, because another one failed: {rolling.failed}"
    return "waits for its turn to be restarted"
