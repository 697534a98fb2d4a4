"""What the master has to say: lines of text, to log/clawd.log and the terminal."""

import contextlib
import logging
import logging.handlers
import os
import sys
import traceback
from datetime import UTC, datetime

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        text = f"{at.isoformat(timespec='milliseconds')} {record.levelname.lower():7} "
        text += f"{record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return text


class _Journal(logging.Formatter):
    """Lines for journald: each begins with its priority (sd-daemon(3)); it knows the time."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.name}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        priority = next(
            number for level, number in _PRIORITIES.items() if record.levelno >= level
        )
        return "\n".join(f"<{priority}>{line}" for line in text.splitlines())


_PRIORITIES = {
    logging.CRITICAL: 2,
    logging.ERROR: 3,
    logging.WARNING: 4,
    logging.INFO: 6,
    logging.NOTSET: 7,
}


MAX_BYTES = 10 << 20
"""A log that has grown so large becomes ``clawd.log.1``, in place of what was there."""


class _File(logging.handlers.WatchedFileHandler):
    """The log file, which may be moved away at any time."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if self.stream is not None and self.stream.tell() >= MAX_BYTES:
            with contextlib.suppress(OSError):
                os.replace(self.baseFilename, f"{self.baseFilename}.1")  # noqa: PTH105
                self.reopenIfNeeded()


def begin(
    path: str, *, level: str, on_terminal: bool, journal: tuple[int, int] | None = None
) -> None:
    """Log to a file, which may be moved away at any time, and to the terminal if asked.

    Args:
        path: Of the file.
        level: One of `LEVELS`.
        on_terminal: Also to standard error.
        journal: Device and inode of the journal's stream (``JOURNAL_STREAM``,
            systemd.exec(5)): if standard error is that, lines get priorities.
    """
    handlers: list[logging.Handler] = [_File(path)]
    handlers[0].setFormatter(_Text())
    if on_terminal:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(_Journal() if _is_stderr(journal) else _Text())
        handlers.append(terminal)
    logging.basicConfig(level=LEVELS[level], handlers=handlers, force=True)


def _is_stderr(journal: tuple[int, int] | None) -> bool:
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return journal == (found.st_dev, found.st_ino)


def set_level(level: str) -> None:
    """Log from this level on."""
    logging.getLogger().setLevel(LEVELS[level])


def reopen() -> None:
    """Open the log file anew, where it has been moved away (logrotate(8))."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.handlers.WatchedFileHandler):
            handler.reopenIfNeeded()


def say_fatal(error: BaseException, *, is_foreseen: bool = False) -> None:
    """Say what ends the master: jobs run on under their supervisors."""
    logging.getLogger("claw").critical(
        "the master ends by an error; jobs run on: %s",
        error,
        exc_info=None if is_foreseen else error,
    )
