"""Jobs: the frozen, validated definition that the configuration yields.

Durations are seconds, sizes bytes, times aware. Every value here has passed
`claw.config`; nothing is checked again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from claw.model import backups
from claw.model.access import Roles
from claw.model.alerts import Alerting
from claw.model.approval import Approval
from claw.model.channels import AnnounceMode, Announcing, Channel
from claw.model.checks import Health, Ready, ReadyType
from claw.model.condition import Condition
from claw.model.context import Context
from claw.model.dedup import Dedup
from claw.model.graph import Dependency, Graph
from claw.model.hooks import Hook
from claw.model.keeping import Budget, FileLogMode
from claw.model.listener import Listener
from claw.model.lock import Locks
from claw.model.outlets import Outlets
from claw.model.outputcheck import Check
from claw.model.pool import OnPoolBusy, PoolUse
from claw.model.retry import Delivery, Retry, Rules
from claw.model.run import Priority
from claw.model.secrets import Settings
from claw.model.sla import Sla
from claw.model.timing import Hours
from claw.model.transient import Transient
from claw.model.transients import Transients
from claw.model.trigger import Trigger, Triggers
from claw.model.watchdog import Watchdog
from claw.model.watching import FileWatch
from claw.model.workflow import Workflow, conditions_by_job


class JobType(StrEnum):
    """When a job runs."""

    MANUAL = "manual"
    CONTINUOUS = "continuous"
    SCHEDULED = "scheduled"
    ONESHOT = "oneshot"


class Overlap(StrEnum):
    """What becomes of a run that would be one too many."""

    SKIP = "skip"
    QUEUE = "queue"
    KILL_RESTART = "kill_restart"


class CatchUp(StrEnum):
    """What becomes of slots that passed while claw could not act."""

    NONE = "none"
    ONCE = "once"
    ALL = "all"


class RestartPolicy(StrEnum):
    """Which exits of a continuous job's child are followed by another start."""

    ALWAYS = "always"
    ON_FAILURE = "on-failure"
    NEVER = "never"


class KillMode(StrEnum):
    """How much of the child's tree a stop ends."""

    TREE = "tree"
    GROUP = "group"
    PROCESS = "process"


class OnRestart(StrEnum):
    """What becomes of a running job when one that it depends on is restarted."""

    IGNORE = "ignore"
    RESTART = "restart"


class OnFailure(StrEnum):
    """What becomes of a running job when one that it depends on has failed."""

    IGNORE = "ignore"
    STOP = "stop"
    FAIL = "fail"


class Stderr(StrEnum):
    """Where a child's standard error goes."""

    MERGE = "merge"
    SEPARATE = "separate"
    DISCARD = "discard"


class Stdin(StrEnum):
    """What a child reads from its standard input."""

    NULL = "null"
    OPEN = "open"


class ResourceAction(StrEnum):
    """What happens to a tree of processes that uses more than it may."""

    WARN = "warn"
    THROTTLE = "throttle"
    RESTART = "restart"
    KILL = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a job's whole tree may use; None: as much as there is."""

    memory_bytes: int | None = None
    cpu: float | None = None  # processors
    pids: int | None = None
    action: ResourceAction = ResourceAction.RESTART

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return not (self.memory_bytes is None and self.cpu is None and self.pids is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """How a continuous job is restarted; the ladder's last delay repeats."""

    policy: RestartPolicy = RestartPolicy.ALWAYS
    delays_s: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 300)
    jitter: float = 0.1  # a delay is stretched by up to this fraction
    reset_after_s: float = 60.0
    start_limit: int = 0  # 0: never give up
    start_limit_window_s: float = 60.0


class Sink(StrEnum):
    """Where output goes besides the file that it always passes through."""

    FILE = "file"
    STDOUT = "stdout"
    JOURNAL = "journal"


class LogFormat(StrEnum):
    """How a line of output is shown and forwarded."""

    RAW = "raw"
    JSON = "json"


class OnFull(StrEnum):
    """What becomes of output that finds no room on the disk."""

    DROP = "drop"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What becomes of a child's output."""

    to: tuple[Sink, ...] = (Sink.FILE,)
    max_size: int = 50 << 20  # 0: no bound
    max_age_s: float = 0.0  # 0: no bound
    keep: int = 3
    compress: bool = True
    timestamps: bool = False
    mask_secrets: bool = False
    format: LogFormat = LogFormat.RAW
    on_full: OnFull = OnFull.DROP

    stderr: Stderr = Stderr.MERGE
    mode: int = 0o640


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, as the configuration defines it."""

    name: str
    argv: tuple[str, ...]  # `command` is resolved to this
    uses_shell: bool = False  # run arguments become "$@" of the shell
    command: str = ""  # as written, for people
    title: str = ""
    description: str = ""
    type: JobType = JobType.MANUAL
    cwd: str = ""  # empty: home of the user it runs as
    env: tuple[tuple[str, str], ...] = ()
    env_file: str = ""  # from cwd, if relative
    inherit_env: tuple[str, ...] = ("PATH", "LANG", "TZ")
    user: str = ""  # empty: the daemon's
    group: str = ""  # empty: the user's
    umask: int = 0o022
    nice: int | None = None
    limits: tuple[tuple[str, int, int], ...] = ()  # getrlimit(2): name, soft, hard; -1: none
    no_new_privs: bool = False
    oom_score_adj: int | None = None
    stdin: Stdin = Stdin.NULL
    tty: bool = False
    tags: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    enabled: bool = True
    autostart: bool = True
    success_codes: tuple[int, ...] = (0,)
    timeout_s: float = 0.0  # 0: none
    stop_signal: int = 15
    grace_period_s: float = 30.0
    stop_command: tuple[str, ...] = ()
    reload_signal: int = 1
    reload_command: tuple[str, ...] = ()
    kill_mode: KillMode = KillMode.TREE
    instances: int = 1  # of a service
    depends_on: tuple[Dependency, ...] = ()
    on_dependency_restart: OnRestart = OnRestart.IGNORE
    on_dependency_failure: OnFailure = OnFailure.IGNORE
    sockets: tuple[Listener, ...] = ()  # in the order of their descriptors, from 3 on
    max_instances: int = 1
    on_overlap: Overlap = Overlap.QUEUE
    max_queued: int = 0  # 0: no bound of its own
    priority: Priority = Priority.NORMAL
    lock: str = ""  # held while a run is active; empty: none
    pool: PoolUse | None = None
    dedup: Dedup = field(default_factory=Dedup)
    on_pool_busy: OnPoolBusy = OnPoolBusy.QUEUE
    schedule: tuple[str, ...] = ()
    timezone: str = "UTC"  # an IANA name, already resolved
    catch_up: CatchUp = CatchUp.ONCE
    catch_up_window_s: float | None = None  # None: the gap to the next slot, at most 24 h
    jitter_s: float = 0.0  # a slot's run is due up to so much later
    error_backoff: bool = False
    hours: Hours | None = None  # None: at any time
    run_at: datetime | None = None
    delete_after_run: bool = False
    ttl_s: float | None = None  # None: it stays
    restart: Restart = field(default_factory=Restart)
    ready: Ready = field(default_factory=Ready)
    health: Health | None = None  # None: nobody asks
    log: Log = field(default_factory=Log)
    output: Budget = field(default_factory=Budget)
    resources: Resources = field(default_factory=Resources)
    overdue_after_s: float | None = None  # None: not said; 0: never
    success_within_s: float | None = None
    ping: str | None = None  # URL of a dead-man's switch
    sla: Sla | None = None  # None: nothing is promised
    alerts: Alerting = field(default_factory=Alerting)
    delivery: Announcing = field(default_factory=Announcing)
    retry: Retry | None = None  # None: one attempt
    context: Context = Context.NONE  # what its children are told of earlier runs
    context_limit: int = 5
    approval: Approval | None = None  # None: its runs need none
    max_pending_approvals: int = 10
    watchdog: Watchdog | None = None  # None: what it runs is no check
    delivery_guarantee: Delivery = Delivery.AT_MOST_ONCE
    run_timeout_s: float = 0.0  # for the run with all its attempts; 0: none
    skip_code: int | None = None  # an exit status: there was nothing to do
    checks: tuple[Check, ...] = ()  # of what a run has printed
    dead_letter: bool = False  # a run that has failed for good is kept as one
    trigger: Trigger | None = None  # None: it follows no other job
    events: tuple[str, ...] = ()  # patterns: what starts it
    watch: FileWatch | None = None
    transient: Transient | None = None  # it is there for one run only
    workflow: Workflow | None = None  # its runs have steps, and no child of their own
    step_of: str = ""  # the workflow that has it for an inline step
    origin: str = ""  # who made it, if clawctl did: cli:UID
    file: str = ""  # where it is defined
    line: int = 0

    @property
    def rules(self) -> Rules:
        """What decides whether there is another attempt after a bad one."""
        return Rules(
            retry=self.retry,
            delivery=self.delivery_guarantee,
            timeout_s=self.timeout_s,
            run_timeout_s=self.run_timeout_s,
            success_codes=self.success_codes,
            skip_code=self.skip_code,
        )

    @property
    def tells(self) -> bool:
        """Whether somebody is sent messages about it."""
        is_announced = self.delivery.mode is not AnnounceMode.NONE
        return bool(is_announced or self.alerts.channel or self.alerts.to)

    @property
    def is_plain(self) -> bool:
        """Whether a run needs nothing but a pipe: then any supervisor of such runs will do.

        One who runs as another user gets a pipe of its own: whoever has been passed a pipe
        may write to it, and read from it, when the next run has it.
        """
        return (
            self.type is not JobType.CONTINUOUS
            and not (self.user or self.group)
            and not (self.tty or self.sockets or self.health or self.resources.is_limited)
            and self.stdin is Stdin.NULL
            and self.ready.type in {ReadyType.NONE, ReadyType.DELAY}
            and self.log.stderr is not Stderr.SEPARATE
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """The ``[daemon]`` and ``[control]`` tables."""

    log_level: str = "info"
    log_format: str = "text"  # text | json
    metrics_file: str = ""  # a path; empty: none is written
    metrics_interval_s: float = 15.0
    timezone: str = "UTC"  # resolved: the system's when the file says nothing
    max_parallel: int = 64
    max_queue: int = 10000
    priority_aging_s: float = 300.0  # 0: waiting raises no priority
    umask: int = 0o022
    heartbeat_s: float = 30.0
    log_total: int = 2 << 30  # 0: no bound
    on_shutdown: str = "auto"  # auto | stop | detach
    shutdown_timeout_s: float = 80.0
    essential: tuple[str, ...] = ()  # jobs whose end ends the daemon
    control_mode: int = 0o600
    token_file: str = ""  # empty: forwarded connections need no token
    roles: Roles = field(default_factory=Roles)
    file_log_mode: FileLogMode = FileLogMode.KEEP
    keep_runs: int = 1000  # that succeeded, of each job
    keep_run_age_s: float = 90 * 86400.0  # other ends; 0: for ever, as with those below
    keep_events_s: float = 180 * 86400.0
    keep_deliveries_s: float = 30 * 86400.0
    keep_dead_letters_s: float = 365 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that the files say, validated as one."""

    daemon: Daemon = field(default_factory=Daemon)
    jobs: tuple[Job, ...] = ()
    pools: tuple[tuple[str, int], ...] = ()  # name and slots
    locks: Locks = field(default_factory=Locks)
    secrets: Settings = field(default_factory=Settings)
    backup: backups.Settings = field(default_factory=backups.Settings)
    channels: tuple[Channel, ...] = ()  # by name
    hooks: tuple[Hook, ...] = ()
    files: tuple[str, ...] = ()  # read, in order
    defaults: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    digest: str = ""  # of the files' bytes: tells whether they changed
    transients: "Transients[Job]" = field(default_factory=Transients, repr=False, compare=False)
    graph: Graph = field(init=False, repr=False, compare=False)
    triggers: Triggers = field(init=False, repr=False, compare=False)
    listening: tuple[Job, ...] = field(init=False, repr=False, compare=False)
    with_sockets: tuple[Job, ...] = field(init=False, repr=False, compare=False)
    outlets: Outlets = field(init=False, repr=False, compare=False)
    _asked_by_steps: dict[str, tuple[Condition, ...]] = field(
        init=False, repr=False, compare=False
    )
    _by_name: dict[str, Job] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {job.name: job for job in self.jobs})
        graph = Graph({job.name: job.depends_on for job in self.jobs})
        object.__setattr__(self, "graph", graph)
        found = {job.name: job.trigger for job in self.jobs if job.trigger is not None}
        object.__setattr__(self, "triggers", Triggers(found))
        listening = tuple(job for job in self.jobs if job.events)
        object.__setattr__(self, "listening", listening)
        object.__setattr__(self, "with_sockets", tuple(job for job in self.jobs if job.sockets))
        is_used = bool(self.hooks) or any(job.tells for job in self.jobs)
        outlets = Outlets(self.channels, self.hooks, is_used=is_used)
        object.__setattr__(self, "outlets", outlets)
        whole = [job.workflow for job in self.jobs if job.workflow is not None]
        object.__setattr__(self, "_asked_by_steps", conditions_by_job(whole))

    def job(self, name: str) -> Job | None:
        """Return the job of that name, be it one of a single run."""
        return self._by_name.get(name) or self.transients.get(name)

    def conditions_on(self, name: str) -> tuple[Condition, ...]:
        """Return what has to be known of the output of a job's runs."""
        asked = (*self.triggers.conditions_on(name), *self._asked_by_steps.get(name, ()))
        return tuple(dict.fromkeys(asked))

    @property
    def known(self) -> tuple[Job, ...]:
        """All jobs, and those of single runs that are open."""
        return (*self.jobs, *self.transients.open) if self.transients.open else self.jobs
