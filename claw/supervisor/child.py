"""The child: from fork to exec, step by step.

Each step before exec has a name, and a failure says which one it was. The child writes its
own ``started`` line, so that it is on record before the user's program runs a single
instruction, whoever is killed meanwhile; until exec it holds copies of its supervisor's
lock and journal, which are closed by exec itself.
"""

from claw.kernel import files, process, signals, terminal
from claw.kernel.bare import os
from claw.supervisor import entries, fostering, inherited, outfit
from claw.wire import supervision
from claw.wire.supervision import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

GIVEN_UP = 127
"""Exit status of a child that could not exec; the journal says why."""


OWED = "owed"
"""Marks a report that the child has not appended to the journal: its supervisor does."""


class Wiring:
    """Descriptors that a child is made from, -1 for none.

    Attributes:
        standard: Standard input, output and error; none is /dev/null.
        report_fd: Where a failure is told; closed by exec.
        journal_fd: The journal; none for an errand that is on nobody's record.
        foster_fd: Leads to who is to have a pidfd of the child (`fostering.keeper_fd`).
        ready_fd: Where the program says that it is ready, under a number of its own.
        sockets: What the child listens on, by the names that it knows them by.
        is_terminal: Whether all three are one terminal, to be the child's own.
        errand: What is run, in place of the job's command.
        recorded: What an errand with a journal is, and when it has had its time, boot time.
    """

    __slots__ = (
        "errand", "foster_fd", "is_terminal", "journal_fd", "ready_fd", "recorded", "report_fd",
        "sockets", "standard",
    )  # fmt: skip

    def __init__(
        self,
        *,
        standard: tuple[int, int, int],
        report_fd: int,
        journal_fd: int = -1,
        foster_fd: int = -1,
        sockets: "dict[str, int] | None" = None,
    ) -> None:
        self.standard = standard
        self.report_fd = report_fd
        self.journal_fd = journal_fd
        self.foster_fd = foster_fd
        self.ready_fd = -1
        self.sockets = sockets or {}
        self.is_terminal = False
        self.errand: list[str] | None = None
        self.recorded = ("", 0.0)


def claim(launch: Launch, attempt: int) -> bool:
    """Make the attempt's launch file; False: another has, and the run is not ours.

    One of our own is a predecessor's. So is an empty one: its maker was killed before it
    wrote, and so before it forked.
    """
    path = f"{launch.launch_dir}/{launch.run}.{attempt}"
    try:
        files.create_exclusive(path, launch.sid.encode())
    except FileExistsError:
        holder = files.read_all(path)
        if not holder:
            _sign(path, launch)
        return holder in (b"", launch.sid.encode())
    return True


def _sign(path: str, launch: Launch) -> None:
    """Write the name into a launch file whose maker was killed over it."""
    fd = files.open_append(path)
    try:
        files.append(fd, launch.sid.encode())
    finally:
        os.close(fd)


def spawn(launch: Launch, attempt: int, wiring: Wiring, open_files: tuple[int, int]) -> int:
    """Fork a child that will exec the job's command, and return its pid.

    The report pipe is closed by exec; bytes in it are lines, of which ``spawn_failed`` is one.

    Raises:
        OSError: fork(2) failed.
    """
    pid = process.fork_held()
    if pid:
        return pid
    try:
        env = {"CLAW_ATTEMPT": str(attempt)}
        _leave_word(launch, attempt, wiring, _fail(_steps(launch, env, wiring, open_files)))
    finally:
        process.leave(GIVEN_UP)


def spawn_errand(
    launch: Launch, env: dict[str, str], wiring: Wiring, open_files: tuple[int, int]
) -> int:
    """Fork a process that will exec a command beside the child, made as the child is.

    Why it could not be executed goes where its output goes.

    Raises:
        OSError: fork(2) failed.
    """
    pid = process.fork_held()
    if pid:
        return pid
    try:
        step, _number, why = _fail(_steps(launch, env, wiring, open_files))
        files.append(wiring.standard[1], f"{step}: {why}".encode(errors="replace"))
    finally:
        process.leave(GIVEN_UP)


def _fail(steps: "Iterator[str]") -> tuple[str, int | None, str]:
    """Take the steps, of which the last does not return, and tell which one failed and why."""
    step = ""
    try:
        for step in steps:  # noqa: B007
            pass
    except OSError as error:
        return step, error.errno, error.strerror or str(error)
    except ValueError as error:  # a NUL byte in an argument or a variable; a line of env_file
        return step, None, str(error)
    except MemoryError:
        return step, None, "no memory: a limit is too low"
    except Exception as error:  # noqa: BLE001  whatever it is: else nobody learns the step
        return step, None, f"{type(error).__name__}: {error}"
    return step, None, "it returned"


def _steps(
    launch: Launch, more: dict[str, str], wiring: Wiring, open_files: tuple[int, int]
) -> "Iterator[str]":
    """Yield each step's name before it is taken; the last one does not return."""
    attempt = int(more["CLAW_ATTEMPT"])
    yield "session"
    process.new_session()
    yield "cgroup"
    outfit.join_groups(launch)
    yield "descriptors"
    _connect(launch, wiring)
    yield f"env_file {launch.env_file}"
    env = {**outfit.environment(launch), **more}
    env.update(inherited.environment(wiring.sockets))
    if launch.watchdog_s and wiring.errand is None:
        env["WATCHDOG_PID"] = str(os.getpid())  # sd_watchdog_enabled(3)
    yield "journal"  # before RLIMIT_FSIZE, which holds for this file too
    _put_on_record(launch, attempt, wiring)
    yield "sockets"
    inherited.place(wiring.sockets)  # over the lock perhaps: but the start is on record
    yield f"ready.fd {launch.ready_fd}"
    _connect_readiness(wiring, launch.ready_fd)
    yield from outfit.put_on(launch, open_files)
    yield f"chdir to {launch.cwd}"
    if not outfit.enter(launch):
        _note_home(launch, attempt, wiring)
    yield "signals"
    signals.reset_for_child()  # what was sent meanwhile comes now, its start on record
    yield "exec"
    outfit.execute(wiring.errand or launch.argv, env)


def _put_on_record(launch: Launch, attempt: int, wiring: Wiring) -> None:
    """Have it known that this is run; an errand is run on a full disk all the same."""
    if wiring.errand is None:
        fostering.hand_myself(wiring.foster_fd, launch)
        files.append(wiring.journal_fd, supervision.encode(entries.started(launch, attempt)))
        return
    if wiring.journal_fd < 0:
        return
    line = entries.errand(launch, attempt, *wiring.recorded)
    try:
        files.append(wiring.journal_fd, supervision.encode(line))
    except OSError:
        return


def _note_home(launch: Launch, attempt: int, wiring: Wiring) -> None:
    """Have the supervisor note where the child runs: RLIMIT_FSIZE holds for this process."""
    if wiring.errand is None:
        text = f"it runs in /, since its home {launch.cwd} is not there"
        line = {**entries.note(launch, attempt, text), OWED: True}
        try:
            files.append(wiring.report_fd, supervision.encode(line))
        except OSError:  # its supervisor was killed: no reason not to run
            return


def _connect(launch: Launch, wiring: Wiring) -> None:
    if wiring.sockets:
        wiring.journal_fd = inherited.out_of_the_way(wiring.journal_fd, wiring.sockets)
        wiring.report_fd = inherited.out_of_the_way(wiring.report_fd, wiring.sockets)
        if wiring.ready_fd >= 0:
            wiring.ready_fd = inherited.out_of_the_way(wiring.ready_fd, wiring.sockets)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    if wiring.is_terminal:
        terminal.take(wiring.standard[0])
    for number, fd in enumerate(wiring.standard):
        os.dup2(null if fd < 0 else fd, number)
        if fd >= 0 and launch.identity is not None:  # /dev/stdout can be opened by its user
            os.fchown(fd, launch.identity[0], -1)


def _connect_readiness(wiring: Wiring, number: int) -> None:
    """Give the program the descriptor that it says it is ready on, as s6 does."""
    if wiring.ready_fd < 0:
        return
    for name in ("journal_fd", "report_fd"):
        if getattr(wiring, name) == number:
            setattr(wiring, name, os.dup(number))  # closed by exec too
    if wiring.ready_fd == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(wiring.ready_fd, number)


def _leave_word(
    launch: Launch, attempt: int, wiring: Wiring, why: tuple[str, int | None, str]
) -> None:
    signals.block()  # those that a write may bring, of RLIMIT_FSIZE or of a broken pipe
    line = entries.spawn_failed(launch, attempt, *why)
    try:
        files.append(wiring.journal_fd, supervision.encode(line))
    except OSError:
        line[OWED] = True
    files.append(wiring.report_fd, supervision.encode(line))
