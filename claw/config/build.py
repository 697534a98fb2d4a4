"""From the checked values of one job's table to a `claw.model.job.Job`.

Each rule below looks at several keys together and reports what contradicts. A rule that
asks for a value which was refused already says nothing.
"""

import os.path
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from claw.config import (
    approval,
    channels,
    child,
    fileevents,
    probes,
    queue,
    results,
    retry,
    timing,
    trigger,
    typed,
    watch,
    watchdog,
    when,
)
from claw.config.check import BrokenError, Checker, Values
from claw.config.fields import LOG, JobKeys, RestartKeys
from claw.config.locate import Path
from claw.config.table import Field
from claw.model import backoff
from claw.model.job import Job, JobType, Log, Overlap, Restart

_make_job: Callable[..., Job] = Job
_make_log: Callable[..., Log] = Log
_make_restart: Callable[..., Restart] = Restart

_TIMED = (JobType.SCHEDULED, JobType.ONESHOT)

Fault = tuple[Path, str]
"""Where in the job's table, and what is wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A job's table, read and not yet judged as a whole.

    Attributes:
        name: The job's name.
        values: What the table says.
        zone: Zone of the daemon, for a job that names none.
        zone_problem: Why that zone is not known.
        umask: Mask of the daemon, for a job that names none.
        folder: Folder of the defining file, absolute.
        default_cwd: What an empty ``cwd`` means.
        uid: Whom claw runs as.
    """

    name: str
    values: Values
    zone: str
    zone_problem: str
    umask: int
    folder: str
    default_cwd: str
    uid: int

    def timezone(self) -> str:
        """Return the zone of schedule and ``run_at``."""
        return self.values[JobKeys.timezone] or self.zone

    def kind(self) -> JobType:
        """Return the job's type; left out, its schedule or ``run_at`` tells."""
        given = self.values[JobKeys.type]
        if given is not None:
            return given
        for asks in (self.values.says, self.values.has):
            if asks(JobKeys.schedule):
                return JobType.SCHEDULED
            if asks(JobKeys.run_at):
                return JobType.ONESHOT
        return JobType.MANUAL


def build(draft: Draft, checker: Checker, path: Path) -> Job | None:
    """Return the job, or None when the report has something about it."""
    before = len(checker.report)
    for rule in _RULES:
        try:
            for way, text in rule(draft):
                checker.wrong((*path, *way), text)
        except BrokenError:
            continue
    if len(checker.report) > before:
        return None
    try:
        return _job(draft, checker.file, checker.lines.of(path))
    except BrokenError:
        return None


def contradictions(values: Values) -> Iterator[Fault]:
    """Yield the pairs of keys of which a job's table, or ``[defaults]``, may have but one."""
    if values.says(JobKeys.command) and values.says(JobKeys.argv):
        yield ("argv",), "command and argv contradict each other: keep one of them"
    if values.says(JobKeys.schedule) and values.says(JobKeys.run_at):
        yield ("run_at",), "a job has either a schedule or one time, run_at: remove one of them"
    restart = values.table("restart")
    if restart.says(RestartKeys.preset) and restart.says(RestartKeys.delays):
        yield ("restart", "delays"), "preset and delays contradict each other: keep one of them"
    yield from child.contradictions(values)
    yield from probes.mistakes(values)
    yield from retry.contradictions(values)
    yield from trigger.contradictions(values)


def _has_program(draft: Draft) -> Iterator[Fault]:
    return watchdog.has_program(draft.values)


def _has_its_time(draft: Draft) -> Iterator[Fault]:
    values, kind = draft.values, draft.kind()
    if kind is JobType.SCHEDULED and not values[JobKeys.schedule]:
        yield (
            (("schedule",) if values.says(JobKeys.schedule) else ("type",)),
            'a scheduled job needs a schedule, like schedule = "0 3 * * *"',
        )
    if kind is JobType.ONESHOT and values[JobKeys.run_at] is None:
        yield ("type",), 'a oneshot job needs run_at, like run_at = "2026-12-24T09:00:00"'


def _overlap_is_clear(draft: Draft) -> Iterator[Fault]:
    values = draft.values
    overlap = _overlap(draft)
    if overlap is Overlap.KILL_RESTART and values[JobKeys.max_instances] > 1:
        key = "on_overlap" if values.says(JobKeys.on_overlap) else "max_instances"
        yield (
            (key,),
            'on_overlap = "kill_restart" needs max_instances = 1: else which run ends?',
        )
    if values.says(JobKeys.max_queued) and overlap is not Overlap.QUEUE:
        yield (
            ("max_queued",),
            f'no run waits with on_overlap = "{overlap}": remove it, or set "queue" there',
        )


def _zone_is_known(draft: Draft) -> Iterator[Fault]:
    values = draft.values
    hours = values[JobKeys.hours]
    needs_one = draft.kind() in _TIMED or (hours is not None and not hours.timezone)
    if needs_one and draft.zone_problem and not values[JobKeys.timezone]:
        yield (), draft.zone_problem


def _schedule_is_sound(draft: Draft) -> Iterator[Fault]:
    expressions = draft.values[JobKeys.schedule]
    if not draft.values.says(JobKeys.schedule):
        return
    for index, expression in enumerate(expressions):
        problem = when.schedule_problem(expression, draft.timezone())
        if problem:
            yield (("schedule", index) if len(expressions) > 1 else ("schedule",)), problem


def _run_at_exists(draft: Draft) -> Iterator[Fault]:
    values = draft.values
    moment = values[JobKeys.run_at]
    if values.says(JobKeys.run_at) and moment is not None:
        try:
            when.instant(moment, draft.timezone())
        except ValueError as error:
            yield ("run_at",), str(error)


def _dependencies_are_there(draft: Draft) -> Iterator[Fault]:
    values = draft.values
    if values[JobKeys.depends_on]:
        return
    for key, is_said in (
        (JobKeys.on_dependency_restart.name, values.says(JobKeys.on_dependency_restart)),
        (JobKeys.on_dependency_failure.name, values.says(JobKeys.on_dependency_failure)),
    ):
        if is_said:
            yield (key,), "without depends_on it has no effect: add that, or remove it"


def _child_can_be_made(draft: Draft) -> Iterator[Fault]:
    return child.faults(draft.values, draft.uid)


def _suits(
    faults: Callable[[Values, JobType], Iterator[Fault]], draft: Draft
) -> Iterator[Fault]:
    return faults(draft.values, draft.kind())


def _of_values(faults: Callable[[Values], Iterator[Fault]], draft: Draft) -> Iterator[Fault]:
    return faults(draft.values)


_ALONE = (contradictions, probes.lacks, probes.beside_sockets, timing.contradictions)
_RULES: tuple[Callable[[Draft], Iterator[Fault]], ...] = (
    *(partial(_of_values, rule) for rule in _ALONE),
    _has_program,
    _has_its_time,
    partial(_suits, typed.faults),
    _overlap_is_clear,
    _zone_is_known,
    _schedule_is_sound,
    _run_at_exists,
    _dependencies_are_there,
    _child_can_be_made,
    *(
        partial(_suits, part.faults)
        for part in (
            queue,
            retry,
            trigger,
            results,
            approval,
            fileevents,
            channels,
            watchdog,
            watch,
        )
    ),
)


def _overlap(draft: Draft) -> Overlap:
    given = draft.values[JobKeys.on_overlap]
    if given is not None:
        return given
    return Overlap.SKIP if draft.kind() is JobType.SCHEDULED else Overlap.QUEUE


def _moment(draft: Draft) -> datetime | None:
    moment = draft.values[JobKeys.run_at]
    return None if moment is None else when.instant(moment, draft.timezone())


_AS_THEY_ARE: tuple[Field[object], ...] = tuple(
    field  # type: ignore[misc]
    for field in (
        JobKeys.name,
        JobKeys.description,
        JobKeys.inherit_env,
        JobKeys.origin,
        JobKeys.tags,
        JobKeys.params,
        JobKeys.enabled,
        JobKeys.autostart,
        JobKeys.success_codes,
        JobKeys.timeout,
        JobKeys.stop_signal,
        JobKeys.grace_period,
        JobKeys.kill_mode,
        JobKeys.sockets,
        JobKeys.catch_up,
        JobKeys.catch_up_window,
        JobKeys.context,
        JobKeys.context_limit,
        JobKeys.depends_on,
        JobKeys.on_dependency_restart,
        JobKeys.on_dependency_failure,
    )
)


def _job(draft: Draft, file: str, line: int) -> Job:
    values, kind = draft.values, draft.kind()
    umask = values[JobKeys.umask]
    argv, uses_shell, command = watchdog.program(values)
    return _make_job(
        **{field.attr: values[field] for field in _AS_THEY_ARE} | watchdog.values_of(values),
        **_turns(draft),
        **child.child_values(values),
        **watch.values_of(values, kind),
        **fileevents.values_of(values, kind, _cwd(draft) or draft.folder),
        **queue.queue_values(values),
        **timing.values(values, kind, draft.timezone()),
        **retry.run_values(values, kind),
        **approval.values_of(values, kind),
        name=draft.name,
        argv=argv,
        uses_shell=uses_shell,
        command=command,
        type=kind,
        cwd=_cwd(draft),
        env=_env(values),
        umask=draft.umask if umask is None else umask,
        schedule=values[JobKeys.schedule] if kind is JobType.SCHEDULED else (),
        timezone=draft.timezone() if kind in _TIMED else "UTC",
        run_at=_moment(draft) if kind is JobType.ONESHOT else None,
        restart=_restart(values.table("restart")),
        ready=probes.ready(values),
        health=probes.health(values),
        log=_log(values.table("log")),
        output=results.budget(values.table("output")),
        delivery=channels.announcing(values, kind),
        resources=child.resources(values.table("resources")),
        trigger=trigger.trigger(values),
        file=os.path.abspath(file),  # noqa: PTH100
        line=line,
    )


def _turns(draft: Draft) -> dict[str, object]:
    """Return what bounds the job's runs among themselves; a service has one per instance."""
    values, kind = draft.values, draft.kind()
    if kind is JobType.CONTINUOUS:
        one = {"max_instances": 1, "on_overlap": Overlap.QUEUE, "max_queued": 0}
        return {**one, "instances": values[JobKeys.instances]}
    queued = values[JobKeys.max_queued]
    if queued is None:
        queued = 1 if kind is JobType.SCHEDULED else 0
    return {
        "max_instances": values[JobKeys.max_instances],
        "on_overlap": _overlap(draft),
        "max_queued": queued,
    }


def _cwd(draft: Draft) -> str:
    cwd = draft.values[JobKeys.cwd]
    return os.path.join(draft.folder, cwd) if cwd else draft.default_cwd  # noqa: PTH118


def _env(values: Values) -> tuple[tuple[str, str], ...]:
    common, own = values.beneath(JobKeys.env), values[JobKeys.env]
    return tuple(sorted({**dict(common), **dict(own)}.items()))


def _restart(values: Values) -> Restart:
    delays, jitter = values[RestartKeys.delays], 0.0
    if delays is None or values.says(RestartKeys.preset):
        delays, jitter = backoff.PRESETS[values[RestartKeys.preset] or "exponential"]
    return _make_restart(
        policy=values[RestartKeys.policy],
        delays_s=delays,
        jitter=jitter,
        reset_after_s=values[RestartKeys.reset_after],
        start_limit=values[RestartKeys.start_limit],
        start_limit_window_s=values[RestartKeys.start_limit_window],
    )


def _log(values: Values) -> Log:
    return _make_log(**{field.attr: values[field] for field in LOG.fields.values()})
