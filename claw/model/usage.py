"""What a tree of processes uses, against what its job may use: pure.

A limit that the kernel enforces is not measured again; that it has struck is what counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from claw.model.job import Resources
from claw.model.units import format_size

CPU_WINDOW_S = 30.0
"""Processor time counts as a mean over so long."""
CALM_S = 60.0
"""What has been within its limit for so long is over; a new attempt's window fits into it."""
MEMORY, CPU, PIDS = "memory", "cpu", "pids"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was found at one time; the counts are the kernel's, of limits that have struck."""

    at_s: float  # monotonic
    memory_bytes: int = 0
    cpu_s: float = 0.0  # used so far
    pids: int = 0
    oom_kills: int = 0
    forks_refused: int = 0


@dataclass(slots=True)
class History:
    """The usages of one attempt, as far back as they count.

    Attributes:
        attempt: Its number.
        is_all: Whatever the kernel has counted is of this attempt, and new: it is the run's
            first, and nothing has been told of it.
    """

    attempt: int
    is_all: bool = False
    usages: list[Usage] = field(default_factory=list)

    def add(self, usage: Usage) -> None:
        """Take in a usage, and forget those that count no more."""
        self.usages.append(usage)
        while len(self.usages) > 1 and usage.at_s - self.usages[1].at_s >= CPU_WINDOW_S:
            del self.usages[0]

    @property
    def processors(self) -> float | None:
        """Processors kept busy over the window; None until it is full."""
        first, last = self.usages[0], self.usages[-1]
        wall_s = last.at_s - first.at_s
        if wall_s < CPU_WINDOW_S:
            return None
        return max(last.cpu_s - first.cpu_s, 0.0) / wall_s


@dataclass(slots=True)
class Excesses:
    """What a run has been told to be beyond, and when each was seen so last (monotonic).

    Each is one condition, told once, until it has been within its limit for `CALM_S`.
    """

    seen_at_s: dict[str, float] = field(default_factory=dict)

    def fresh(self, found: Mapping[str, str]) -> dict[str, str]:
        """Return what is beyond its limit and not yet told."""
        return {what: text for what, text in found.items() if what not in self.seen_at_s}

    def over(self, found: Mapping[str, str], at_s: float) -> list[str]:
        """Return what has been within its limit for long enough."""
        return [
            what
            for what, seen_at_s in self.seen_at_s.items()
            if what not in found and at_s - seen_at_s >= CALM_S
        ]

    def after(self, found: Mapping[str, str], at_s: float) -> "Excesses":
        """Return what is told once `fresh` and `over` are."""
        over = self.over(found, at_s)
        kept = {what: seen for what, seen in self.seen_at_s.items() if what not in over}
        return Excesses(kept | dict.fromkeys(found, at_s))


def beyond(limits: Resources, history: History, enforced: frozenset[str]) -> dict[str, str]:
    """Return what is beyond its limit now, and the figures in words.

    Args:
        limits: What the job may use.
        history: What its present attempt has used; the last usage is that of now.
        enforced: The limits that the kernel holds it to.
    """
    now = history.usages[-1]
    found: dict[str, str] = {}
    if limits.memory_bytes is not None:
        most = format_size(limits.memory_bytes)
        if MEMORY in enforced and now.oom_kills > _before(history).oom_kills:
            found[MEMORY] = f"the kernel killed a part of it at its limit of {most} of memory"
        elif MEMORY not in enforced and now.memory_bytes > limits.memory_bytes:
            found[MEMORY] = f"memory {format_size(now.memory_bytes)}, limit {most}"
    if limits.pids is not None:
        if PIDS in enforced and _was_refused(history, limits.pids):
            most = f"{limits.pids} processes and threads"
            found[PIDS] = f"a fork was refused at its limit of {most}"
        elif PIDS not in enforced and now.pids > limits.pids:
            found[PIDS] = f"{now.pids} processes and threads, limit {limits.pids}"
    busy = history.processors
    if (
        limits.cpu is not None
        and CPU not in enforced
        and busy is not None
        and busy > limits.cpu
    ):
        found[CPU] = f"{busy:.2f} processors over {CPU_WINDOW_S:g} s, limit {limits.cpu:g}"
    return found


def _before(history: History) -> Usage:
    """Return the usage that the kernel's counts of now are to be held against."""
    if len(history.usages) > 1:
        return history.usages[-2]
    return Usage(at_s=0.0) if history.is_all else history.usages[-1]


def _was_refused(history: History, most: int) -> bool:
    """Tell whether forks were refused since the look before.

    At the first look at an attempt its group may have counted those of earlier ones; a tree
    that is at its limit then is taken to have got there just so again.
    """
    now = history.usages[-1]
    if now.forks_refused > _before(history).forks_refused:
        return True
    return len(history.usages) == 1 and now.forks_refused > 0 and now.pids >= most
