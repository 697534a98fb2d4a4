"""Watches the supervisors' heartbeats: who is silent is named, and left alone.

A supervisor touches its heartbeat every ``daemon.heartbeat`` seconds. One that is stale and
does not answer a ping either (stopped, or stuck) is flagged ``unresponsive``; its job runs on.
"""

import logging
import os

import trio

from claw.errors import ClawError
from claw.kernel import clock
from claw.master.supervision.growth import Supervised
from claw.master.supervision.links import PING_S, Links
from claw.model.home import Home

_LOG = logging.getLogger("claw.health")
STALE_BEATS = 2.5
"""A heartbeat is stale after so many of its periods (75 s by default)."""


async def serve_health(home: Home, links: Links, heartbeat_s: float) -> None:
    """Look at all heartbeats, once per period; who is slow to answer keeps no other waiting."""
    while True:
        await trio.sleep(heartbeat_s)
        async with trio.open_nursery() as nursery:
            for one in tuple(links.all.values()):
                nursery.start_soon(_look, home, links, one, heartbeat_s)


async def _look(home: Home, links: Links, one: Supervised, heartbeat_s: float) -> None:
    is_silent = not _is_fresh(home, one.sid, heartbeat_s) and not await _answers(
        links, one.sid, heartbeat_s
    )
    if is_silent != one.is_silent:
        one.is_silent = is_silent
        text = "does not answer; its job runs on" if is_silent else "answers again"
        _LOG.warning("supervisor %s %s", one.sid, text)


def _is_fresh(home: Home, sid: str, heartbeat_s: float) -> bool:
    try:
        beat = os.stat(f"{home.supervisor_run(sid)}/heartbeat").st_mtime  # noqa: PTH116
    except OSError:
        return False
    return abs(clock.wall() - beat) < heartbeat_s * STALE_BEATS


async def _answers(links: Links, sid: str, heartbeat_s: float) -> bool:
    try:
        await links.call(sid, patience_s=min(PING_S, heartbeat_s), op="hello")
    except ClawError:
        return False
    return True
