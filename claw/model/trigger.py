"""Triggers: by the ends of which jobs' runs another job's run begins. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from claw.model.condition import Condition
from claw.model.graph import Dependency, Graph
from claw.model.lineage import MAX_DEPTH
from claw.model.run import Run, State
from claw.model.units import format_duration

MAX_FANOUT = 25


class On(StrEnum):
    """After which ends."""

    SUCCESS = "success"
    FAILURE = "failure"
    COMPLETE = "complete"


class Join(StrEnum):
    """Of several jobs: after which of them."""

    ALL = "all"
    ANY = "any"


_FAILURES = frozenset({State.FAILED, State.TIMED_OUT, State.CRASHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What begins a job's runs, beside what else does.

    Attributes:
        after: The jobs whose ends it is about.
        on: Which ends.
        delay_s: The run is due so long after the end.
        when: What else the end has to be like.
        max_fanout: Of all jobs that one end begins, in the order of their names, this one
            does not if it is a later one than that.
        join: Whether each of several jobs begins it, or all of them together.
    """

    after: tuple[str, ...]
    on: On = On.SUCCESS
    delay_s: float = 0.0
    when: Condition | None = None
    max_fanout: int = MAX_FANOUT
    join: Join = Join.ALL

    @property
    def is_joined(self) -> bool:
        """Whether it takes the ends of several jobs."""
        return len(self.after) > 1 and self.join is Join.ALL

    @property
    def words(self) -> str:
        """What it says, for people: ``build (success), 3s later, when contains:OK``."""
        several = f"{self.join} of " if len(self.after) > 1 else ""
        later = f", {format_duration(self.delay_s)} later" if self.delay_s else ""
        when = f", when {self.when.text}" if self.when else ""
        return f"{several}{', '.join(self.after)} ({self.on}){later}{when}"

    @property
    def key(self) -> str:
        """Which ends it is about: the same for the same ends."""
        when = f" when {self.when.text}" if self.when else ""
        return f"{'+'.join(sorted(self.after))} {self.on}{when}"

    def is_for(self, run: Run) -> bool:
        """Tell whether it is about the way in which a run has ended."""
        if self.on is On.SUCCESS:
            return run.state is State.SUCCEEDED
        if self.on is On.FAILURE:
            return run.state in _FAILURES
        return is_complete(run)


def is_complete(run: Run) -> bool:
    """Tell whether a run has ended after it had begun: anything may follow from that."""
    if run.state is State.CANCELED:
        return bool(run.attempt) or run.started_at is not None
    return run.state is State.SUCCEEDED or run.state in _FAILURES


class Triggers:
    """All triggers of one configuration.

    Args:
        declared: By the job that is begun.
    """

    __slots__ = ("_after", "_declared", "_graph")

    def __init__(self, declared: Mapping[str, Trigger]) -> None:
        self._declared = declared
        after: dict[str, list[str]] = {}
        for name in sorted(declared):
            for parent in dict.fromkeys(declared[name].after):
                after.setdefault(parent, []).append(name)
        self._after = {parent: tuple(names) for parent, names in after.items()}
        edges: dict[str, tuple[Dependency, ...]] = {
            parent: () for parent in after if parent not in declared
        }
        for name, trigger in declared.items():
            edges[name] = tuple(Dependency(job=parent) for parent in trigger.after)
        self._graph = Graph(edges)

    def after(self, name: str) -> tuple[str, ...]:
        """Return the jobs that a job's ends may begin, in the order of their names."""
        return self._after.get(name, ())

    def conditions_on(self, name: str) -> Iterator[Condition]:
        """Yield what of the output of a job's runs has to be known."""
        found = (self._declared[child].when for child in self.after(name))
        return (one for one in dict.fromkeys(found) if one is not None and one.is_of_output)

    def pairs_by_root(self, name: str) -> bool:
        """Tell whether the jobs that a job joins have a beginning in common.

        Then those of their runs belong together that come of the same first run.
        """
        lines = [self._graph.with_needs([parent]) for parent in self._declared[name].after]
        return bool(frozenset.intersection(*lines))

    def descendants(self, name: str) -> frozenset[str]:
        """Return the jobs that a job's ends may begin over any number of steps."""
        found: set[str] = set()
        rest = [name]
        while rest:
            new = [child for child in self.after(rest.pop()) if child not in found]
            found.update(new)
            rest += new
        return frozenset(found)

    def cycle(self) -> tuple[str, ...]:
        """Return the jobs of a cycle, each beginning the next and the last the first."""
        found = self._graph.cycle()
        return (*found[:1], *found[:0:-1])

    def too_long(self) -> tuple[str, ...]:
        """Return jobs of which each begins the next, more than may; empty: none do so.

        There is no cycle among them.
        """
        for name in self._declared:
            if self._graph.level(name) > MAX_DEPTH:
                return self._longest_to(name)
        return ()

    def _longest_to(self, name: str) -> tuple[str, ...]:
        way = [name]
        while way[-1] in self._declared:
            way.append(max(self._declared[way[-1]].after, key=self._graph.level))
        return tuple(reversed(way))
