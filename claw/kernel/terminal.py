"""Pseudo-terminals. See pty(7), ioctl_tty(2)."""

import fcntl
import sys

from claw.kernel.bare import os

_TCFLSH, _TIOCSCTTY, _TIOCSWINSZ = 0x540B, 0x540E, 0x5414
_TCIFLUSH = 0
_MOST_CELLS = 0xFFFF


def open_pair(rows: int = 24, columns: int = 80) -> tuple[int, int]:
    """Return both ends of a new terminal: the one to drive it by, and the program's.

    The first never blocks.
    """
    driving, programs = os.openpty()
    os.set_blocking(driving, False)
    resize(driving, rows, columns)
    return driving, programs


def resize(fd: int, rows: int, columns: int) -> None:
    """Say how large the terminal is; its foreground processes get SIGWINCH."""
    cells = [min(max(count, 1), _MOST_CELLS) for count in (rows, columns)]
    size = b"".join(count.to_bytes(2, sys.byteorder) for count in (*cells, 0, 0))
    fcntl.ioctl(fd, _TIOCSWINSZ, size)


def take(fd: int) -> None:
    """Make a terminal the controlling one of this process, which leads a session."""
    fcntl.ioctl(fd, _TIOCSCTTY, 0)


def forget_input(fd: int) -> None:
    """Throw away what was typed and not read."""
    fcntl.ioctl(fd, _TCFLSH, _TCIFLUSH)
