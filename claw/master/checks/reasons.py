"""Why a look found no answer, in the system's words, and whose fault that is."""

import errno
import os
import socket
from collections.abc import Iterator

from claw.errors import ClawError

SHORTAGES = frozenset(
    {
        errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN,
        socket.EAI_AGAIN, socket.EAI_MEMORY, socket.EAI_SYSTEM,
    }
)  # fmt: skip
"""What this machine or process is short of: no word of the service that is looked at."""


class NoLookError(ClawError):
    """It could not be looked, for a reason of claw's own: that tells nothing of the service."""

    code = "no_look"


def reason(error: BaseException) -> str:
    """Return the innermost cause: libraries wrap it, and say less than it does."""
    error = next(_causes(error))
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def fault(what: str, error: BaseException) -> str:
    """Return why something that was looked at is not well.

    Raises:
        NoLookError: It was not even looked at.
    """
    for cause in _causes(error):
        if getattr(cause, "errno", None) in SHORTAGES:
            raise NoLookError(f"{what}: {reason(cause)}") from error
    return f"{what}: {reason(error)}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the innermost causes of an error; there are more when more was tried."""
    inner = tuple(getattr(error, "exceptions", ()))
    cause = error.__cause__ or error.__context__
    if not inner and cause is not None and cause is not error:
        inner = (cause,)
    for one in inner:
        yield from _causes(one)
    if not inner:
        yield error
