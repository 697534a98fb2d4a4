"""Workflows: steps that need each other, and what follows when one of them has ended.

A step is decided about once all that it needs has ended. What becomes of it then::

    on        begins when
    success   each step that it needs has succeeded (or it needs none)
    failure   at least one of them has ended badly
    complete  whatever has become of them, also if they never ran

and, with ``when``, when that holds of each run that it needs. Otherwise it is left out, which
is no bad end. After a bad end, with ``on_failure = "stop"``, only steps with ``on`` failure or
complete still begin; what runs goes on. The workflow has succeeded when no step ended badly.

Pure: states in, what is to be done out. Which step of several goes first is decided by the
order of the definition.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from claw.model.approval import Approval
from claw.model.condition import Condition
from claw.model.retry import Retry
from claw.model.run import FINAL, State

STEP_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,39}")
"""No dots: a step of its own is a job named WORKFLOW.STEP."""


class On(StrEnum):
    """After which ends of the steps that it needs a step begins."""

    SUCCESS = "success"
    FAILURE = "failure"
    COMPLETE = "complete"


class OnBadEnd(StrEnum):
    """What a step that ended badly means for those that do not need it."""

    STOP = "stop"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; what it says beside its job holds for the runs of this workflow only."""

    name: str
    job: str  # what it runs; of an inline step WORKFLOW.STEP
    needs: tuple[str, ...] = ()
    on: On = On.SUCCESS
    when: Condition | None = None  # on the run of each step that it needs
    retry: Retry | None = None  # None: as the job has it
    timeout_s: float | None = None
    approval: Approval | None = None
    is_unasked: bool = False  # its runs need no approval, whatever its job says
    env: tuple[tuple[str, str], ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """The steps of a workflow, in the order in which they are written."""

    steps: tuple[Step, ...]
    params: tuple[tuple[str, str], ...] = ()  # environment of all steps, with defaults
    max_parallel: int = 0  # steps at once; 0: no bound of its own
    on_failure: OnBadEnd = OnBadEnd.STOP

    def step(self, name: str) -> Step | None:
        """Return the step of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def after(self, name: str) -> frozenset[str]:
        """Return the steps that need one, over any number of steps, and itself."""
        found = {name}
        for step in in_order(self):  # each after all that it needs
            if not found.isdisjoint(step.needs):
                found.add(step.name)
        return frozenset(found)


_BAD = frozenset({State.FAILED, State.TIMED_OUT, State.CRASHED, State.CANCELED})


@dataclass(frozen=True, slots=True)
class Stand:
    """How a step stands that has a row."""

    state: State
    is_left_out: bool = False  # it was skipped by its workflow, not by a gate
    met: frozenset[str] = frozenset()  # the conditions that hold of its run

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @property
    def is_bad(self) -> bool:
        """Whether it ended badly: also when a gate turned it away, its work was not done."""
        if self.state in {State.SKIPPED, State.MISSED}:
            return not self.is_left_out
        return self.state in _BAD


_LEFT_OUT = Stand(State.SKIPPED, is_left_out=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a workflow has ended."""

    is_success: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done now: each step is named once, in the order of the definition."""

    begin: tuple[Step, ...]
    leave_out: tuple[tuple[Step, str], ...]  # and why, in words
    verdict: Verdict | None  # None: it goes on


def decide(
    workflow: Workflow, stands: Mapping[str, Stand], *, ending: str | None = None
) -> Decision:
    """Return what follows from how the steps of a workflow stand.

    Args:
        workflow: The definition that it began with.
        stands: Of the steps that have begun, or were left out, by name.
        ending: Why the workflow is to end, if it is: then nothing begins any more.
    """
    known = dict(stands)
    left_out: list[tuple[Step, str]] = []
    ready: list[Step] = []
    for step in in_order(workflow):
        if step.name in known or not all(
            name in known and known[name].has_ended for name in step.needs
        ):
            if ending is not None and step.name not in known:
                left_out.append((step, f"the workflow is to end: {ending}"))
                known[step.name] = _LEFT_OUT
            continue
        why = _against(workflow, step, known, ending)
        if why is None:
            ready.append(step)
        else:
            left_out.append((step, why))
            known[step.name] = _LEFT_OUT
    open_count = sum(not stand.has_ended for stand in stands.values())
    room = len(ready)
    if workflow.max_parallel:
        room = max(workflow.max_parallel - open_count, 0)
    place = {step.name: no for no, step in enumerate(workflow.steps)}
    ready.sort(key=lambda step: place[step.name])
    left_out.sort(key=lambda pair: place[pair[0].name])
    is_over = all(step.name in known and known[step.name].has_ended for step in workflow.steps)
    return Decision(
        tuple(ready[:room]), tuple(left_out), _verdict(workflow, known) if is_over else None
    )


def in_order(workflow: Workflow) -> tuple[Step, ...]:
    """Return the steps, each after all that it needs, else as they are written."""
    return tuple(step for layer in layers(workflow) for step in layer)


def layers(workflow: Workflow) -> tuple[tuple[Step, ...], ...]:
    """Return the steps in layers: each needs one of the layer before, and none of its own."""
    levels: dict[str, int] = {}
    rest = list(workflow.steps)
    while rest:
        later = []
        for step in rest:
            if all(name in levels for name in step.needs):
                levels[step.name] = max((levels[name] + 1 for name in step.needs), default=0)
            else:
                later.append(step)
        if len(later) == len(rest):
            raise ValueError("the steps need each other in a circle")
        rest = later
    found: list[list[Step]] = [[] for _ in range(max(levels.values(), default=-1) + 1)]
    for step in workflow.steps:
        found[levels[step.name]].append(step)
    return tuple(tuple(layer) for layer in found)


def _against(
    workflow: Workflow, step: Step, known: Mapping[str, Stand], ending: str | None
) -> str | None:
    """Return why a step does not begin whose needs have all ended; None: it does."""
    if ending is not None:
        return f"the workflow is to end: {ending}"
    why = _unfit(step, known)
    if why is not None:
        return why
    bad = first_bad(workflow, known)
    if workflow.on_failure is OnBadEnd.STOP and step.on is On.SUCCESS and bad is not None:
        return f"step {bad} has {_ended(known[bad])}, and on_failure = stop"
    for name in step.needs:
        if step.when is not None and step.when.text not in known[name].met:
            return f"{step.when.text} does not hold of {name}"
    return None


def _unfit(step: Step, known: Mapping[str, Stand]) -> str | None:
    if step.on is On.SUCCESS:
        for name in step.needs:
            if known[name].state is not State.SUCCEEDED:
                return f"{name}, which it needs to succeed, has {_ended(known[name])}"
    if step.on is On.FAILURE and not any(known[name].is_bad for name in step.needs):
        return f"on = failure, and {' and '.join(step.needs)} did not fail"
    return None


def first_bad(workflow: Workflow, known: Mapping[str, Stand]) -> str | None:
    """Return the first step, as they are written, that ended badly."""
    return next(
        (one.name for one in workflow.steps if one.name in known and known[one.name].is_bad),
        None,
    )


def _ended(stand: Stand) -> str:
    if stand.is_left_out:
        return "been left out"
    words = {State.SUCCEEDED: "succeeded", State.FAILED: "failed", State.CRASHED: "crashed"}
    return words.get(stand.state, f"ended {str(stand.state).replace('_', ' ')}")


def _verdict(workflow: Workflow, known: Mapping[str, Stand]) -> Verdict:
    bad = first_bad(workflow, known)
    if bad is None:
        return Verdict(is_success=True)
    return Verdict(is_success=False, reason=f"step {bad} has {_ended(known[bad])}")


def conditions_after(workflow: Workflow, name: str) -> tuple[Condition, ...]:
    """Return the conditions that are to be tried on the run of a step, each once."""
    found = (step.when for step in workflow.steps if name in step.needs)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def conditions_by_job(workflows: Iterable[Workflow]) -> dict[str, tuple[Condition, ...]]:
    """Return what the steps of workflows ask of the output of jobs that others of them run."""
    found: dict[str, dict[Condition, None]] = {}
    for whole in workflows:
        for step in whole.steps:
            for one in conditions_after(whole, step.name):
                if one.is_of_output:
                    found.setdefault(step.job, {})[one] = None
    return {job: tuple(asked) for job, asked in found.items()}


def chain(jobs: Collection[str], on_failure: OnBadEnd = OnBadEnd.STOP) -> Workflow:
    """Return jobs one after the other, each once the one before has succeeded.

    With ``on_failure = continue`` the next one begins whatever has become of the one before.
    """
    on = On.SUCCESS if on_failure is OnBadEnd.STOP else On.COMPLETE
    names = step_names(jobs)
    steps = []
    for no, (name, job) in enumerate(zip(names, jobs, strict=True)):
        needs = names[no - 1 : no] if no else ()
        steps.append(Step(name=name, job=job, needs=needs, on=on if no else On.SUCCESS))
    return Workflow(steps=tuple(steps), on_failure=on_failure)


def group(jobs: Collection[str], on_failure: OnBadEnd = OnBadEnd.CONTINUE) -> Workflow:
    """Return jobs side by side."""
    pairs = zip(step_names(jobs), jobs, strict=True)
    steps = tuple(Step(name=name, job=job) for name, job in pairs)
    return Workflow(steps=steps, on_failure=on_failure)


def chord(jobs: Collection[str], callback: str, on: On = On.COMPLETE) -> Workflow:
    """Return jobs side by side, and one more when all of them have ended."""
    names = step_names((*jobs, callback))
    head = tuple(Step(name=name, job=job) for name, job in zip(names[:-1], jobs, strict=True))
    last = Step(name=names[-1], job=callback, needs=names[:-1], on=on)
    return Workflow(steps=(*head, last), on_failure=OnBadEnd.CONTINUE)


def step_names(jobs: Collection[str]) -> tuple[str, ...]:
    """Return a name for each step; a job that comes again is called JOB-2, JOB-3, ..."""
    found: dict[str, None] = {}
    taken = set(jobs)
    for job in jobs:
        name, no = job, 1
        while name in found or (no > 1 and name in taken):
            no += 1
            name = f"{job}-{no}"
        found[name] = None
    return tuple(found)
