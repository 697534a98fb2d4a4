"""Workflows for tests, and what becomes of them as the documentation says it: a model.

The model knows nothing of the engine. It is told which step has ended and how, and says which
steps run then, which are left out, and how the whole has ended.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from claw.model.job import Job
from claw.model.run import Run
from claw.model.workflow import On, OnBadEnd, Step, Workflow
from tests.kit.desk import Desk


def flow(name: str, definition: Workflow, **values: object) -> Job:
    """Return a workflow's job."""
    return Job(name=name, argv=(), workflow=definition, **values)  # type: ignore[arg-type]


def newest(desk: Desk, root: Run, anew: Collection[str] = ()) -> dict[str, Run]:
    """Return the newest row of each step of a workflow.

    Args:
        desk: Has them.
        root: The last of its own runs.
        anew: Steps of which only rows of that run are wanted.
    """
    found = {}
    for run in reversed(desk.runs()):
        step = run.lineage.step
        if run.lineage.workflow != root.lineage.workflow or step is None:
            continue
        if run.lineage.parent == root.id or step not in anew:
            found[step] = run
    return found


@dataclass
class Model:
    """How a workflow should stand.

    Attributes:
        definition: Its steps.
        ended: How steps have ended that ran: their exit status; None: canceled.
        running: Those that run.
        left_out: Those that never will.
        is_canceled: Somebody has ended the whole.
    """

    definition: Workflow
    ended: dict[str, int | None] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    is_canceled: bool = False

    def end(self, step: str, code: int | None) -> None:
        """A step has ended for good."""
        self.running.remove(step)
        self.ended[step] = code

    def cancel(self) -> None:
        """All of it is to end."""
        self.is_canceled = True
        self.left_out |= self._rest()

    def settle(self) -> None:
        """Find what begins now, and what never will."""
        ready: list[Step] = []
        before = None
        while before != self.left_out:
            before = set(self.left_out)
            ready = []
            for step in self.definition.steps:
                if step.name in self._rest() and self._have_ended(step):
                    if self._is_fit(step):
                        ready.append(step)
                    else:
                        self.left_out.add(step.name)
        for step in ready:
            if not self.definition.max_parallel or (
                len(self.running) < self.definition.max_parallel
            ):
                self.running.add(step.name)

    def _rest(self) -> set[str]:
        names = {step.name for step in self.definition.steps}
        return names - self.ended.keys() - self.running - self.left_out

    def _have_ended(self, step: Step) -> bool:
        return all(name in self.ended or name in self.left_out for name in step.needs)

    def _is_fit(self, step: Step) -> bool:
        codes = [self.ended.get(name, "left out") for name in step.needs]
        bad = [code for code in codes if code not in {0, "left out"}]
        has_bad = any(code != 0 for code in self.ended.values())
        if step.on is On.SUCCESS and any(code != 0 for code in codes):
            return False
        if step.on is On.FAILURE and not bad:
            return False
        if step.on is On.SUCCESS and has_bad and self.definition.on_failure is OnBadEnd.STOP:
            return False
        wanted = None if step.when is None else int(step.when.value)
        return wanted is None or all(code == wanted for code in codes)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return not self.running and not self._rest()

    @property
    def state(self) -> str:
        """The state of the workflow's own run."""
        if not self.is_over:
            return "running"
        if self.is_canceled:
            return "canceled"
        return "failed" if any(code != 0 for code in self.ended.values()) else "succeeded"

    def states(self, open_states: Mapping[str, str]) -> dict[str, str]:
        """Return the state of each step that has a row.

        Args:
            open_states: Those of steps that have not ended, which the model does not tell
                apart.
        """
        found = dict.fromkeys(self.left_out, "skipped")
        for name, code in self.ended.items():
            found[name] = "canceled" if code is None else "failed" if code else "succeeded"
        return found | {name: open_states[name] for name in self.running}
