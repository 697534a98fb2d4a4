"""Instances: how many runs of a service there are to be, and what each is called.

Only services have them. Numbers begin at 1; a service with one instance is called by its
job's name, and its run has no number: it counts as the first as soon as there are more.
"""

from claw.model.gates import Standing
from claw.model.job import Job, JobType
from claw.model.run import Run

MARK = "@"
PLACEHOLDER = "${instance}"


def wanted(job: Job, standing: Standing | None) -> int:
    """Return how many instances of a job there are to be.

    What ``scale`` said holds until the configured number is another one.
    """
    if job.type is not JobType.CONTINUOUS:
        return 1
    is_scaled = standing is not None and standing.scaled_from == job.instances
    scale = standing.scale if standing is not None and is_scaled else None
    return job.instances if scale is None else scale


def numbers(job: Job, standing: Standing | None) -> range:
    """Return the numbers of the instances that there are to be."""
    return range(1, wanted(job, standing) + 1)


def number(run: Run) -> int:
    """Return which instance a run of a service is."""
    return run.instance or 1


def label(job: str, instance: int | None) -> str:
    """Return what an instance is called, as ``web@2``; without one: the job."""
    return job if instance is None else f"{job}{MARK}{instance}"


def split(target: str) -> tuple[str, int | None]:
    """Return the job and the instance of ``web@2``; of any other text: itself, and None."""
    job, mark, text = target.rpartition(MARK)
    if mark and job and text.isascii() and text.isdecimal() and text[0] != "0":
        return job, int(text[:9])
    return target, None


def fill(text: str, instance: int) -> str:
    """Return a text of the configuration with ``${instance}`` filled in."""
    return text.replace(PLACEHOLDER, str(instance))
