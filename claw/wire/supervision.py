"""What master, fork server and supervisors say to each other, and what a journal holds.

All of it is JSON objects, one a line. Requests carry ``op`` and ``id``, answers the same
``id``; what comes unasked carries ``ev``. A reader passes over keys, operations and events
that it does not know, so that neighbours of different versions get along.

Fork server (requests of the master):
    launch   {sid, run, attempt, spool, launch_dir, names} and as many descriptors
                                          -> {pid, start} | {error, retryable}
    find     {sid}   -> {alive, pid}: pid is 0 while it is not known
    barrier  {}      -> {}: everything asked before is done
    hello    {}      -> {version, pid, supervisors: [sid], sockets: [name], knows: [field]}
    copy     {sid}   -> {names} with copies of what is kept for that run
    foster   {sid, spool, names, pid?, start?} with descriptors: look after a run whose fork
             server has died, or keep more of one; asked by the master, by the supervisor
             (who says who it is) and by each child that it starts; ``anew``: in place of
             what is kept by these names -> {}
    reaped   {pid, start, code, signal, cpu_s, max_rss}: how an orphan ended that had become
             the master's                 -> {}
    keep     {name} and a listening socket  -> {}: it is kept for who comes after
    lend     {name}  -> {names}, with that socket if it is there
    drop     {name}  -> {}
    gone     {sid}   unasked: that supervisor has ended, its journal is whole

Supervisor (requests of the master):
    hello    {}      -> {pid, run, attempt, child, phase, stopping, journal: bytes}: without a
             child and ``stopping``, it begins nothing more, and has only to write the end
    stop     {why, by, grace_s?, text?, attempt?}  -> {}: the intent is in the journal;
             with an attempt nothing happens once another has begun
    withdraw {why}   -> {withdrawn}: a launch that waits for its time is none any more, and that
             is in the journal; false: its child has begun
    ready    {attempt, by}        -> {}: a probe has found the child ready
    unready  {attempt, why}       -> {}: not yet, as a probe has found
    health   {attempt, state, why}  -> {}: healthy or unhealthy, unlike before
    signal   {number}             -> {sent}
    perform  {what, timeout_s, attempt?}  -> {code, signal, timed_out, output} of a command
             of the launch, once it has ended; {error} when the attempt ends before it
    type     {data}               -> {taken}: for its standard input; each letter is the byte
             of its number, and what is not taken had no room
    resize   {rows, columns}      -> {}: of its terminal
    refresh  {launch}  -> {attempt}: of a service: what begins after that attempt gets the
             environment of this launch
    hand     {path}               -> {}: what it has is on its way to the fork server there
    launch   {launch}  no answer: to a free one, the next run; it writes that into its memory
    refused  {run, attempt, error, retryable}  unasked: nothing of that launch has begun
    journal  {size, free?}  unasked: the journal has grown to that many bytes; ``free`` is
             the version of one whose run has ended and that would take another for a while
    child    {sid, names} with a descriptor, unasked, from a child that begins while there is
             no fork server: its pidfd, to be kept as copies are
    rotated  {path}  unasked: an output file has been replaced

Descriptors travel beside a message (SCM_RIGHTS, unix(7)) that names them, in their order.
The fork server keeps them by these names for as long as the run goes on, whatever they are,
and each supervisor of the run has copies in `Handed.kept`; one who wants more to outlive a
supervisor adds a name to the launch and nothing to the fork server:
    memory                  holds a `Launch`; sealed, but for a plain one
    out.read, out.write     the pipe of the output, err.* beside it when separate
    socket JOB ADDRESS      a listening socket for the child; `keep` has it by this name too
    ready.read, ready.write the pipe of readiness by a newline
    notify                  the socket of sd_notify(3)
    in.read, in.write       the pipe of an open standard input
    tty.drive, tty.program  both ends of its terminal, pty(7)
    link                    the first supervisor's end of a link to the master; not kept
    child:<pid>:<start>     a pidfd of the present child, of fostered runs only

Between fork server and a replacement: watch {pid, start}, exit {pid, code, signal, cpu_s,
max_rss}, reap {pid}, stray {pid}: no child of ours, others may know.
"""

from claw.wire import flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]
else:
    Message = dict

PROTOCOL = 1
MEMORY, LINK, CHILD = "memory", "link", "child:"
READY_PIPE, NOTIFY = ("ready.read", "ready.write"), "notify"
OUTPUTS = (("out.read", "out.write"), ("err.read", "err.write"))
STDIN, TERMINAL = ("in.read", "in.write"), ("tty.drive", "tty.program")
"""Names of descriptors; see the module."""
LINE_LIMIT = 4 << 20
"""Bytes of the longest line that either side takes."""


def encode(message: Message) -> bytes:
    """Return a message as one line."""
    return flat.dumps(message).encode() + b"\n"


def decode(line: bytes) -> Message | None:
    """Return the message of a line, or None when it is torn or no object."""
    try:
        message = flat.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


_MARKING = 7
"""So many letters of a run's name tell it from others of its time."""


def mark_of(run: str, attempt: int) -> int:
    """Return the number that the child of an attempt carries, see `claw.supervisor.swift`."""
    return int.from_bytes(run.encode()[-_MARKING:], "big") ^ attempt


def is_mark(number: int) -> bool:
    """Tell whether a number may be the mark of some run: it begins with a letter or digit."""
    return ord("0") <= number >> 8 * (_MARKING - 1) <= ord("z")


class Launch:
    """All that a supervisor needs to know; written by the master, read by whoever supervises.

    Durations are seconds. ``restart`` is None for a job that runs to completion. The
    environment is complete and may hold secrets: it lives in memory, never in a
    file. What a launch of another version does not say is as `DEFAULTS` has it; what only
    that version knows is passed over.
    """

    __slots__ = (
        "argv",
        "attempt",
        "begin_at",
        "cause",
        "cgroups",
        "commands",
        "crowd_s",
        "cwd",
        "cwd_or_root",
        "env",
        "env_beneath",
        "env_file",
        "err_path",
        "grace_s",
        "heartbeat_s",
        "held",
        "identity",
        "instance",
        "job",
        "kill_mode",
        "launch_dir",
        "limits",
        "log_age_s",
        "log_keep",
        "log_mode",
        "log_on_full",
        "log_size",
        "nice",
        "no_new_privs",
        "oom_score_adj",
        "origin",
        "origin_key",
        "out_path",
        "ready",
        "ready_delay_s",
        "ready_fd",
        "ready_timeout_s",
        "refers",
        "restart",
        "run",
        "run_dir",
        "secrets",
        "shares_group",
        "sid",
        "slot",
        "sockets",
        "spool",
        "stderr",
        "stdin",
        "stop_signal",
        "success_codes",
        "timeout_s",
        "tty",
        "umask",
        "watchdog_s",
    )

    # Of fields that came after the first version.
    DEFAULTS: "dict[str, Any]" = {  # noqa: RUF012
        "begin_at": 0.0,
        "crowd_s": 0.0,
        "instance": None,
        "log_age_s": 0.0,
        "log_keep": 3,
        "log_on_full": "drop",
        "log_size": 0,
        "cgroups": {},
        "shares_group": False,
        "commands": {},
        "cwd_or_root": False,
        "env_beneath": {},
        "env_file": "",
        "held": [],
        "identity": None,
        "limits": {},
        "nice": None,
        "no_new_privs": False,
        "oom_score_adj": None,
        "stdin": "null",
        "tty": False,
        "ready": "none",
        "ready_delay_s": 1.0,
        "sockets": {},
        "ready_fd": 3,
        "ready_timeout_s": 0.0,
        "refers": {},
        "secrets": [],
        "watchdog_s": 0.0,
    }

    sid: str
    run: str
    attempt: int
    begin_at: float  # wall time that its child is not begun before; 0: at once
    crowd_s: float  # from then on others begin for so long: what can wait does
    job: str
    instance: "int | None"  # its number, of a service that has several
    cause: str
    origin: str
    origin_key: str
    slot: str | None
    argv: list[str]
    cwd: str
    env: dict[str, str]
    umask: int
    success_codes: list[int]
    timeout_s: float
    stop_signal: int
    grace_s: float
    kill_mode: str
    restart: "Ladder | None"
    out_path: str
    err_path: str
    stderr: str
    log_age_s: float  # output files are replaced when so old
    log_keep: int  # so many of the replaced ones stay
    log_mode: int
    log_on_full: str  # drop | block
    log_size: int  # output files are replaced when so large; 0: never
    spool: str
    run_dir: str
    launch_dir: str
    heartbeat_s: float
    cgroups: dict[str, dict[str, str]]  # folders, and what to write to files in them
    shares_group: bool  # its supervisor may be in it too: it limits and measures nothing
    commands: dict[str, list[str]]  # stop, reload, ready, health: errands of the job
    cwd_or_root: bool  # a cwd that is not there, a missing home, is no failure
    env_beneath: dict[str, str]  # what env_file may override; all else is in env
    env_file: str
    held: "list[list[Any]]"  # first attempt, and versions of secrets by name; the newest last
    identity: "tuple[int, int, list[int]] | None"  # uid, gid, all groups
    limits: dict[str, list[int]]  # soft and hard, by names of getrlimit(2); -1: none
    nice: int | None
    no_new_privs: bool
    oom_score_adj: int | None
    stdin: str  # null or open
    tty: bool
    sockets: dict[str, str]  # as LISTEN_FDNAMES has it: by which name it is kept
    ready: str  # how the child is known to be ready
    ready_delay_s: float  # with none and delay: how long it lives first
    ready_fd: int  # with fd: the number of the descriptor
    refers: dict[str, str]  # of env: what a value was made of, see `claw.model.reference`
    secrets: list[str]  # values in env that claw itself never shows
    ready_timeout_s: float  # to become ready in; 0: any; with none and delay of no meaning
    watchdog_s: float  # it says so often that it lives; 0: it need not

    def __init__(self, **values: object) -> None:
        for name in self.__slots__:
            setattr(self, name, values[name] if name in values else self.DEFAULTS[name])

    @property
    def hears(self) -> bool:
        """Whether the child may say things by sd_notify(3)."""
        return self.ready == "notify" or self.watchdog_s > 0

    @property
    def is_service(self) -> bool:
        """Whether the child is started again by a restart policy."""
        return self.restart is not None

    @property
    def is_plain(self) -> bool:
        """Whether nothing is kept for it but this and one pipe, as for others like it.

        A job's definition says the same of itself, `claw.model.job.Job.is_plain`.
        """
        return (
            self.restart is None
            and self.identity is None
            and not (self.tty or self.sockets or self.watchdog_s)
            and (self.shares_group or not self.cgroups)
            and self.stdin == "null"
            and self.ready in ("none", "delay")
            and self.stderr != "separate"
        )

    @property
    def is_simple(self) -> bool:
        """Whether its child needs nothing before exec but what `posix_spawn` can do."""
        return self.is_plain and not (
            self.env_file
            or self.limits
            or self.no_new_privs
            or self.nice is not None
            or self.oom_score_adj is not None
        )

    def values(self) -> "dict[str, Any]":
        """Return all that it says, as JSON has it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        if self.restart is not None:
            values["restart"] = {name: getattr(self.restart, name) for name in Ladder.__slots__}
        return values

    def encode(self) -> bytes:
        """Return the launch as JSON."""
        return flat.dumps(self.values()).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Launch":
        """Return the launch that `encode` wrote."""
        return cls.of(flat.loads(data))

    @classmethod
    def of(cls, values: "dict[str, Any]") -> "Launch":
        """Return the launch that says these `values`."""
        if values["restart"] is not None:
            values["restart"] = Ladder(**values["restart"])
        return cls(**values)


class Ladder:
    """A restart policy: ``delays_s`` are climbed failure by failure, the last repeats."""

    __slots__ = (
        "delays_s", "jitter", "policy", "reset_after_s", "start_limit", "start_limit_window_s",
    )  # fmt: skip

    policy: str
    delays_s: list[float]
    jitter: float
    reset_after_s: float
    start_limit: int
    start_limit_window_s: float

    def __init__(self, **values: object) -> None:
        for name in self.__slots__:
            setattr(self, name, values[name])
