"""What a job runs, which may be the check of a watchdog: judged, and made into values."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from claw.config.check import Values
from claw.config.command import argv_of, as_own_program
from claw.config.fields import JobKeys
from claw.config.keys.watchdog import WatchdogKeys
from claw.config.kinds import nearest, show
from claw.config.locate import Path
from claw.config.table import Field
from claw.model.job import Job, JobType
from claw.model.watchdog import TIMEOUT_S, Watchdog

Fault = tuple[Path, str]
_KEY = "watchdog"
_make: Callable[..., Watchdog] = Watchdog
_NOT_FOR_CHECKS: tuple[Field[object], ...] = (  # type: ignore[assignment]
    JobKeys.success_codes,
    JobKeys.skip_code,
)


def is_one(values: Values) -> bool:
    """Tell whether a job's own table makes it a watchdog; ``[defaults]`` alone makes none."""
    return values.says_table(_KEY)


def has_program(values: Values) -> Iterator[Fault]:
    """Yield that a job has nothing to run, or too much."""
    if is_one(values):
        for key, is_said in (
            ("command", values.says(JobKeys.command)),
            ("argv", values.says(JobKeys.argv)),
        ):
            if is_said:
                yield (key,), "watchdog.check is what runs: remove one of them"
        return
    if not values.has(JobKeys.command) and not values.has(JobKeys.argv):
        yield (), 'nothing to run: add command = "..." or argv = [...]'
    elif values.says(JobKeys.argv) and values.says(JobKeys.shell):
        yield ("shell",), "argv is never run through a shell: remove shell, or use command"


def program(values: Values) -> tuple[tuple[str, ...], bool, str]:
    """Return argv, whether it is a shell's, and the command line as written."""
    argv, command = values[JobKeys.argv], values[JobKeys.command]
    if is_one(values):
        command = values.table(_KEY)[WatchdogKeys.check]
    elif argv is not None and not values.says(JobKeys.command):
        return argv, False, ""
    line = command or ""
    words, uses_shell = argv_of(line, values[JobKeys.shell])
    if uses_shell and values[JobKeys.sockets]:
        words, _ = argv_of(as_own_program(line), values[JobKeys.shell])
    return words, uses_shell, line


def faults(values: Values, kind: JobType) -> Iterator[Fault]:
    """Yield what no watchdog can do."""
    if not is_one(values):
        return
    if kind is not JobType.SCHEDULED:
        yield (_KEY,), 'it looks again and again: add a schedule, like schedule = "@every 5m"'
    if values.table(_KEY)[WatchdogKeys.check] is None:
        yield (_KEY,), 'it has nothing to look with: add check = "..."'
    for field in _NOT_FOR_CHECKS:
        if values.says(field):
            yield (field.name,), "the exit status of a check means what it means: remove it"


def values_of(values: Values) -> dict[str, object]:
    """Return the attributes of a job that make it a watchdog, and what they change."""
    if not is_one(values):
        return {}
    table = values.table(_KEY)
    found = _make(
        timeout_s=table[WatchdogKeys.timeout],
        on_stuck=table[WatchdogKeys.on_stuck],
        self_destruct=table[WatchdogKeys.self_destruct],
    )
    if values.has(JobKeys.timeout):
        return {_KEY: found}
    return {_KEY: found, JobKeys.timeout.attr: TIMEOUT_S}


def mistakes(jobs: Iterable[Job], types: Mapping[str, JobType]) -> Iterator[tuple[Job, str]]:
    """Yield the jobs that begin what cannot be begun, with what is wrong.

    Args:
        jobs: Those that are well in themselves.
        types: Of these, by name.
    """
    for job in jobs:
        name = "" if job.watchdog is None else job.watchdog.on_stuck
        if not name:
            continue
        if name == job.name:
            yield job, "it cannot be begun by itself: name another job"
        elif name not in types:
            near = nearest(name, sorted(types)) or "; jobs are defined as [jobs.NAME]"
            yield job, f"there is no job {show(name)}{near}"
        elif types[name] is JobType.CONTINUOUS:
            yield job, f"{show(name)} is continuous: only what ends can be begun here"
