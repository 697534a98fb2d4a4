"""``depends_on``: what a job says of others, and what all jobs together may say.

A dependency on a job that is not there, on one that never does what is waited for, or that
leads back to where it came from, is refused when the files are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import TypeVar

from claw.config.kinds import (
    DURATION,
    Kind,
    MistakesError,
    Step,
    member_of,
    nearest,
    show,
    unlike,
)
from claw.config.locate import Lines, Path
from claw.config.report import Diagnostic, Report, printable
from claw.model import ids
from claw.model.graph import Condition, Dependency, Graph
from claw.model.job import Job, JobType, RestartPolicy

_CONDITION = member_of(Condition)
_KEYS = ("job", "condition", "timeout")
_MOST = 100

T = TypeVar("T")
Mistakes = list[tuple[tuple[Step, ...], str]]


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise unlike("the name of a job", value)
    problem = ids.name_problem(value)
    if problem:
        raise ValueError(f"{show(value)} is no job's name: {problem}")
    return value


def _dependency(value: object) -> Dependency:
    if isinstance(value, str):
        return Dependency(job=_name(value))
    if not isinstance(value, dict):
        raise unlike(
            'a job\'s name, or a table like { job = "redis", timeout = "60s" },', value
        )
    if "job" not in value:
        raise ValueError('the table names no job: write { job = "NAME", ... }')
    mistakes: Mistakes = []
    made = Dependency(
        job=_part(value, "job", _name, "", mistakes),
        condition=_part(value, "condition", _CONDITION.parse, Condition.AFTER_START, mistakes),
        timeout_s=_part(value, "timeout", DURATION.parse, 0.0, mistakes),
    )
    for key in value.keys() - set(_KEYS):
        near = nearest(key, list(_KEYS)) or f"; known are {', '.join(_KEYS)}"
        mistakes.append(((key,), f"unknown key{near}"))
    if mistakes:
        raise MistakesError(mistakes)
    return made


def _part(
    table: Mapping[str, object],
    key: str,
    parse: Callable[[object], T],
    default: T,
    mistakes: Mistakes,
) -> T:
    try:
        return parse(table[key]) if key in table else default
    except ValueError as error:
        mistakes.append(((key,), str(error)))
        return default


def _dependencies(value: object) -> tuple[Dependency, ...]:
    if not isinstance(value, list):
        raise unlike('a list of jobs, like ["redis"],', value)
    if len(value) > _MOST:
        raise ValueError(f"at most {_MOST} are possible, not {len(value)}")
    mistakes: Mistakes = []
    found: list[Dependency] = []
    for index, item in enumerate(value):
        try:
            one = _dependency(item)
        except MistakesError as error:
            mistakes += [((index, *way), text) for way, text in error.items]
            continue
        except ValueError as error:
            mistakes.append(((index,), str(error)))
            continue
        if any((one.job, one.condition) == (other.job, other.condition) for other in found):
            mistakes.append(((index,), f"{show(one.job)} is there twice: keep one of them"))
        found.append(one)
    if mistakes:
        raise MistakesError(mistakes)
    return tuple(found)


DEPENDS_ON = Kind(
    "list of names or tables",
    _dependencies,
    {
        "type": "array",
        "items": {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {
                        "job": {"type": "string"},
                        "condition": dict(_CONDITION.schema),
                        "timeout": dict(DURATION.schema),
                    },
                    "required": ["job"],
                    "additionalProperties": False,
                },
            ]
        },
    },
)


def located(job: Job, lines: Lines) -> Job:
    """Return a job whose dependencies know the lines on which they stand."""
    if not job.depends_on:
        return job
    found = tuple(
        replace(one, line=lines.of((*_path(job), index)))
        for index, one in enumerate(job.depends_on)
    )
    return replace(job, depends_on=found)


def check(jobs: list[Job], names: set[str], files: Mapping[str, str], report: Report) -> None:
    """Report dependencies that could never be met.

    Args:
        jobs: Those that are well in themselves.
        names: Of all jobs, those with mistakes of their own among them.
        files: Where each job stands, as the user named the file.
        report: Takes the mistakes.
    """
    by_name = {job.name: job for job in jobs}
    before = len(report)
    for job in jobs:
        for index, one in enumerate(job.depends_on):
            problem = _problem(job, one, by_name, names)
            if problem:
                path = (*_path(job), index)
                report.add(Diagnostic(files[job.name], one.line, path, problem))
    if len(report) == before:
        _check_cycle(by_name, files, report)


def _path(job: Job) -> Path:
    return "jobs", job.name, "depends_on"


def _problem(job: Job, one: Dependency, jobs: Mapping[str, Job], names: set[str]) -> str:
    if one.job == job.name:
        return f"{job.name} depends on itself: remove it"
    if one.job not in names:
        near = nearest(one.job, sorted(names)) or "; jobs are defined as [jobs.NAME]"
        return f"there is no job {show(one.job)}{near}"
    waited_for = {Condition.AFTER_COMPLETE: one.job, Condition.BEFORE_COMPLETE: job.name}
    found = jobs.get(waited_for.get(one.condition, ""))
    if found is None or found.type is not JobType.CONTINUOUS:
        return ""
    if found.restart.policy is not RestartPolicy.ALWAYS:
        return ""
    return (
        f"{found.name} never ends by itself (continuous, restart.policy = always), so nothing"
        f' can wait for its end: use condition = "after_start", or another restart.policy'
    )


def _check_cycle(jobs: Mapping[str, Job], files: Mapping[str, str], report: Report) -> None:
    cycle = Graph({name: job.depends_on for name, job in jobs.items()}).cycle()
    if not cycle:
        return
    pairs = list(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    said = [_declared(jobs, waits, needed) for waits, needed in pairs]
    steps = [
        f"{waits} waits for {needed} ({_bare(files[by])}:{one.line})"
        for (waits, needed), (by, one, _index) in zip(pairs, said, strict=True)
    ]
    by, one, index = said[0]
    text = f"the jobs wait for each other in a circle: {', '.join(steps)}: remove one of these"
    report.add(Diagnostic(files[by], one.line, ("jobs", by, "depends_on", index), text))


def _bare(file: str) -> str:
    """Return a file's bare name: with its folder, a long way round would not fit a line."""
    return printable(PurePath(file).name)


def _declared(jobs: Mapping[str, Job], waits: str, needed: str) -> tuple[str, Dependency, int]:
    """Return the entry that makes one job wait for another: whose, which, its place."""
    for index, one in enumerate(jobs[waits].depends_on):
        if one.job == needed and one.condition is not Condition.BEFORE_COMPLETE:
            return waits, one, index
    for index, one in enumerate(jobs[needed].depends_on):
        if one.job == waits and one.condition is Condition.BEFORE_COMPLETE:
            return needed, one, index
    raise LookupError(f"{waits} does not wait for {needed}")
