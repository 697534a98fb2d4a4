"""What ``search`` shows: the jobs in whose words a text is."""

from collections.abc import Sequence

from claw.model.job import Job

Json = dict[str, object]


def has_text(job: Job, text: str) -> bool:
    """Tell whether a text is in a job's name, title, description, command or tags."""
    where = (job.name, job.title, job.description, job.command, *job.tags)
    return any(text.lower() in part.lower() for part in where)


def search(jobs: Sequence[Job], text: str) -> list[Json]:
    """Return what ``search`` shows: the jobs that have a text, by name."""
    return [
        {
            "name": job.name,
            "description": job.description,
            "command": job.command,
            "tags": list(job.tags),
            "file": job.file,
        }
        for job in sorted(jobs, key=lambda job: job.name)
        if has_text(job, text)
    ]
