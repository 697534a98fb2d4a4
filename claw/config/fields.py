"""Every key there is: the one table that loader, checker, schema and documents fold over.

A class below is one table of the configuration and each attribute one key. A name in
``later`` is a key whose feature does not work yet: it is known, so that it is refused as
"not available yet" and not as a slip, and no document lists it. It moves up into its class
on the day it works.
"""

from claw.config import kinds, when
from claw.config.command import ARGV, COMMAND, SHELL
from claw.config.environment import ENV, INHERIT
from claw.config.keys.access import PARAM, ControlKeys, RoleKeys, RolesKeys
from claw.config.keys.approval import ApprovalKeys
from claw.config.keys.backup import BackupKeys
from claw.config.keys.channels import ChannelKeys, DeliveryKeys, HookKeys
from claw.config.keys.child import ChildKeys, ResourceKeys
from claw.config.keys.context import ContextKeys
from claw.config.keys.events import EventKeys, FileWatchKeys
from claw.config.keys.locks import LockKeys, LocksKeys
from claw.config.keys.log import LogKeys
from claw.config.keys.managing import ManagingKeys
from claw.config.keys.observing import DaemonObservingKeys
from claw.config.keys.order import OrderKeys
from claw.config.keys.probe import HealthKeys, ReadyKeys
from claw.config.keys.queue import DaemonQueueKeys, DedupKeys, PoolKeys, QueueKeys
from claw.config.keys.results import DaemonResultKeys, OutputKeys, RetentionKeys
from claw.config.keys.retry import RateLimitKeys, RetryKeys, RunKeys
from claw.config.keys.secrets import SecretsKeys
from claw.config.keys.time import TimeKeys
from claw.config.keys.trigger import TriggerKeys
from claw.config.keys.watch import AlertKeys, SlaKeys, WatchKeys
from claw.config.keys.watchdog import WatchdogKeys
from claw.config.kinds import optional
from claw.config.sockets import SOCKETS
from claw.config.table import Applies, Field, Section
from claw.model import backoff
from claw.model.job import CatchUp, JobType, KillMode, RestartPolicy


class DaemonKeys(DaemonQueueKeys, DaemonResultKeys, DaemonObservingKeys):
    """The daemon as a whole. In claw.toml only."""

    log_level = Field(
        kinds.one_of("debug", "info", "warning", "error"),
        "info",
        "What the daemon's own log holds.",
        applies=Applies.LIVE,
    )
    timezone = Field(
        when.ZONE,
        "",
        "IANA zone of schedules and of `run_at`, where a job names none; empty: the system's.",
        applies=Applies.LIVE,
        shown="the system's",
    )
    umask = Field(
        kinds.octal(),
        "022",
        "Mask of files that jobs make, where a job names none.",
        applies=Applies.RESTART,
    )
    heartbeat = Field(
        when.HEARTBEAT,
        "30s",
        "How often a supervisor says that it lives.",
        applies=Applies.NEXT,
        attr="heartbeat_s",
    )
    log_total = Field(
        kinds.size(),
        "2G",
        "What the log folder may hold. Beyond it the oldest files that nobody writes any more"
        " go, output of failed runs last; 0: no bound.",
        applies=Applies.LIVE,
    )
    on_shutdown = Field(
        kinds.one_of("auto", "stop", "detach"),
        "auto",
        "What a stop of the daemon does to running jobs. `stop` ends them, `detach` leaves them"
        " running for the next daemon to take over, `auto` detaches when the daemon is being"
        " restarted and stops on a real stop or a shutdown of the host.",
        applies=Applies.LIVE,
    )
    shutdown_timeout = Field(
        kinds.DURATION,
        "80s",
        "Time for all jobs together to end in a shutdown.",
        applies=Applies.LIVE,
        attr="shutdown_timeout_s",
    )
    essential = Field(
        kinds.list_of(kinds.LINE),
        [],
        "Jobs of which clawd, say as PID 1 of a container, is but the frame: when a run of one"
        " has ended by itself, clawd stops all others and exits as it did: with its exit"
        " status, or 128 and the number of its signal. A stop, restart or cancel that somebody"
        " asked for is no such end.",
        applies=Applies.LIVE,
    )


class RestartKeys:
    """When a `continuous` job's process is started again. For such jobs only."""

    policy = Field(
        kinds.member_of(RestartPolicy),
        "always",
        "After which exits: all, those not in `success_codes`, or none.",
    )
    preset = Field(
        optional(kinds.one_of(*backoff.PRESETS)),
        None,
        "The ladder of delays. `exponential`: 1 s, doubled up to 300 s, each stretched by up to"
        " a tenth at random; `webhook`: 0 s, 30 s, 5 m, 15 m, 1 h; `fixed`: 30 s.",
        shown="`exponential`",
    )
    delays = Field(
        optional(kinds.list_of(kinds.DURATION, least=1, most=100)),
        None,
        "A ladder of your own instead of a preset; the last delay repeats.",
    )
    reset_after = Field(
        kinds.DURATION,
        "60s",
        "A process that lived this long begins the ladder anew.",
    )
    start_limit = Field(
        kinds.integer(0, 1_000_000),
        0,
        "So many starts within `start_limit_window`, and the job is given up as `fatal`;"
        " 0: never.",
    )
    start_limit_window = Field(kinds.DURATION, "60s", "See `start_limit`.")


class JobKeys(
    ChildKeys, OrderKeys, QueueKeys, TimeKeys, RunKeys, ManagingKeys, WatchKeys, LockKeys,
    EventKeys, ContextKeys,
):  # fmt: skip
    """One job, named by its table: `[jobs.web]`. Letters, digits, `_ . -`, at most 64."""

    name = Field(
        kinds.LINE,
        "",
        "A name for people.",
        applies=Applies.LIVE,
        attr="title",
        shown="the job's name",
    )
    description = Field(kinds.TEXT, "", "What it is for.", applies=Applies.LIVE)
    command = Field(
        optional(COMMAND),
        None,
        "What to run. Without shell syntax (quotes aside) it is split into words and executed,"
        " so that pid and signals are the program's own; with it, `shell -c` runs it. Arguments"
        ' of `clawctl run --arg` are appended, or are `"$@"` in the shell.',
    )
    argv = Field(
        optional(ARGV),
        None,
        "What to run, word by word, never through a shell. Either this or `command`.",
    )
    type = Field(
        optional(kinds.member_of(JobType)),
        None,
        "`manual` runs when asked, `continuous` always, `scheduled` by its `schedule`,"
        " `oneshot` once at `run_at`.",
        shown="by `schedule` or `run_at`, else `manual`",
    )
    shell = Field(SHELL, "/bin/sh", "The shell for a `command` with shell syntax.")
    cwd = Field(
        when.FOLDER,
        "",
        "Folder to run in. A relative one starts from the folder of the file that defines the"
        " job; empty: the user's home, and under `clawctl up` the file's folder.",
        shown="the user's home",
    )
    env = Field(
        ENV,
        {},
        "Environment variables, as they stand. Those of `[defaults]` are merged in, name by"
        " name.",
    )
    inherit_env = Field(
        INHERIT,
        ["PATH", "LANG", "TZ"],
        'Variables taken over from the daemon\'s own environment; `"*"` for all.',
    )
    umask = Field(
        optional(kinds.octal()),
        None,
        "Mask of files that the job makes.",
        shown="that of `[daemon]`",
    )
    tags = Field(
        kinds.list_of(kinds.TAG),
        [],
        "Words to choose jobs by: `clawctl stop tag:site`.",
        applies=Applies.LIVE,
    )
    params = Field(
        kinds.list_of(PARAM),
        [],
        "What an operator may give one run: names of variables for `clawctl run --env`, and"
        ' `"--arg"` for arguments. Admins may give anything.',
        applies=Applies.LIVE,
    )
    enabled = Field(
        kinds.SWITCH,
        True,
        "With false nothing new of the job begins; what runs goes on.",
        applies=Applies.LIVE,
    )
    autostart = Field(
        kinds.SWITCH,
        True,
        "`continuous` only: start it with the daemon.",
        applies=Applies.LIVE,
    )
    success_codes = Field(
        kinds.list_of(kinds.integer(0, 255), least=1, most=256),
        [0],
        "Exit statuses that count as success.",
    )
    timeout = Field(
        kinds.DURATION,
        "0",
        "Wall-clock time for one attempt, after which it is stopped as `timed_out`; 0: none.",
        attr="timeout_s",
    )
    stop_signal = Field(
        kinds.SIGNAL,
        "TERM",
        "Signal that asks the main process to end, and then what is left of its tree.",
    )
    grace_period = Field(
        kinds.DURATION,
        "30s",
        "Time to end after `stop_signal`; then the whole tree gets SIGKILL.",
        attr="grace_period_s",
    )
    kill_mode = Field(
        kinds.member_of(KillMode),
        "tree",
        "What a stop ends: the whole tree of descendants, the process group, or the main"
        " process alone.",
    )
    sockets = Field(
        SOCKETS,
        {},
        "Sockets that claw listens on and passes to the program as descriptors 3, 4, ..."
        " (`LISTEN_FDS`, sd_listen_fds(3)), in this order; they stay open while it is"
        ' restarted. `{ http = "tcp://127.0.0.1:8000", admin = "unix:/run/x.sock" }`, or a'
        ' table of its own: `{ address = "unix:/run/x.sock", mode = "0660", owner = "web",'
        ' group = "web", backlog = 4096 }`.',
    )
    schedule = Field(
        when.SCHEDULE,
        [],
        "When to run: cron with 5 fields, or 6 with seconds (first, or last where that alone"
        " makes sense), names, ranges, steps, `L`, `#`;"
        " `@hourly @daily @weekly @monthly @yearly @reboot`; `@every 90s`; or a list of these.",
        applies=Applies.LIVE,
    )
    timezone = Field(
        when.ZONE,
        "",
        "IANA zone of `schedule` and `run_at`, like `America/Sao_Paulo`.",
        applies=Applies.LIVE,
        shown="that of `[daemon]`",
    )
    catch_up = Field(
        kinds.member_of(CatchUp),
        "once",
        "What becomes of times that passed while claw could not act: nothing, one run for all"
        " of them, or a run for each. A time that a running daemon reaches a few seconds late,"
        " because it is busy, is no such time.",
        applies=Applies.LIVE,
    )
    catch_up_window = Field(
        kinds.DURATION_OR_EMPTY,
        "",
        "How far back `catch_up` looks. Never to before the job was added, enabled or resumed.",
        applies=Applies.LIVE,
        attr="catch_up_window_s",
        shown="the gap to the next time, at most 24 h",
    )
    run_at = Field(
        optional(when.MOMENT),
        None,
        "When a `oneshot` job runs, like `2026-12-24T09:00:00`; without an offset in the job's"
        " `timezone`.",
        applies=Applies.LIVE,
    )


ROLE = Section("roles.ROLE", RoleKeys)
ROLES = Section(
    "roles",
    RolesKeys,
    tables={name: Section(name, RoleKeys) for name in ("viewer", "operator", "admin")},
)
CONTROL = Section("control", ControlKeys, tables={"roles": ROLES})
DAEMON = Section("daemon", DaemonKeys)
OUTPUT = Section("output", OutputKeys)
RETENTION = Section("retention", RetentionKeys)
POOL = Section("pools.NAME", PoolKeys)
LOCKS = Section("locks", LocksKeys)
SECRETS = Section("secrets", SecretsKeys)
BACKUP = Section("backup", BackupKeys)
DEDUP = Section("dedup", DedupKeys)
RESTART = Section("restart", RestartKeys)
READY = Section("ready", ReadyKeys)
HEALTH = Section("health", HealthKeys)
LOG = Section("log", LogKeys)
RATE_LIMIT = Section("rate_limit", RateLimitKeys)
FILE_WATCH = Section("watch", FileWatchKeys)
RETRY = Section("retry", RetryKeys, tables={"rate_limit": RATE_LIMIT})
RESOURCES = Section("resources", ResourceKeys)
SLA = Section("sla", SlaKeys)
APPROVAL = Section("approval", ApprovalKeys)
ALERTS = Section("alerts", AlertKeys)
DELIVERY = Section("delivery", DeliveryKeys)
CHANNEL = Section("channels.NAME", ChannelKeys)
HOOK = Section("hooks", HookKeys)
WATCHDOG = Section("watchdog", WatchdogKeys)
TRIGGER = Section("trigger", TriggerKeys)
JOB = Section(
    "jobs.NAME",
    JobKeys,
    tables={
        "restart": RESTART,
        "dedup": DEDUP,
        "ready": READY,
        "health": HEALTH,
        "log": LOG,
        "output": OUTPUT,
        "resources": RESOURCES,
        "alerts": ALERTS,
        "delivery": DELIVERY,
        "sla": SLA,
        "retry": RETRY,
        "watch": FILE_WATCH,
        "trigger": TRIGGER,
        "approval": APPROVAL,
        "watchdog": WATCHDOG,
    },
    later="executor",
)
_LATER_TABLES = "executors"
LATER_TABLES = frozenset(_LATER_TABLES.split())
"""Tables of the top level whose features come later."""

TABLES = (
    "daemon", "control", "retention", "pools", "locks", "secrets", "backup", "channels",
    "hooks", "defaults", "jobs", "workflows",
)  # fmt: skip
"""Tables of the top level."""

JOB_FILE_TABLES = ("jobs", "workflows")
"""Tables that a file of jobs.d and managed.toml may hold; the others belong in claw.toml."""
