"""Into the background, as daemon(7) has it: who has started clawd waits until it serves.

What was started ends with status 0 when the daemon in the background answers, and as that one
does, with what it says, when it has failed instead: an init script, ``Type=forking`` and people
need ask nobody else.
"""

import contextlib
import os
import select
import sys

from claw.kernel import clock, process, signals

PATIENCE_S = 90.0
"""As long as systemd waits for what it starts (DefaultTimeoutStartSec)."""
_SERVES = b"\n"
_MOST_BYTES = 65536


class Starter:
    """Who waits for this process to serve; told once.

    Args:
        fd: Of the pipe that it reads; None: nobody waits.
    """

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd

    def serves(self) -> None:
        """The daemon answers."""
        self._say(_SERVES)

    def fails(self, text: str) -> None:
        """It does not, and never will: why, without a newline in front."""
        self._say(text.encode(errors="replace"))

    def _say(self, words: bytes) -> None:
        if self._fd is None:
            return
        with contextlib.suppress(OSError):  # it has been killed, or waits no longer
            os.write(self._fd, words)
        os.close(self._fd)
        self._fd = None


def detach(log: str) -> Starter:
    """Go on in the background, in a session of its own, without a terminal.

    Signals are to be blocked before. Only the process in the background returns.

    Args:
        log: The path of the daemon's log, for who is told that it has failed.

    Raises:
        OSError: There can be no other process.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pid = process.fork()
    if pid:
        os.close(writing)
        signals.unblock()
        process.leave(_wait(pid, reading, log))
    os.close(reading)
    process.new_session()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)
    return Starter(writing)


def _wait(pid: int, reading: int, log: str) -> int:
    """Wait for the daemon's word or its end; return what to exit with, and say why."""
    said = _read(reading)
    if said == _SERVES:
        return 0
    if said is None:
        sys.stderr.write(
            f"clawd: no answer in {PATIENCE_S:g} s; pid {pid} goes on: see {log}\n"
        )
        sys.stderr.flush()
        return 1
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    text = said.decode(errors="replace") or f"clawd: it has ended before it served: see {log}"
    sys.stderr.write(f"{text.rstrip()}\n")
    sys.stderr.flush()
    return status if status > 0 else 1


def _read(fd: int) -> bytes | None:
    """Return all that is said; None: not in time."""
    said, until = b"", clock.monotonic() + PATIENCE_S
    while len(said) < _MOST_BYTES:
        left_s = until - clock.monotonic()
        if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
            return None
        some = os.read(fd, _MOST_BYTES)
        said += some
        if not some or said == _SERVES:
            break
    return said
