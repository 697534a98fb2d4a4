"""Who goes, when there are as many connections as there may be and another one comes.

Whoever has more than the newcomer would have makes room: at the control socket a process, at
the one for children a user first, since each child of theirs is another process.
"""

from collections import Counter
from collections.abc import Collection
from typing import Protocol, TypeVar

from claw.master.control.peers import Peer


class Guest(Protocol):
    """What is asked of a connection."""

    peer: Peer
    active_at: float

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done for this client."""


G = TypeVar("G", bound=Guest)


def greedier(guests: Collection[G], peer: Peer, *, by_user: bool) -> G | None:
    """Return the connection that has to go for another one; None: none has to.

    Args:
        guests: All that are open.
        peer: Who comes.
        by_user: Count those of a user together, and spare none of theirs for being busy.
    """
    found = _of_greediest(guests, peer, by_user=True) if by_user else None
    return found or _of_greediest(guests, peer, by_user=False)


def _of_greediest(guests: Collection[G], peer: Peer, *, by_user: bool) -> G | None:
    counts = Counter(_share(each.peer, by_user=by_user) for each in guests)
    own = counts[_share(peer, by_user=by_user)] + 1

    def count(each: G) -> int:
        return counts[_share(each.peer, by_user=by_user)]

    may_go = [each for each in guests if count(each) > own and (each.is_idle or by_user)]
    return max(
        may_go, key=lambda each: (count(each), each.is_idle, -each.active_at), default=None
    )


def _share(peer: Peer, *, by_user: bool) -> int:
    return peer.uid if by_user else peer.pid
