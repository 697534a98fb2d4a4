"""What is due when, of many: a heap, in which each costs the logarithm of their number."""

import heapq
from collections.abc import Mapping
from datetime import datetime


class Agenda:
    """The next time of each name that has one; times that have changed are passed over."""

    def __init__(self) -> None:
        self._next: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def replace(self, times: Mapping[str, datetime]) -> None:
        """Forget everything, and take these."""
        self._next = dict(times)
        self._heap = [(at, name) for name, at in times.items()]
        heapq.heapify(self._heap)

    def update(self, times: Mapping[str, datetime | None]) -> None:
        """Take in some next times; None: there is none any more."""
        for name, at in times.items():
            if at is None:
                self._next.pop(name, None)
            elif self._next.get(name) != at:
                self._next[name] = at
                heapq.heappush(self._heap, (at, name))

    def of(self, name: str) -> datetime | None:
        """Return the next time of a name."""
        return self._next.get(name)

    def take_due(self, now: datetime, limit: int) -> set[str]:
        """Take the names whose time has come; they have none until `update` gives one.

        Args:
            now: Due by then.
            limit: So many at most, the earliest first.
        """
        due: set[str] = set()
        while (
            len(due) < limit and (earliest := self.earliest()) is not None and earliest <= now
        ):
            _at, name = heapq.heappop(self._heap)
            due.add(name)
            del self._next[name]
        return due

    def until(self, at: datetime, limit: int) -> list[str]:
        """Return the names whose time comes by then, which they keep, the earliest first.

        Args:
            at: By then.
            limit: So many at most.
        """
        found: list[tuple[datetime, str]] = []
        places = [(self._heap[0], 0)] if self._heap else []
        while places and len(found) < limit:
            one, place = heapq.heappop(places)
            if one[0] > at:
                break
            if self._next.get(one[1]) == one[0]:
                found.append(one)
            below = (2 * place + 1, 2 * place + 2)
            for each in below:
                if each < len(self._heap):
                    heapq.heappush(places, (self._heap[each], each))
        return [name for _at, name in dict.fromkeys(found)]

    def earliest(self) -> datetime | None:
        """Return the earliest of all times."""
        while self._heap and self._next.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
