"""What the targets of a request mean: job names, patterns, ``tag:TAG``, ``all``, runs.

A pattern or tag that means nothing is an error; a job's name goes before a run's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase

from claw.commands.nearest import did_you_mean
from claw.errors import ConflictError, NotFoundError, UsageError
from claw.model import ids
from claw.model.job import Config, Job
from claw.model.run import Run
from claw.store.records import Tx

ALL = "all"
MAX_TARGETS = 1000
MAX_PATTERNS = 30
_TAG = "tag:"
_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Jobs by name and runs by whole id, each once, in the order asked for."""

    jobs: tuple[str, ...]
    runs: tuple[Run, ...]


def is_pattern(target: str) -> bool:
    """Tell whether a target means whatever fits it, now or later."""
    return target == ALL or target.startswith(_TAG) or not _PATTERN.isdisjoint(target)


def jobs_of(config: Config, target: str) -> list[str] | None:
    """Return the jobs that one target means; None when it could only be a run.

    Raises:
        NotFoundError: A tag or pattern that no job fits.
    """
    if not is_pattern(target):
        return None if config.job(target) is None else [target]
    found = _fitting(config, target)
    if not found and target != ALL:
        tags = {f"{_TAG}{tag}" for job in config.jobs for tag in job.tags}
        raise NotFoundError(
            f"no job fits {target!r}",
            hint=did_you_mean(target, tags) or "clawctl status lists the jobs",
        )
    return found


def _fitting(config: Config, target: str) -> list[str]:
    if target == ALL or target.startswith(_TAG):
        return [job.name for job in config.jobs if fits(job, target)]
    return filter_names([job.name for job in config.jobs], target)


def fits(job: Job, target: str) -> bool:
    """Tell whether a job is one of those that a pattern, a tag or ``all`` means."""
    if target.startswith(_TAG):
        return target.removeprefix(_TAG) in job.tags
    return target == ALL or fnmatchcase(job.name, target)


def choose_jobs(config: Config, targets: Sequence[str]) -> tuple[str, ...]:
    """Return the jobs that some targets mean.

    Raises:
        NotFoundError: One of them means none.
        UsageError: There are too many.
    """
    check_number(targets)
    found: dict[str, None] = {}
    for target in targets:
        names = jobs_of(config, target)
        if names is None:
            raise no_job(config, target)
        found.update(dict.fromkeys(names))
    return tuple(found)


def choose(tx: Tx, config: Config, targets: Sequence[str]) -> Chosen:
    """Return the jobs and runs that some targets mean.

    Raises:
        NotFoundError: One of them means nothing.
        ConflictError: One of them could be more than one run.
        UsageError: There are too many.
    """
    check_number(targets)
    jobs: dict[str, None] = {}
    runs: dict[str, Run] = {}
    for target in targets:
        names = jobs_of(config, target)
        if names is not None:
            jobs.update(dict.fromkeys(names))
        else:
            run = find_run(tx, target)
            if run is None:
                raise no_job(config, target)
            runs[run.id] = run
    return Chosen(tuple(jobs), tuple(runs.values()))


def choose_one(tx: Tx, config: Config, target: str) -> Job | Run:
    """Return the one job or run that a target names.

    Raises:
        NotFoundError: There is none.
        ConflictError: It could be more than one run.
    """
    found = config.job(target) or find_run(tx, target)
    if found is None:
        raise no_job(config, target)
    return found


def find_run(tx: Tx, text: str) -> Run | None:
    """Return the run whose id is, begins with or ends with a text of six letters or more.

    Raises:
        ConflictError: There is more than one.
    """
    if ids.is_run_id(text):
        return tx.run(text)
    found = tx.runs_named(text.lower())
    if len(found) > 1:
        raise ConflictError(
            f"{text!r} is more than one run: {', '.join(found)}, ...",
            hint="give more of the id",
        )
    return tx.run(found[0]) if found else None


def no_job(config: Config, target: str) -> NotFoundError:
    """Return the error of a target that names neither a job nor a run."""
    names = [job.name for job in config.jobs]
    return NotFoundError(
        f"no job or run {target!r}",
        hint=did_you_mean(target, names) or "clawctl status lists the jobs",
    )


def check_number(targets: Sequence[str]) -> None:
    """Refuse more targets than anyone means.

    Raises:
        UsageError: There are more than `MAX_TARGETS`, or `MAX_PATTERNS` patterns.
    """
    if len(targets) > MAX_TARGETS or sum(map(is_pattern, targets)) > MAX_PATTERNS:
        raise UsageError(
            f"{len(targets)} targets: at most {MAX_TARGETS}, of them {MAX_PATTERNS} patterns",
            hint="a pattern or tag names many jobs at once",
        )
