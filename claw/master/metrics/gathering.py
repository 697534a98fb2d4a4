"""The figures of all metrics: read in one look at the store, worked out without waiting.

`Reading` is what was read; `values` makes of it what `claw.model.metrics` lists.
"""

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import claw
from claw.kernel import reading
from claw.master.engine import sla
from claw.master.views import jobrows, queueview
from claw.master.views.jobrows import Look
from claw.master.wiring import Json
from claw.model.alerts import Alert, AlertKind
from claw.model.home import Home
from claw.model.job import Config, Job, JobType
from claw.model.root import is_root
from claw.model.run import FINAL, Run, State
from claw.model.sla import Score
from claw.model.tally import OTHERS, Tally
from claw.store.records import Tx

Sample = tuple[tuple[str, ...], float]
"""The values of the labels, and the figure."""
Named = tuple[str, tuple[str, ...], float]
"""A metric without ``claw_``, and a sample of it; of a summary one with `_sum`, `_count`."""

_STATES = (
    "running", "starting", "unhealthy", "backoff", "unresponsive", "stopping", "stopped",
    "paused", "exited", "fatal", "scheduled", "planned", "waiting", "done", "failed",
    "disabled",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the store says."""

    look: Look
    tallies: Sequence[Tally]
    budgets: Json
    active: Mapping[str, int]
    pending: Mapping[str, int]  # approvals, by job
    dead: Mapping[str, int]
    alerts: Sequence[Alert]
    paused: Iterable[str]
    deliveries: Mapping[str, Mapping[str, int]]
    dropped: Mapping[str, int]
    scores: Mapping[str, Score]
    sids: Sequence[str]


def read(tx: Tx, config: Config, now: datetime) -> Reading:
    """Read all of it."""
    return Reading(
        look=jobrows.look(tx),
        tallies=tx.event_tallies(),
        budgets=queueview.budgets(tx, config, now),
        active=tx.begun_counts(now),
        pending=tx.pending_counts(),
        dead=tx.dead_counts(),
        alerts=tx.all_standing_alerts(),
        paused=tuple(tx.pauses()),
        deliveries=tx.delivery_counts(),
        dropped=tx.dropped(),
        scores={job.name: sla.score(tx, job, now) for job in config.jobs if job.sla},
        sids=[one.sid for one in tx.open_supervisors()],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is known beside the store."""

    now: datetime
    started_at: datetime
    is_changed: bool  # the files of the configuration
    is_failing: bool  # the store
    silent: int  # supervisors
    last_backup_at: datetime | None


def values(
    config: Config, found: Reading, shown: Sequence[Json], live: Live
) -> dict[str, list[Sample]]:
    """Return the figures of all metrics but those of processes and disks.

    Args:
        config: In force.
        found: What the store says.
        shown: The jobs as ``status`` has them.
        live: What else is known.
    """
    result: dict[str, list[Sample]] = {}
    for part in (
        _of_states(config, shown),
        _of_last_runs(config, found.look.last_runs),
        _of_alerts(found.alerts),
        _of_promises(config, found.scores),
        _of_tallies(config, found.tallies),
        _of_queue(config, found, live.now),
        _of_messages(found),
        _of_daemon(found, live),
        _of_backups(config, live),
    ):
        for name, labels, value in part:
            result.setdefault(f"claw_{name}", []).append((labels, float(value)))
    return result


def _of_states(config: Config, shown: Sequence[Json]) -> Iterator[Named]:
    types = Counter(str(job.type) for job in config.jobs)
    states = Counter(str(each["state"]) for each in shown)
    for kind in JobType:
        yield "jobs", (kind,), types[kind]
    for state in _STATES:
        yield "jobs_in_state", (state,), states[state]
    for each in shown:
        yield from _of_job(each)
    for job in config.jobs:
        yield "job_enabled", (job.name,), job.enabled


def _of_job(shown: Json) -> Iterator[Named]:
    """Yield the figures of a job, or of an instance."""
    name, instance = str(shown["job"]), shown["instance"]
    labels = (name, "" if instance is None else str(instance))
    yield "job_state", (*labels, shown["state"]), 1
    if shown["type"] == JobType.CONTINUOUS:
        yield "job_up", labels, shown["pid"] is not None and shown["state"] in _UP
    if shown["health"] is not None:
        yield "job_healthy", labels, shown["health"] == "healthy"
    if shown["started_at"] is not None:
        started_at = datetime.fromisoformat(shown["started_at"])
        yield "job_started_timestamp_seconds", labels, started_at.timestamp()
    if shown["next_at"] is not None and instance in {None, 1}:
        next_at = datetime.fromisoformat(shown["next_at"])
        yield "job_next_run_timestamp_seconds", (name,), next_at.timestamp()


_UP = {"running", "starting", "stopping"}


def _of_last_runs(config: Config, last_runs: Mapping[str, Run]) -> Iterator[Named]:
    for name, run in last_runs.items():
        job = config.job(name)
        if job is None or job.transient is not None or run.ended_at is None:
            continue
        yield "job_last_run_timestamp_seconds", (name,), run.ended_at.timestamp()
        if run.state is not State.CANCELED:  # that somebody ended it is no failure
            yield "job_last_run_success", (name,), run.state is State.SUCCEEDED
        if run.started_at is not None:
            took_s = (run.ended_at - run.started_at).total_seconds()
            yield "job_last_run_duration_seconds", (name,), took_s


def _of_alerts(alerts: Sequence[Alert]) -> Iterator[Named]:
    counts = Counter((alert.kind, alert.job or "") for alert in alerts)
    for labels, count in sorted(counts.items()):
        yield "alerts", labels, count
    overdue = {alert.job for alert in alerts if alert.kind == AlertKind.OVERDUE}
    yield "jobs_overdue", (), len(overdue)


def _of_promises(config: Config, scores: Mapping[str, Score]) -> Iterator[Named]:
    for name, score in scores.items():
        job = config.job(name)
        if score.rate is not None:
            yield "sla_success_ratio", (name,), score.rate / 100.0
        if job is not None and job.sla is not None and job.sla.error_budget is not None:
            yield "sla_budget_failures", (name,), job.sla.error_budget.failures
            yield "sla_budget_spent_failures", (name,), score.spent


def _of_tallies(config: Config, tallies: Sequence[Tally]) -> Iterator[Named]:
    events: Counter[str] = Counter()
    by_job: dict[str, dict[str, Tally]] = {}
    for one in tallies:
        events[one.type] += one.count
        by_job.setdefault(one.job, {})[one.type] = one
    for kind, count in sorted(events.items()):
        yield "events_total", (kind,), count
    for job in config.jobs:
        yield from _of_tallied(job.name, job, by_job.get(job.name, {}))
    yield from _of_tallied(OTHERS, None, by_job.get(OTHERS, {}))


def _of_tallied(name: str, job: Job | None, known: Mapping[str, Tally]) -> Iterator[Named]:
    counts = {kind: one.count for kind, one in known.items()}
    for state in _ENDS:
        if state in _ALWAYS or f"run.{state}" in counts:
            yield "runs_total", (name, state), counts.get(f"run.{state}", 0)
    ends = [known[kind] for state in _ENDS if (kind := f"run.{state}") in known]
    yield "run_duration_seconds_count", (name,), sum(one.timed for one in ends)
    yield "run_duration_seconds_sum", (name,), sum(one.seconds for one in ends)
    begun = counts.get("attempt.started", 0)
    yield "attempts_total", (name,), begun
    yield "retries_total", (name,), counts.get("run.retry_wait", 0)
    if job is not None and job.type is JobType.CONTINUOUS:
        yield "restarts_total", (name,), max(begun - counts.get("run.running", 0), 0)
    succeeded = known.get("run.succeeded")
    if succeeded is not None and job is not None:
        at = succeeded.last_at.timestamp()
        yield "job_last_success_timestamp_seconds", (name,), at


_ENDS = tuple(sorted(FINAL))
_ALWAYS = {State.SUCCEEDED, State.FAILED}
"""Shown from the first, so that the first failure is an increase."""


def _of_queue(config: Config, found: Reading, now: datetime) -> Iterator[Named]:
    budgets, queued = found.budgets, found.look.queued
    for job in config.jobs:
        yield "runs_active", (job.name,), found.active.get(job.name, 0)
        yield "runs_queued", (job.name,), queued.get(job.name, 0)
    yield "runs_active", (OTHERS,), _by_known(config, found.active)[OTHERS]
    yield "runs_queued", (OTHERS,), _by_known(config, queued)[OTHERS]
    yield "queue_open_runs", (), budgets["open"]
    yield "queue_open_runs_limit", (), budgets["max_queue"]
    yield "queue_runs_to_come", (), budgets["to_come"]
    yield "queue_parallel_runs", (), budgets["running"]
    yield "queue_parallel_runs_limit", (), budgets["max_parallel"]
    yield "queue_oldest_wait_seconds", (), _oldest_wait_s(found.look, now)
    for what in found.paused:
        yield "queue_paused", (what,), 1
    for pool in budgets["pools"]:
        yield "pool_slots", (pool["name"],), pool["slots"]
        yield "pool_slots_used", (pool["name"],), pool["held"]
        yield "pool_queued_runs", (pool["name"],), pool["waiting"]
    for name, counts in (("dead_letters", found.dead), ("approvals_pending", found.pending)):
        for job_name, count in _by_known(config, counts).items():
            yield name, (job_name,), count


def _by_known(config: Config, counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by job, those of jobs that the configuration does not have as one."""
    known, result = {job.name for job in config.jobs}, {OTHERS: 0}
    for name, count in counts.items():
        name = name if name in known else OTHERS  # noqa: PLW2901
        result[name] = result.get(name, 0) + count
    return result


def _oldest_wait_s(look: Look, now: datetime) -> float:
    waiting = (
        (now - run.due_at).total_seconds()
        for runs in look.open_runs.values()
        for run in runs
        if run.state is State.QUEUED and not is_root(run)
    )
    return max(0.0, max(waiting, default=0.0))


def _of_messages(found: Reading) -> Iterator[Named]:
    for channel, counts in found.deliveries.items():
        for state, count in counts.items():
            yield "deliveries", (channel, state), count
    for channel, count in found.dropped.items():
        yield "deliveries_dropped_total", (channel,), count


def _of_daemon(found: Reading, live: Live) -> Iterator[Named]:
    yield "build_info", (claw.__version__, platform.python_version()), 1
    yield "start_time_seconds", (), live.started_at.timestamp()
    yield "config_files_changed", (), live.is_changed
    yield "supervisors", (), len(found.sids)
    yield "supervisors_silent", (), live.silent
    yield "store_failing", (), live.is_failing


def _of_backups(config: Config, live: Live) -> Iterator[Named]:
    if live.last_backup_at is not None:
        yield "backup_last_timestamp_seconds", (), live.last_backup_at.timestamp()
    if config.backup.every_s:
        yield "backup_interval_seconds", (), config.backup.every_s


def of_disks(home: Home) -> dict[str, list[Sample]]:
    """Return how much room there is; what cannot be looked at is left out."""
    result: dict[str, list[Sample]] = {}
    for label, folder in (("state", home.state), ("log", home.log)):
        try:
            disk = os.statvfs(folder)
        except OSError:
            continue
        for name, value in (
            ("claw_disk_free_bytes", disk.f_bavail * disk.f_frsize),
            ("claw_disk_size_bytes", disk.f_blocks * disk.f_frsize),
            ("claw_disk_free_files", disk.f_favail),
        ):
            result.setdefault(name, []).append(((label,), float(value)))
    for label, suffix in (("database", ""), ("wal", "-wal")):
        try:
            size = reading.facts_of(home.database + suffix).st_size
        except OSError:
            continue
        result.setdefault("claw_database_bytes", []).append(((label,), float(size)))
    return result
