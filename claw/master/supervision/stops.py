"""Telling a supervisor to end its run, or not to begin it."""

import logging

import trio

from claw.errors import ClawError
from claw.master.supervision.linefeed import LostError
from claw.master.supervision.links import Links
from claw.model.effect import StopRun, Withdraw
from claw.wire.supervision import Message  # noqa: TC001

_LOG = logging.getLogger("claw")
_STOP_PAUSE_S = 0.05


async def tell_stop(links: Links, effect: StopRun | Withdraw) -> None:
    """Tell a supervisor to end its run, or not to begin it, while there is one to be told."""
    about: Message = {"run": effect.run} if effect.run else {}  # else whatever it does
    if isinstance(effect, Withdraw):
        request: Message = {"op": "withdraw", "why": effect.why}
    else:
        request = {"op": "stop", "why": effect.why, "by": effect.by, "grace_s": effect.grace_s}
    while effect.sid in links.all:
        try:
            await links.call(effect.sid, **about, **request)
        except LostError:
            await trio.sleep(_STOP_PAUSE_S)
        except ClawError as error:
            what = request["op"]
            _LOG.error("supervisor %s cannot be told to %s: %s", effect.sid, what, error)
            return
        else:
            return
