"""Telling a supervisor to end its run."""

import logging

import trio

from claw.errors import ClawError
from claw.master.supervision.linefeed import LostError
from claw.master.supervision.links import Links
from claw.model.effect import StopRun
from claw.wire.supervision import Message  # noqa: TC001

_LOG = logging.getLogger("claw")
_STOP_PAUSE_S = 0.05


async def tell_stop(links: Links, effect: StopRun) -> None:
    """Tell a supervisor to end its run, for as long as there is one to be told."""
    about: Message = {"run": effect.run} if effect.run else {}  # else whatever it does
    while effect.sid in links.all:
        try:
            await links.call(
                effect.sid,
                op="stop",
                **about,
                why=effect.why,
                by=effect.by,
                grace_s=effect.grace_s,
            )
        except LostError:
            await trio.sleep(_STOP_PAUSE_S)
        except ClawError as error:
            _LOG.error("supervisor %s cannot be told to stop: %s", effect.sid, error)
            return
        else:
            return
