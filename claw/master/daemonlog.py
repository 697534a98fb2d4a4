"""What the master has to say: lines of text, to log/clawd.log and the terminal."""

import contextlib
import json
import logging
import logging.handlers
import os
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Text(logging.Formatter):
    """Lines of text; what an error has left behind it stands on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{_at(record)} {record.levelname.lower():7} {_said(record)}"


class _Json(logging.Formatter):
    """Each line an object, whatever was said in it."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info:
            said["trace"] = _trace(record)
        return json.dumps(said, ensure_ascii=False)


class _Journal(logging.Formatter):
    """Lines for journald: each begins with its priority (sd-daemon(3)); it knows the time."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        text = _said(record) if self._inner is None else self._inner.format(record)
        priority = next(
            number for level, number in _PRIORITIES.items() if record.levelno >= level
        )
        return "\n".join(f"<{priority}>{line}" for line in text.splitlines())


def _at(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC).astimezone()
    return at.isoformat(timespec="milliseconds")


def _said(record: logging.LogRecord) -> str:
    text = f"{record.name}: {record.getMessage()}"
    return f"{text}\n{_trace(record)}" if record.exc_info else text


def _trace(record: logging.LogRecord) -> str:
    error = record.exc_info
    return "".join(traceback.format_exception(*error)).rstrip() if error else ""


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
    path: str,
    *,
    level: str,
    on_terminal: bool,
    journal: tuple[int, int] | None = None,
    form: str = "text",
) -> None:
    """Log to a file, which may be moved away at any time, and to the terminal if asked.

    Args:
        path: Of the file.
        level: One of `LEVELS`.
        form: ``text`` or ``json``.
        on_terminal: Also to standard error.
        journal: Device and inode of the journal's stream (``JOURNAL_STREAM``,
            systemd.exec(5)): if standard error is that, lines get priorities.
    """
    handlers: list[logging.Handler] = [_File(path)]
    if on_terminal:
        is_journal = _is_stderr(journal)
        handlers.append(
            _ToJournal(sys.stderr) if is_journal else logging.StreamHandler(sys.stderr)
        )
    logging.basicConfig(level=LEVELS[level], handlers=handlers, force=True)
    adjust(level, form)


class _ToJournal(logging.StreamHandler[TextIO]):
    """Standard error, where that is the journal."""


def _is_stderr(journal: tuple[int, int] | None) -> bool:
    try:
        found = os.fstat(2)
    except OSError:
        return False
    return journal == (found.st_dev, found.st_ino)


class _Hiding(logging.Filter):
    """Masks what must not be shown in every line, tracebacks included."""

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._mask = mask

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record; all are let through."""
        said = record.getMessage()
        if record.exc_info:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            if self._mask(trace) != trace:
                said, record.exc_info = f"{said}\n{trace}", None
        record.msg, record.args = self._mask(said), None
        return True


def hide(mask: Callable[[str], str]) -> None:
    """Have every line masked from now on, by that alone."""
    for handler in logging.getLogger().handlers:
        for known in [one for one in handler.filters if isinstance(one, _Hiding)]:
            handler.removeFilter(known)
        handler.addFilter(_Hiding(mask))


def adjust(level: str, form: str) -> None:
    """Log from this level on, in this form: ``text`` or ``json``."""
    root = logging.getLogger()
    root.setLevel(LEVELS[level])
    plain = _Json() if form == "json" else _Text()
    for handler in root.handlers:
        is_journal = isinstance(handler, _ToJournal)
        inner = plain if form == "json" else None
        handler.setFormatter(_Journal(inner) if is_journal else plain)


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
