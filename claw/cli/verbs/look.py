"""``search``, ``why`` and ``version``."""

from __future__ import annotations

import platform

from claw import __version__
from claw.wire.control import PROTOCOL_VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def search(context: Context) -> int:
    """Find jobs."""
    context.show(context.call("job.search", text=context.args["text"]))
    return 0


def why(context: Context) -> int:
    """Explain a state."""
    at = context.args["at"]
    context.show(
        context.call(
            "job.why", target=context.args["target"], at=at.isoformat() if at else None
        )
    )
    return 0


def version(context: Context) -> int:
    """Tell the version of this program, without a daemon."""
    context.show(
        {
            "version": __version__,
            "protocol": PROTOCOL_VERSION,
            "python": platform.python_version(),
        }
    )
    return 0
