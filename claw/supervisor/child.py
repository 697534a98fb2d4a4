"""The child: from fork to exec, step by step, and what is left of its tree.

Each step before exec has a name, and a failure says which one it was. The child writes its
own ``started`` line, so that it is on record before the user's program runs a single
instruction, whoever is killed meanwhile; until exec it holds copies of its supervisor's
lock and journal, which are closed by exec itself.
"""

from claw.kernel import files, limits, process, signals
from claw.kernel.bare import os
from claw.supervisor import entries, fostering
from claw.wire import supervision
from claw.wire.supervision import Launch

GIVEN_UP = 127
"""Exit status of a child that could not exec; the journal says why."""


OWED = "owed"
"""Marks a report that the child could not append to the journal: its supervisor does."""


class Wiring:
    """Descriptors that the child is made from: journal, outputs, a report pipe.

    And, if there is one, the link to a fork server that is not the supervisor's parent.
    """

    __slots__ = ("err_fd", "foster_fd", "journal_fd", "out_fd", "report_fd")

    def __init__(
        self, *, journal_fd: int, out_fd: int, err_fd: int, report_fd: int, foster_fd: int = -1
    ) -> None:
        self.foster_fd = foster_fd
        self.journal_fd = journal_fd
        self.out_fd = out_fd
        self.err_fd = err_fd
        self.report_fd = report_fd


def claim(launch: Launch, attempt: int) -> bool:
    """Make the attempt's launch file; False: another has, and the run is not ours.

    One of our own is a predecessor's. So is an empty one: its maker was killed before it
    wrote, and so before it forked.
    """
    path = f"{launch.launch_dir}/{launch.run}.{attempt}"
    try:
        files.create_exclusive(path, launch.sid.encode())
    except FileExistsError:
        return files.read_all(path) in (b"", launch.sid.encode())
    return True


def spawn(launch: Launch, attempt: int, wiring: Wiring, open_files: tuple[int, int]) -> int:
    """Fork a child that will exec the job's command, and return its pid.

    The report pipe is closed by exec; bytes in it are a ``spawn_failed`` line.

    Raises:
        OSError: fork(2) failed.
    """
    pid = process.fork_held()
    if pid:
        return pid
    try:
        _become(launch, attempt, wiring, open_files)
    finally:
        process.leave(GIVEN_UP)


def _become(launch: Launch, attempt: int, wiring: Wiring, open_files: tuple[int, int]) -> None:
    """Turn this forked process into the user's program, or leave word why not."""
    stage = "session"
    try:
        process.new_session()
        stage = "descriptors"
        _connect(wiring)
        stage = "limits"
        limits.restore_open_files(open_files)
        os.umask(launch.umask)
        stage = f"chdir to {launch.cwd}"
        os.chdir(launch.cwd)
        stage = "journal"
        fostering.hand_myself(wiring.foster_fd, launch)
        env = {**launch.env, "CLAW_ATTEMPT": str(attempt)}
        files.append(wiring.journal_fd, supervision.encode(entries.started(launch, attempt)))
        stage = "signals"
        signals.reset_for_child()  # what was sent meanwhile comes now, its start on record
        stage = "exec"
        process.execute(launch.argv, env)
    except OSError as error:
        text = error.strerror or str(error)
        if stage == "exec":
            text += f": {launch.argv[0]!r}"
        _leave_word(launch, attempt, wiring, (stage, error.errno, text))
    except ValueError as error:  # a NUL byte in an argument or a variable
        _leave_word(launch, attempt, wiring, (stage, None, str(error)))


def _connect(wiring: Wiring) -> None:
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 0)
    os.dup2(wiring.out_fd, 1)
    os.dup2(null if wiring.err_fd < 0 else wiring.err_fd, 2)


def _leave_word(
    launch: Launch, attempt: int, wiring: Wiring, why: tuple[str, int | None, str]
) -> None:
    line = entries.spawn_failed(launch, attempt, *why)
    try:
        files.append(wiring.journal_fd, supervision.encode(line))
    except OSError:
        line[OWED] = True
    files.append(wiring.report_fd, supervision.encode(line))  # SIGPIPE: nobody reads any more
