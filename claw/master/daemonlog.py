"""What the master has to say: lines of text, to log/clawd.log and the terminal."""

import logging
import logging.handlers
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


def begin(path: str, *, level: str, on_terminal: bool) -> None:
    """Log to a file, which may be moved away at any time, and to the terminal if asked."""
    handlers: list[logging.Handler] = [logging.handlers.WatchedFileHandler(path)]
    if on_terminal:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(_Text())
    logging.basicConfig(level=LEVELS[level], handlers=handlers, force=True)


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
