"""Why a look found no answer, in the system's words, and whose fault that is."""

import errno
import socket

from claw.errors import ClawError
from claw.kernel.causes import innermost, reason

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


def fault(what: str, error: BaseException) -> str:
    """Return why something that was looked at is not well.

    Raises:
        NoLookError: It was not even looked at.
    """
    for cause in innermost(error):
        if getattr(cause, "errno", None) in SHORTAGES:
            raise NoLookError(f"{what}: {reason(cause)}") from error
    return f"{what}: {reason(error)}"
