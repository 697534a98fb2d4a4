"""The graph of dependencies: who waits for whom, in which order jobs start and stop.

A job that declares ``before_complete`` is what the named job waits for, so there is one
kind of edge here: from a job that waits to the job that it needs. Pure; a graph that
`cycle` finds a way around in is never in force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Condition(StrEnum):
    """What of another job a declaration is about."""

    AFTER_START = "after_start"
    AFTER_COMPLETE = "after_complete"
    BEFORE_COMPLETE = "before_complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One entry of a job's ``depends_on``."""

    job: str
    condition: Condition = Condition.AFTER_START
    timeout_s: float = 0.0  # 0: none
    line: int = field(default=0, compare=False)  # where it stands


@dataclass(frozen=True, slots=True)
class Need:
    """What a job waits for."""

    job: str  # the one that is needed
    to_complete: bool  # its run has to end well; else it has to be ready
    timeout_s: float
    declared_by: str


class Graph:
    """All needs of one configuration.

    Args:
        declared: What each job says, by job, in the order of the configuration.
    """

    __slots__ = ("_levels", "_needed_by", "_needs")

    def __init__(self, declared: Mapping[str, Sequence[Dependency]]) -> None:
        needs: dict[str, list[Need]] = {}
        for name, dependencies in declared.items():
            for one in dependencies:
                waits, need = _edge(name, one)
                if waits in declared and need.job in declared:
                    needs.setdefault(waits, []).append(need)
        self._needs = {name: tuple(found) for name, found in needs.items()}
        needed_by: dict[str, dict[str, None]] = {}
        for name, found in self._needs.items():
            for need in found:
                needed_by.setdefault(need.job, {})[name] = None
        self._needed_by = {name: tuple(found) for name, found in needed_by.items()}
        self._levels: dict[str, int] = {}

    def needs(self, name: str) -> tuple[Need, ...]:
        """Return what a job waits for itself."""
        return self._needs.get(name, ())

    def needed_by(self, name: str) -> tuple[str, ...]:
        """Return the jobs that wait for a job themselves."""
        return self._needed_by.get(name, ())

    def with_needs(self, names: Iterable[str]) -> frozenset[str]:
        """Return some jobs and all that they need, over any number of steps."""
        found = set(names)
        rest = list(found)
        while rest:
            new = {need.job for need in self.needs(rest.pop())} - found
            found |= new
            rest += new
        return frozenset(found)

    def level(self, name: str) -> int:
        """Return how many steps a job stands above those that need nothing.

        In order of their levels jobs start, those of one level together; in the reverse
        order they stop. The graph has no cycle.
        """
        rest = [name]
        while rest:
            one = rest[-1]
            unknown = [need.job for need in self.needs(one) if need.job not in self._levels]
            if unknown and one not in self._levels:
                rest += unknown
                continue
            rest.pop()
            below = (self._levels[need.job] for need in self.needs(one))
            self._levels[one] = max(below, default=-1) + 1
        return self._levels[name]

    def cycle(self) -> tuple[str, ...]:
        """Return the jobs of a cycle, each waiting for the next and the last for the first.

        Empty: there is none.
        """
        done: set[str] = set()
        for start in self._needs:
            found = self._cycle_from(start, done)
            if found:
                return found
        return ()

    def _cycle_from(self, start: str, done: set[str]) -> tuple[str, ...]:
        way: dict[str, list[str]] = {}
        name: str | None = start
        while name is not None:
            if name not in way and name not in done:
                way[name] = [need.job for need in self.needs(name)]
            if way.get(name):
                name = way[name].pop()
                if name in way:
                    names = list(way)
                    return tuple(names[names.index(name) :])
                continue
            done.add(name)
            way.pop(name, None)
            name = next(reversed(way), None)
        return ()


def _edge(name: str, one: Dependency) -> tuple[str, Need]:
    """Return who waits, and for what."""
    if one.condition is Condition.BEFORE_COMPLETE:
        return one.job, Need(name, True, one.timeout_s, name)
    to_complete = one.condition is Condition.AFTER_COMPLETE
    return name, Need(one.job, to_complete, one.timeout_s, name)
