"""Journals of many supervisors as one history: cut where a run is launched, put in order.

The attempts of one run may lie in several journals, and a journal may tell of several runs,
so that neither can be taken in after the other. The order is that of the launches' times, but
the order within a journal, and that of a run's attempts, stands whatever a clock has said.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from claw.master.engine import journal
from claw.model import fact as facts
from claw.model.evidence import Evidences

_NONE: Evidences = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spool:
    """A supervisor's journal, as it lies in its folder.

    Attributes:
        sid: Whose.
        data: All of it.
        evidences: Looks for what the files of the attempts say of which a part of it tells,
            which takes a while.
    """

    sid: str
    data: bytes
    evidences: Callable[[bytes], Evidences] = lambda _data: _NONE


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a journal says from the launch of one attempt to the launch of another.

    Attributes:
        spool: The journal.
        begin: Where in it that begins.
        end: Where that ends.
        launched: The launch; None: the journal tells of none.
    """

    spool: Spool
    begin: int
    end: int
    launched: facts.Launched | None

    @property
    def data(self) -> bytes:
        """What it says."""
        return self.spool.data[self.begin : self.end]

    @property
    def run(self) -> str:
        """Whose launch it is."""
        return self.launched.run if self.launched else ""

    @property
    def attempt(self) -> int:
        """Which of its run's attempts is launched."""
        return self.launched.attempt if self.launched else 0

    @property
    def at(self) -> float:
        """When, by the host's clock."""
        return self.launched.at.timestamp() if self.launched else 0.0


def stretches(spool: Spool) -> Iterator[Stretch]:
    """Yield the parts of a journal; what comes before its first launch belongs to that."""
    begin, reached, launched = 0, 0, None
    for end, fact in journal.lines(spool.data, 0):
        if isinstance(fact, facts.Launched):
            if launched is not None:
                yield Stretch(spool, begin, reached, launched)
                begin = reached
            launched = fact
        reached = end
    yield Stretch(spool, begin, len(spool.data), launched)


def in_order(spools: Iterable[Spool]) -> Iterator[Stretch]:
    """Yield the parts of all journals in the order in which they are to be taken in."""
    parts = {spool.sid: list(stretches(spool))[::-1] for spool in spools}
    left = _attempts(parts)
    heads = [(some[-1].at, sid) for sid, some in parts.items()]
    heapq.heapify(heads)
    held: dict[str, list[tuple[float, str]]] = {}
    while heads or held:
        if not heads:  # no order fits what they say
            heads = sorted(head for some in held.values() for head in some)
            held, left = {}, {}
        head = heapq.heappop(heads)
        some = parts[head[1]]
        one = some[-1]
        if left.get(one.run, [one.attempt])[-1] != one.attempt:
            held.setdefault(one.run, []).append(head)
            continue
        some.pop()
        if one.run in left:
            left[one.run].pop()
        for again in held.pop(one.run, ()):
            heapq.heappush(heads, again)
        if some:
            heapq.heappush(heads, (some[-1].at, head[1]))
        yield one


def _attempts(parts: Mapping[str, list[Stretch]]) -> dict[str, list[int]]:
    """Return the attempts of each run that are told of, the last one first."""
    found: dict[str, list[int]] = {}
    for some in parts.values():
        for one in some:
            found.setdefault(one.run, []).append(one.attempt)
    return {run: sorted(attempts, reverse=True) for run, attempts in found.items()}
