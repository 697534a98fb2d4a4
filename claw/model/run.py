"""Runs: their states, and the table of moves that are allowed.

::

    queued ──▶ claimed ──▶ running ──▶ succeeded failed timed_out crashed canceled
      ▲ │ ▲       │           │
      │ │ └───────┘           ├──▶ retry_wait ──▶ queued
      │ └──▶ skipped missed   │
      │      canceled         │
      └───────────────────────┘   replay, restart

Every move appends one event in the same transaction; a move that the table does not
hold is refused and the row is untouched.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from claw.model.lineage import ALONE, Lineage
from claw.model.values import quick


class State(StrEnum):
    """The state of a run, stored and sent by name."""

    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    RETRY_WAIT = "retry_wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    MISSED = "missed"


OPEN = frozenset(
    {State.AWAITING_APPROVAL, State.QUEUED, State.CLAIMED, State.RUNNING, State.RETRY_WAIT}
)
"""States from which something more will happen."""

ACTIVE = frozenset({State.CLAIMED, State.RUNNING})
"""States in which a run has a supervisor, or is about to."""

FINAL = frozenset(State) - OPEN
"""States that no run leaves."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.AWAITING_APPROVAL: frozenset({State.QUEUED, State.CANCELED}),
    State.QUEUED: frozenset({State.CLAIMED, State.CANCELED, State.SKIPPED, State.MISSED}),
    State.CLAIMED: frozenset(
        {
            State.QUEUED,
            State.RUNNING,
            State.RETRY_WAIT,
            State.FAILED,
            State.CANCELED,
            State.CRASHED,
        }
    ),
    State.RUNNING: frozenset(
        {
            State.SUCCEEDED,
            State.FAILED,
            State.TIMED_OUT,
            State.CRASHED,
            State.CANCELED,
            State.RETRY_WAIT,
            State.QUEUED,
        }
    ),
    State.RETRY_WAIT: frozenset({State.QUEUED, State.CANCELED}),
}


def may_move(old: State, new: State) -> bool:
    """Tell whether a run in state ``old`` may take state ``new``."""
    return new in TRANSITIONS.get(old, frozenset())


class Origin(StrEnum):
    """What asked for a run."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    AT = "at"
    AUTOSTART = "autostart"
    REBOOT = "reboot"
    DEPENDENCY = "dependency"
    REINJECT = "reinject"
    TRIGGER = "trigger"
    JOIN = "join"
    WORKFLOW = "workflow"
    CHILD = "child"
    WATCH = "watch"
    EMIT = "emit"


class Priority(IntEnum):
    """Which of the runs that are due goes first; stored by number."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


class Phase(StrEnum):
    """What a running run is doing just now, as its supervisor tells it."""

    STARTING = "starting"
    UP = "up"
    BACKOFF = "backoff"
    STOPPING = "stopping"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One intention to execute a job; a row of the store."""

    id: str
    job: str
    state: State
    origin: Origin
    origin_key: str
    queued_at: datetime
    due_at: datetime  # not dispatched before
    slot_at: datetime | None = None  # the fire time, for schedules
    slot_until: datetime | None = None  # the last slot of a missed row that stands for several
    slot_count: int = 1
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0  # number of the last attempt claimed; 0: none yet
    cause: str = "start"  # why the next or present attempt is made
    sid: str | None = None  # supervisor of the last attempt
    phase: Phase | None = None
    phase_until: datetime | None = None
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    waiting_for: str | None = None  # the gate that holds a queued run, in words
    stop_why: str | None = None  # set once somebody asked for its end
    stop_by: str | None = None
    restarts: int = 0
    env: tuple[tuple[str, str], ...] = ()
    args: tuple[str, ...] = ()
    asked_by: str = ""
    forced: bool = False  # asked for with --force: passes stop, pause, disabled
    replay_of: str | None = None
    instance: int | None = None  # from 1, of a service that has several
    health: str | None = None  # healthy | unhealthy, as its check says
    health_why: str | None = None  # what the check has found wrong
    survivors: str | None = None  # "pid command" of what a stop could not end
    left_running: str | None = None  # and of what lives on, as kill_mode says
    status_text: str | None = None  # what the child says of itself (sd_notify(3), STATUS)
    priority: Priority = Priority.NORMAL
    batch: str | None = None  # the id of the runs that one request made together
    dedup_key: str | None = None  # two with the same one within a window are one too many
    expires_at: datetime | None = None  # revoked then, if it has not begun
    retries: int = 0  # attempts that followed a failure or a crash
    note: str | None = None  # of a run that ended well: that there was nothing to do
    dead_at: datetime | None = None  # the dead-letter mark: since when
    dead_why: str | None = None
    reinjected_as: str | None = None  # the run that followed a dead letter
    limited: int = 0  # attempts that followed a rate limit
    alike: int = 0  # failures in a row with the same fingerprint, the last one included
    fingerprint: str | None = None  # of the last failure: see `claw.model.failure`
    lineage: Lineage = ALONE  # what it comes of

    @property
    def is_open(self) -> bool:
        """Whether something more will happen to it."""
        return self.state in OPEN

    @property
    def is_active(self) -> bool:
        """Whether it takes up an instance: claimed or running."""
        return self.state in ACTIVE

    def is_armed(self, now: datetime) -> bool:
        """Tell whether it was claimed before it is due, and its time is still to come."""
        return self.state is State.CLAIMED and self.due_at > now


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One child of a run, from exec to exit."""

    run: str
    no: int
    sid: str
    cause: str
    pid: int | None = None
    start_ticks: int | None = None  # of the child, in clock ticks since boot
    started_at: datetime | None = None
    ready_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    timed_out: bool = False
    ended_for: str | None = None  # why claw ended it as failed: a word, and ": " with more
    error: str | None = None  # a failed spawn: the step and errno in words
    cpu_time_s: float | None = None
    max_memory_bytes: int | None = None
    dropped_bytes: int = 0  # output lost to a full disk

    @property
    def failure(self) -> str | None:
        """The one word for what claw ended it for."""
        return None if self.ended_for is None else self.ended_for.partition(":")[0]


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """One supervisor, from the claim that named it until its journal is settled."""

    sid: str
    run: str
    job: str
    created_at: datetime
    offset: int = 0  # bytes of its journal that have taken effect
    pid: int | None = None  # None: it has not said a word yet
    start_ticks: int | None = None
    boot: str | None = None
    version: str | None = None
    closed_at: datetime | None = None  # its run is final, or went on under another
