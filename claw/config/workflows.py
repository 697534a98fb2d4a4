"""From the tables of workflows to jobs.

There is one for each workflow, and one for each step that has a command of its own: that is
named ``WORKFLOW.STEP``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from claw.config import approval, retry
from claw.config.build import Draft, build
from claw.config.check import BrokenError, Checker, Values
from claw.config.fields import JobKeys
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.config.workflowfields import STEP, WORKFLOW, StepKeys, WorkflowKeys
from claw.model import reference
from claw.model.approval import Approval
from claw.model.graph import Dependency, Graph
from claw.model.handout import namesakes
from claw.model.job import Job, JobType
from claw.model.retry import Retry
from claw.model.workflow import STEP_NAME, Step, Workflow

_STEPS = "steps"
_NO_RETRY = Retry(delays_s=(), max_attempts=1)
_OF_ANY_STEP = frozenset({"job", "needs", "on", "when", "env", "timeout"})
"""What a step may say whose job is defined elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the tables of one file are read with.

    Attributes:
        checker: Of the file.
        draft: Makes a draft of a job's name and values.
        is_new_name: Tells whether a job may have a name that stands at a path, and says why
            not.
        defaults: What ``[defaults]`` says; it holds for steps with commands of their own.
    """

    checker: Checker
    draft: Callable[[str, Values], Draft]
    is_new_name: Callable[[Checker, str, Path], bool]
    defaults: Values


def read(around: Around, name: str, table: Mapping[str, object]) -> list[Job]:
    """Return the jobs of a workflow, its own one last; none when something is wrong with it."""
    checker, path = around.checker, ("workflows", name)
    before = len(checker.report)
    raw = {key: value for key, value in table.items() if key != _STEPS}
    values = checker.section(WORKFLOW, raw, path)
    # What a workflow runs are its steps: to the rules of jobs something has to stand for them.
    values.put(JobKeys.argv.name, (name,))
    own = build(around.draft(name, values), checker, path)
    inline: list[Job] = []
    steps = tuple(_steps(around, name, table, inline))
    _check(checker, path, steps, _names_of(table))
    if own is None or len(checker.report) > before:
        return []
    whole = Workflow(
        steps=steps,
        params=values[WorkflowKeys.params],
        max_parallel=values[WorkflowKeys.max_parallel],
        on_failure=values[WorkflowKeys.on_failure],
    )
    params = tuple(key for key, _value in whole.params)
    return [*inline, replace(own, argv=(), params=params, workflow=whole)]


def _steps(
    around: Around, workflow: str, table: Mapping[str, object], inline: list[Job]
) -> Iterator[Step]:
    """Yield the steps that are well in themselves; the jobs of their own are added."""
    checker, path = around.checker, ("workflows", workflow, _STEPS)
    if not table.get(_STEPS):
        text = 'a workflow needs steps, like steps.dump = { command = "..." }'
        checker.wrong(path[:2], text)
    for name, raw in (checker.table(table.get(_STEPS, {}), path) or {}).items():
        at = (*path, name)
        found = checker.table(raw, at)
        if not STEP_NAME.fullmatch(name):
            checker.wrong(at, "no good name for a step: letters, digits, _ and -, at most 40")
        elif found is not None:
            step = _step(around, workflow, at, found, inline)
            if step is not None:
                yield step


def _step(
    around: Around, workflow: str, at: Path, raw: Mapping[str, object], inline: list[Job]
) -> Step | None:
    checker, name = around.checker, str(at[-1])
    before = len(checker.report)
    own = checker.section(STEP, raw, at)
    for way, text in _faults(own):
        checker.wrong((*at, *way), text)
    if len(checker.report) > before:
        return None
    job, is_inline = own[StepKeys.job], not own.says(StepKeys.job)
    if job is None:
        job = f"{workflow}.{name}"
        values = checker.section(STEP, raw, at, around.defaults)
        if not around.is_new_name(checker, job, at):
            return None
        made = build(around.draft(job, values), checker, at)
        if made is None:
            return None
        inline.append(replace(made, step_of=workflow))
    try:
        return Step(
            name=name,
            job=job,
            needs=own[StepKeys.needs],
            on=own[StepKeys.on],
            when=own[StepKeys.when],
            env=own[StepKeys.env],
            retry=None if is_inline else _retry(own),
            approval=None if is_inline else _approval(own),
            is_unasked=not is_inline and own.says_table("approval") and not _approval(own),
            timeout_s=own[StepKeys.timeout]
            if own.says(StepKeys.timeout) and not is_inline
            else None,
            line=checker.lines.of(at),
        )
    except BrokenError:
        return None


def _retry(own: Values) -> Retry | None:
    """Return how the runs of a step are tried again; None: as its job says."""
    if not own.says_table("retry"):
        return None
    return retry.retry(own) or _NO_RETRY


def _approval(own: Values) -> Approval | None:
    """Return who has to approve the runs of a step; None: as its job says."""
    return approval.rule(own.table("approval")) if own.says_table("approval") else None


def _faults(own: Values) -> Iterator[tuple[Path, str]]:
    has_program = own.says(JobKeys.command) or own.says(JobKeys.argv)
    if own.says(StepKeys.job):
        yield from _of_the_job(own)
    elif not has_program:
        yield (), 'nothing to run: add job = "NAME" or command = "..."'
    if own.says_table("retry"):
        yield from retry.contradictions(own)
    if own.says_table("approval"):
        yield from approval.unknown(own.table("approval"), ("approval",))
    if not own.or_default(StepKeys.needs):
        for key, is_said in (("on", own.says(StepKeys.on)), ("when", own.says(StepKeys.when))):
            if is_said:
                yield (key,), "without needs it has no effect: add those, or remove it"


def _of_the_job(own: Values) -> Iterator[tuple[Path, str]]:
    for field in STEP.fields.values():
        if not own.says(field) or field.name in _OF_ANY_STEP:
            continue
        if field.name in {"command", "argv"}:
            yield (field.name,), f"job and {field.name} contradict each other: keep one of them"
        else:
            yield (field.name,), "the job says that itself: remove it here"
    for name, text in own.or_default(StepKeys.env):
        for one in reference.references(text):
            yield ("env", name), f"{one} cannot stand here: give it in env of the job itself"


def _names_of(table: Mapping[str, object]) -> list[str]:
    """Return the names of all steps, those with mistakes of their own among them."""
    raw = table.get(_STEPS)
    return list(raw) if isinstance(raw, dict) else []


def _check(checker: Checker, path: Path, steps: Sequence[Step], names: Sequence[str]) -> None:
    """Report steps that need what is not there, or each other in a circle.

    Args:
        checker: Of the file.
        path: Of the workflow.
        steps: Those that are well in themselves.
        names: Of all steps.
    """
    before = len(checker.report)
    for step in steps:
        for way, text in _of_needs(step, names):
            checker.wrong((*path, _STEPS, step.name, "needs", *way), text)
    if len(checker.report) > before:
        return
    known = {step.name for step in steps}
    graph = Graph(
        {
            step.name: [Dependency(job=name) for name in step.needs if name in known]
            for step in steps
        }
    )
    cycle = graph.cycle()
    if cycle:
        around = " > ".join((*cycle, cycle[0]))
        text = f"the steps need each other in a circle: {around}: remove one of these needs"
        checker.wrong((*path, _STEPS, cycle[0], "needs"), text)


def _of_needs(step: Step, names: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for no, name in enumerate(step.needs):
        if name == step.name:
            yield (no,), f"{name} needs itself: remove it"
        elif name not in names:
            yield (no,), f"there is no step {show(name)}{nearest(name, list(names))}"
        elif name in step.needs[:no]:
            yield (no,), f"{name} is there twice: keep one of them"
    for first, second, word in namesakes(step.needs):
        yield (), f"{first} and {second} would both be told as CLAW_STEP_{word}_...: rename one"


def mistakes(jobs: Sequence[Job], names: Sequence[str]) -> Iterator[tuple[Job, Path, str]]:
    """Yield the steps whose jobs cannot be run by them.

    Args:
        jobs: All that are well in themselves.
        names: Of all jobs, those with mistakes of their own among them.
    """
    known = {job.name: job for job in jobs}
    for job in jobs:
        for step in job.workflow.steps if job.workflow is not None else ():
            problem = _problem(job.name, step, known, names)
            if problem:
                yield job, ("workflows", job.name, _STEPS, step.name, "job"), problem


def _problem(whole: str, step: Step, known: Mapping[str, Job], names: Sequence[str]) -> str:
    if step.job not in names:
        return f"there is no job {show(step.job)}{nearest(step.job, list(names))}"
    job = known.get(step.job)
    if job is not None and job.type is JobType.CONTINUOUS:
        return f"{step.job} is a service, which has no end: a step has to end"
    if job is not None and job.workflow is not None:
        return (
            f"{step.job} is a workflow, and a step is a job or a command: write its steps here,"
            f' or have it follow this workflow: trigger = {{ after = "{whole}" }}'
        )
    return ""
