"""What in a configuration refers to values that are kept elsewhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from claw.model import instances, reference
from claw.model.job import Config, Job, JobType
from claw.model.reference import Reference, Source


@dataclass(frozen=True, slots=True)
class Use:
    """Somebody's reference.

    Attributes:
        who: A job's name, or that of a table.
        reference: To what.
        user: Whom a job runs as; empty: as claw does.
    """

    who: str
    reference: Reference
    user: str = ""


def all_of(config: Config) -> Iterator[Use]:
    """Yield who refers to what."""
    for job in config.known:
        for one in _of(_texts_of(job)):
            yield Use(job.name, one, job.user)
    for channel in config.channels:
        texts = (*channel.urls, *(value for _, value in channel.headers))
        for one in _of(texts):
            yield Use(f"channels.{channel.name}", one)
    for one in reference.references(config.locks.dsn):
        yield Use("locks", one)
    for one in _of((config.backup.access_key, config.backup.secret_key)):
        yield Use("backup", one)


def _of(texts: Iterable[str]) -> Iterator[Reference]:
    for text in texts:
        yield from reference.references(text)


def of_secrets(config: Config) -> dict[str, list[str]]:
    """Return who refers to which of claw's own secrets, each once, by the secret's name."""
    found: dict[str, dict[str, None]] = {}
    for one in all_of(config):
        if one.reference.source is Source.SECRET:
            found.setdefault(one.reference.name, {})[one.who] = None
    return {name: list(users) for name, users in found.items()}


def _texts_of(job: Job) -> Iterator[str]:
    texts = [text for _, text in job.env]
    texts += [job.ready.probe.url, job.ping or ""]
    if job.health is not None:
        texts.append(job.health.probe.url)
    is_service = job.type is JobType.CONTINUOUS
    for text in texts:
        numbers = range(1, job.instances + 1) if instances.PLACEHOLDER in text else (1,)
        for number in numbers:
            yield instances.fill(text, number) if is_service else text
