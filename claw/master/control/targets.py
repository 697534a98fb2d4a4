"""What the targets of a request mean: jobs, ``web@2``, patterns, ``tag:TAG``, ``all``, runs.

A pattern or tag that means nothing is an error; a job's name goes before a run's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase

from claw.commands.nearest import did_you_mean
from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.engine import definitions, piecemeal, steps
from claw.model import ids, instances
from claw.model.job import Config, Job, JobType
from claw.model.run import OPEN, Run
from claw.store.records import Tx

ALL = "all"
MAX_TARGETS = 1000
MAX_PATTERNS = 30
_TAG = "tag:"
_LATEST = 20
"""So many runs of a workflow are looked at for one of a step."""
_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Aim:
    """A job, or one instance of a service."""

    job: str
    instance: int | None = None

    @property
    def label(self) -> str:
        """What it is called: ``web``, ``web@2``."""
        return instances.label(self.job, self.instance)

    def means(self, job: str, instance: int) -> bool:
        """Tell whether an instance of a job is, or is part of, what is meant."""
        return self.job == job and self.instance in {None, instance}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Jobs and instances, and runs by whole id, each once, in the order asked for.

    The open runs of the batches are among the runs.
    """

    aims: tuple[Aim, ...]
    runs: tuple[Run, ...]
    batches: tuple[str, ...] = ()

    def open_runs(self, tx: Tx) -> dict[str, Run]:
        """Return the open runs of all that is meant, and the runs named, by id."""
        found = {
            run.id: run
            for aim in self.aims
            for run in tx.open_runs(aim.job)
            if aim.means(run.job, instances.number(run))
        }
        return {**found, **{run.id: run for run in self.runs}}


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
        return [job.name for job in config.known if fits(job, target)]
    return filter_names([job.name for job in config.known], target)


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


def choose_aims(tx: Tx, config: Config, targets: Sequence[str]) -> tuple[Aim, ...]:
    """Return the jobs and the instances that some targets mean.

    What is part of a job that is meant as a whole is not named again.

    Raises:
        NotFoundError: One of them means none.
        UsageError: There are too many.
    """
    chosen = choose(tx, config, targets, runs=False)
    return chosen.aims


def choose(tx: Tx, config: Config, targets: Sequence[str], *, runs: bool = True) -> Chosen:
    """Return the jobs, instances and runs that some targets mean.

    Args:
        tx: Reads.
        config: Has the jobs.
        targets: What was asked for.
        runs: Whether runs may be meant.

    Raises:
        NotFoundError: One of them means nothing.
        ConflictError: One of them could be more than one run.
        UsageError: There are too many.
    """
    check_number(targets)
    aims: dict[Aim, None] = {}
    found: dict[str, Run] = {}
    batches: dict[str, None] = {}
    for target in targets:
        some = _aims(tx, config, target)
        if some is not None:
            aims.update(dict.fromkeys(some))
            continue
        run = (find_run(tx, target) or find_step(tx, config, target)) if runs else None
        batch = find_batch(tx, target) if runs and run is None else None
        if run is not None:
            found[run.id] = run
        elif batch is not None:
            batches[batch] = None
            found.update((run.id, run) for run in _open_of_batch(tx, batch))
        else:
            raise no_job(config, target)
    whole = {aim.job for aim in aims if aim.instance is None}
    kept = tuple(aim for aim in aims if aim.instance is None or aim.job not in whole)
    return Chosen(kept, tuple(found.values()), tuple(batches))


def _open_of_batch(tx: Tx, batch: str) -> list[Run]:
    return [run for state in sorted(OPEN) for run in tx.batch_runs(batch, state)]


def _aims(tx: Tx, config: Config, target: str) -> list[Aim] | None:
    """Return what one target means; None when it could only be a run."""
    if is_pattern(target) and instances.MARK in target and not target.startswith(_TAG):
        labels = {aim.label: aim for job in config.jobs for aim in instances_of(tx, job)}
        found = [labels[label] for label in filter_names(list(labels), target)]
        if found:
            return found
    name, no = instances.split(target)
    job = definitions.recall(tx, config, name)
    if no is None or job is None:
        names = jobs_of(config, target)
        return None if names is None else [Aim(one) for one in names]
    return [_instance(tx, job, no)]


def _instance(tx: Tx, job: Job, no: int) -> Aim:
    known = instances_of(tx, job)
    if Aim(job.name, no) in known:
        return Aim(job.name, no)
    if job.type is not JobType.CONTINUOUS or not known:
        raise NotFoundError(f"job {job.name!r} has no instances", hint=f"its name: {job.name}")
    raise NotFoundError(
        f"job {job.name!r} has no instance {no}",
        hint=f"they are {known[0].label} to {known[-1].label}",
    )


def instances_of(tx: Tx, job: Job) -> list[Aim]:
    """Return the instances of a job that has several: those there are to be, and are."""
    if job.type is not JobType.CONTINUOUS:
        return []
    numbers = set(instances.numbers(job, tx.standing(job.name)))
    numbers |= {instances.number(run) for run in tx.open_runs(job.name)}
    return [Aim(job.name, no) for no in sorted(numbers)] if max(numbers) > 1 else []


def choose_one(tx: Tx, config: Config, target: str) -> Aim | Run:
    """Return the one job, instance or run that a target names.

    Raises:
        NotFoundError: There is none.
        ConflictError: It could be more than one run.
    """
    name, no = instances.split(target)
    job = definitions.recall(tx, config, name)
    if job is not None:
        return Aim(name) if no is None else _instance(tx, job, no)
    run = find_run(tx, target) or find_step(tx, config, target)
    if run is None:
        raise no_job(config, target)
    return run


def find_step(tx: Tx, config: Config, target: str) -> Run | None:
    """Return the newest run of WORKFLOW.STEP."""
    name, _, step = target.rpartition(".")
    job = definitions.recall(tx, config, name) if name else None
    if job is None or job.workflow is None:
        return None
    for root in tx.runs_page(job=name, limit=_LATEST):
        row = steps.present_rows(tx, root).get(step)
        if row is not None:
            return tx.run(row.id)
    return None


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


def find_batch(tx: Tx, text: str) -> str | None:
    """Return the batch whose id is, begins with or ends with a text of six letters or more.

    Raises:
        ConflictError: There is more than one.
    """
    text = text.lower()
    # Retention may have had all runs of one of which more are to come.
    found = sorted({*tx.batches_named(text), *piecemeal.named(tx, text)})
    if len(found) > 1:
        raise ConflictError(
            f"{text!r} is more than one batch: {', '.join(found)}, ...",
            hint="give more of the id",
        )
    return found[0] if found else None


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
