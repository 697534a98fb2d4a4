"""How much of the audit log those may fill who have no say here: guests who are refused.

Of what a guest asks for and has had no effect the first `AT_ONCE` are written down, then one in
`EVERY_S`, for each user; the next line of that user tells how many were left out.
"""

from dataclasses import dataclass

AT_ONCE = 20
EVERY_S = 60.0
_USERS = 1000
"""So many users are told apart; who was refused longest ago is forgotten first."""


@dataclass(slots=True)
class _Standing:
    room: float
    at: float
    left_out: int = 0


class Restraint:
    """Says which refusals of guests are written down."""

    def __init__(self) -> None:
        self._users: dict[int, _Standing] = {}

    def refused(self, uid: int, now: float) -> int | None:
        """Return how many were left out before this refusal; None: this one is, too.

        Args:
            uid: Whose it is.
            now: Seconds, by a clock that only goes on.
        """
        one = self._users.pop(uid, None) or _Standing(AT_ONCE, now)
        self._users[uid] = one
        if len(self._users) > _USERS:
            del self._users[next(iter(self._users))]
        one.room = min(AT_ONCE, one.room + (now - one.at) / EVERY_S)
        one.at = now
        if one.room < 1:
            one.left_out += 1
            return None
        one.room -= 1
        return self.left_out(uid)

    def left_out(self, uid: int) -> int:
        """Return how many refusals of a user were left out since this was asked last."""
        one = self._users.get(uid)
        if one is None:
            return 0
        count, one.left_out = one.left_out, 0
        return count
