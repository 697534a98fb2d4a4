"""What is armed and is not to begin: called off before it is launched, or withdrawn.

A launch that is still in the master's line is called off at once. Of one that the fork server
has been asked for, its supervisor decides; who has asked for what withdraws it is answered when
that is known (`settled`), so that nothing begins any more after the answer.
"""

import trio

from claw.master.supervision.links import Links
from claw.master.supervision.stops import tell_stop
from claw.model.effect import Withdraw

_PATIENCE_S = 2.0
"""So long an answer waits for supervisors; one that is frozen must not hold it up."""
_REMEMBERED_S = 10.0
"""So long it is known that one was called off of which nobody has heard yet."""


class Withdrawals:
    """Knows what waits to be launched ahead, and withdraws it or has that done."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._line: set[str] = set()
        self._called_off: dict[str, float] = {}  # by supervisor, when, in trio's time
        self._told: dict[str, trio.Event] = {}  # by supervisor, until it has answered

    def expect(self, sid: str) -> None:
        """A launch is in line; it may have been called off since it was claimed."""
        self._line.add(sid)

    def may_begin(self, sid: str) -> bool:
        """Take a launch out of the line, to be asked for; False: it has been called off."""
        self._line.discard(sid)
        return self._called_off.pop(sid, None) is None

    def withdraw(self, effect: Withdraw, nursery: trio.Nursery) -> None:
        """Have one not begin, if it has not; who is being told is not told again."""
        if effect.sid in self._told:
            return
        if effect.sid in self._line or effect.sid not in self._links.all:
            self._call_off(effect.sid)
            return
        self._told[effect.sid] = trio.Event()
        nursery.start_soon(self._tell, effect)

    def _call_off(self, sid: str) -> None:
        now = trio.current_time()
        for one, at in tuple(self._called_off.items()):
            if one not in self._line and now - at > _REMEMBERED_S:
                del self._called_off[one]
        self._called_off[sid] = now

    async def _tell(self, effect: Withdraw) -> None:
        try:
            await tell_stop(self._links, effect)
        finally:
            self._told.pop(effect.sid).set()

    async def settled(self) -> None:
        """Wait until it is known of all that is withdrawn now whether it has begun."""
        with trio.move_on_after(_PATIENCE_S):
            for told in tuple(self._told.values()):
                await told.wait()
