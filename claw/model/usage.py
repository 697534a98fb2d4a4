"""What a tree of processes uses, against what its job may use: pure.

A limit that the kernel enforces is not measured again; that it has struck is what counts.
"""

from dataclasses import dataclass, field

from claw.model.job import Resources
from claw.model.units import format_size

CPU_WINDOW_S = 30.0
"""Processor time counts as a mean over so long."""
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
    """The usages of one attempt, as far back as they count."""

    attempt: int
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


def beyond(limits: Resources, history: History, enforced: frozenset[str]) -> dict[str, str]:
    """Return what is beyond its limit now, and the figures in words.

    Args:
        limits: What the job may use.
        history: What its present attempt has used; the last usage is that of now.
        enforced: The limits that the kernel holds it to.
    """
    now, before = history.usages[-1], history.usages[max(len(history.usages) - 2, 0)]
    found: dict[str, str] = {}
    if limits.memory_bytes is not None:
        most = format_size(limits.memory_bytes)
        if MEMORY in enforced and now.oom_kills > before.oom_kills:
            found[MEMORY] = f"the kernel killed a part of it at its limit of {most} of memory"
        elif MEMORY not in enforced and now.memory_bytes > limits.memory_bytes:
            found[MEMORY] = f"memory {format_size(now.memory_bytes)}, limit {most}"
    if limits.pids is not None:
        if PIDS in enforced and now.forks_refused > before.forks_refused:
            found[PIDS] = f"a fork was refused at its limit of {limits.pids} processes"
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
