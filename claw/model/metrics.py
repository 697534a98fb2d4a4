"""Every metric that ``clawctl metrics`` shows: its name, what it counts, by which labels.

The one table of them. The master fills it, docs/metrics.md is written from it, and a test
holds the dashboard and the alert rules of contrib/ against it. Names and units are as
Prometheus has them: https://prometheus.io/docs/practices/naming/. ``job`` and ``instance``
are labels of Prometheus itself, so ours have other names.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"  # a sum and a count


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its time series."""
        if self.kind is Kind.SUMMARY:
            return f"{self.name}_sum", f"{self.name}_count"
        return (self.name,)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"claw_{name}", Kind.GAUGE, text, labels)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"claw_{name}", Kind.COUNTER, text, labels)


_INSTANCE = ("job_name", "instance_no")

_JOBS = (
    _gauge("jobs", "Jobs of the configuration.", "type"),
    _gauge("jobs_in_state", "Jobs, or instances of jobs, that are in a state.", "state"),
    _gauge("jobs_overdue", "Jobs of which a run should have begun, or be over, by now."),
    _gauge("job_state", "1 for the state that a job is in.", *_INSTANCE, "state"),
    _gauge("job_up", "Whether a service's process lives and is not ill.", *_INSTANCE),
    _gauge("job_healthy", "Whether a service's health check passes.", *_INSTANCE),
    _gauge(
        "job_started_timestamp_seconds",
        "When the job's present process was started.",
        *_INSTANCE,
    ),
    _gauge("job_enabled", "Whether new runs of the job may begin, as configured.", "job_name"),
    _gauge("job_next_run_timestamp_seconds", "When the job's next run is due.", "job_name"),
    _gauge("job_last_run_timestamp_seconds", "When the job's last run ended.", "job_name"),
    _gauge(
        "job_last_run_success",
        "Whether the job's last run succeeded; none if somebody ended it.",
        "job_name",
    ),
    _gauge("job_last_run_duration_seconds", "How long the job's last run took.", "job_name"),
    _gauge(
        "job_last_success_timestamp_seconds",
        "When a run of the job ended well the last time.",
        "job_name",
    ),
    _gauge("alerts", "Alerts that stand; those of the daemon have no job.", "kind", "job_name"),
    _gauge(
        "sla_success_ratio",
        "Of the runs within `sla.period`, how many passed; of jobs with an `sla`.",
        "job_name",
    ),
    _gauge("sla_budget_failures", "Failures that the error budget allows.", "job_name"),
    _gauge("sla_budget_spent_failures", "Failures of the error budget's period.", "job_name"),
)

_RUNS = (
    _counter("runs_total", "Runs that have ended.", "job_name", "state"),
    Metric(
        "claw_run_duration_seconds",
        Kind.SUMMARY,
        "Time that runs have taken from their first start to their end, retries included.",
        ("job_name",),
    ),
    _counter("attempts_total", "Processes of runs that were started.", "job_name"),
    _counter(
        "restarts_total",
        "Processes of services that followed another one that ended.",
        "job_name",
    ),
    _counter("retries_total", "Times that a run was put back to be tried again.", "job_name"),
    _counter("events_total", "Events on record: `clawctl events`.", "type"),
    _gauge("runs_active", "Runs that are under way.", "job_name"),
    _gauge("runs_queued", "Runs that wait for their turn or their time.", "job_name"),
    _gauge("queue_open_runs", "Runs that are not over."),
    _gauge("queue_open_runs_limit", "`daemon.max_queue`."),
    _gauge("queue_runs_to_come", "Runs of large batches that are still to be made."),
    _gauge("queue_parallel_runs", "Runs under way, services not counted."),
    _gauge("queue_parallel_runs_limit", "`daemon.max_parallel`."),
    _gauge("queue_oldest_wait_seconds", "How long the run waits that was due first."),
    _gauge("queue_paused", "1 for each part of the queue that is held back.", "what"),
    _gauge("pool_slots", "Slots of a pool.", "pool"),
    _gauge("pool_slots_used", "Slots of a pool that runs hold.", "pool"),
    _gauge("pool_queued_runs", "Runs that wait and need the pool.", "pool"),
    _gauge("dead_letters", "Runs that failed for good and wait for somebody.", "job_name"),
    _gauge("approvals_pending", "Runs that wait for somebody's approval.", "job_name"),
)

_MESSAGES = (
    _gauge("deliveries", "Messages in the outbox.", "channel", "state"),
    _counter("deliveries_dropped_total", "Messages that were dropped.", "channel"),
)

_DAEMON = (
    _gauge("build_info", "1, with the versions.", "version", "python"),
    _gauge("start_time_seconds", "When this program of the daemon was started."),
    _gauge("config_files_changed", "Whether the files differ from what is loaded."),
    _gauge("supervisors", "Supervisor processes that are known."),
    _gauge("supervisors_silent", "Those that have not answered for more than 75 s."),
    _gauge("store_failing", "Whether the last write to the database failed."),
    _gauge("backup_last_timestamp_seconds", "When the newest backup was made."),
    _gauge("backup_interval_seconds", "`backup.every`; none if none is made by itself."),
    _gauge("database_bytes", "Size of the database's files.", "file"),
    _gauge("disk_free_bytes", "Room on the disk of a folder, for the daemon.", "folder"),
    _gauge("disk_size_bytes", "Size of that disk.", "folder"),
    _gauge("disk_free_files", "Files that can still be made there.", "folder"),
    _counter("process_cpu_seconds_total", "Processor time of the daemon itself."),
    _gauge("process_resident_memory_bytes", "Memory of the daemon itself."),
    _gauge("process_open_fds", "Descriptors that the daemon has open."),
    _gauge("process_max_fds", "Descriptors that it may open."),
)

GROUPS = {
    "Jobs": _JOBS,
    "Runs and the queue": _RUNS,
    "Messages": _MESSAGES,
    "The daemon": _DAEMON,
}
"""All metrics, as they are shown and documented."""

METRICS = {one.name: one for group in GROUPS.values() for one in group}
"""All metrics by name."""
