"""The bound of the log folder: which files go when it holds too much."""

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from claw.master.output.follow import Output, parse_name

_INDEX = ".idx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One file of output, with its index."""

    job: str  # the folder's name
    output: Output
    path: str
    size: int
    written_at: float

    @property
    def is_rotated(self) -> bool:
        """Whether nothing is added to it any more."""
        return not self.path.endswith(f"/{self.output.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InUse:
    """What the store says of those who wrote: jobs and runs that still do, runs that failed."""

    jobs: Collection[str] = ()
    runs: Collection[str] = ()
    failed: Collection[str] = ()


def survey(log: str) -> tuple[int, list[Kept]]:
    """Return how many bytes a log folder holds, and the files of output in it."""
    total, found = 0, []
    with contextlib.suppress(OSError), os.scandir(log) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                size, kept = _survey_job(entry.name, entry.path)
                total += size
                found += kept
            else:
                total += entry.stat(follow_symlinks=False).st_size
    return total, found


def _survey_job(job: str, folder: str) -> tuple[int, list[Kept]]:
    facts: dict[str, os.stat_result] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                facts[entry.name] = entry.stat(follow_symlinks=False)
    kept = []
    for name, fact in facts.items():
        output = parse_name(name)
        if output is not None:
            index = facts.get(f"{name.removesuffix('.gz')}{_INDEX}")
            size = fact.st_size + (index.st_size if index is not None else 0)
            kept.append(
                Kept(
                    job=job,
                    output=output,
                    path=f"{folder}/{name}",
                    size=size,
                    written_at=fact.st_mtime,
                )
            )
    return sum(fact.st_size for fact in facts.values()), kept


def too_many(total: int, limit: int, kept: Iterable[Kept], used: InUse) -> list[Kept]:
    """Return what must go, in this order, for a folder to hold no more than its limit.

    First the oldest of what was rotated away by services or written by runs that went well,
    then the oldest of the rest, but nothing that is still written to.
    """

    def is_written(one: Kept) -> bool:
        if one.is_rotated:
            return False
        return one.output.run in used.runs if one.output.run else one.job in used.jobs

    def rank(one: Kept) -> tuple[bool, float]:
        if one.output.run is None:
            return not one.is_rotated, one.written_at
        return one.output.run in used.failed, one.written_at

    going = []
    for one in sorted((one for one in kept if not is_written(one)), key=rank):
        if total <= limit:
            break
        total -= one.size
        going.append(one)
    return going


def remove(one: Kept) -> None:
    """Remove a file with its index; what cannot go stays."""
    for path in (one.path, f"{one.path.removesuffix('.gz')}{_INDEX}"):
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
