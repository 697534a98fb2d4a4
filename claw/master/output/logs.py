"""Output for clients: the last lines of a job or run.

Files are read in threads, since a disk can be slow; `claw.master.output.logstream` follows
them.
"""

import errno
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import TypeVar

import trio

from claw.errors import ConflictError
from claw.kernel import reading
from claw.master.output.follow import STREAMS, Output, list_outputs, newest_run
from claw.master.output.logfiles import read_tail
from claw.master.output.timeline import Window
from claw.master.wiring import Json
from claw.model import instances
from claw.model.home import Home
from claw.model.job import Config, Job, Stderr

T = TypeVar("T")

DEFAULT_LINES = 10
READ_LIMIT_BYTES = 2 << 20
"""Most output in one reply; the first of the lines asked for are left out."""
_READERS = 8


_threads = trio.CapacityLimiter(_READERS)


async def in_thread(fn: Callable[[], T], *, abandon_on_cancel: bool = False) -> T:
    """Run what reads files in one of a few threads of its own.

    Args:
        fn: It.
        abandon_on_cancel: Whether who is canceled leaves it to itself.

    Raises:
        OSError: There is no room for another thread, or as ``fn`` has it.
    """
    try:
        return await trio.to_thread.run_sync(
            fn, limiter=_threads, abandon_on_cancel=abandon_on_cancel
        )
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error  # as pthread_create(3) has it


async def read(
    home: Home, names: Sequence[str], *, run: str | None, streams: Sequence[str], lines: int
) -> Json:
    """Return the last lines of the newest output under some names, or of a run's."""
    limit = READ_LIMIT_BYTES // max(len(names), 1)
    found = [
        await in_thread(partial(read_parts, home, name, run, streams, lines, limit))
        for name in names
    ]
    parts = [part for some in found for part in some]
    return {
        "text": _one_after_another([part["text"] for part in parts]),
        "source": "file" if parts else "none",
        "path": parts[0]["path"] if parts else None,
        "parts": parts,
    }


def _one_after_another(texts: Sequence[str]) -> str:
    """Return texts as one; what ends in the midst of a line takes no other's first into it."""
    ended = [text if text.endswith("\n") or not text else f"{text}\n" for text in texts[:-1]]
    return "".join([*ended, *texts[-1:]])


def numbers_there(home: Home) -> dict[str, set[int]]:
    """Return the instances that have written something at some time, by job."""
    try:
        there = reading.names_in(home.log)
    except OSError:
        there = []
    found: dict[str, set[int]] = {}
    for name in there:
        job, no = instances.split(name)
        if no is not None:
            found.setdefault(job, set()).add(no)
    return found


def names_of(job: Job, there: Mapping[str, Set[int]]) -> list[str]:
    """Return under which names a job's output lies: its own, and those of its instances.

    Args:
        job: The job.
        there: What `numbers_there` found.
    """
    configured = range(1, job.instances + 1) if job.instances > 1 else ()
    numbers = sorted({*configured, *there.get(job.name, ())})
    return [job.name, *(instances.label(job.name, no) for no in numbers)]


async def has_output(home: Home, job: str) -> bool:
    """Tell whether anything that a job has written is kept."""
    return bool(await in_thread(partial(list_outputs, home.job_log(job))))


def streams_of(word: str) -> tuple[str, ...]:
    """Return the streams that ``stdout``, ``stderr`` or ``both`` means."""
    return STREAMS if word == "both" else (word,)


def check_streams(config: Config, job: str, streams: Sequence[str]) -> None:
    """Refuse to show standard error alone where it has no file of its own.

    Raises:
        ConflictError: It is merged into standard output, or discarded.
    """
    found = config.job(job)
    if streams != ("stderr",) or found is None or found.log.stderr is Stderr.SEPARATE:
        return
    what = "kept together with its stdout" if found.log.stderr is Stderr.MERGE else "not kept"
    raise ConflictError(
        f"the stderr of {job!r} is {what}",
        hint='set log.stderr = "separate", or leave --stderr out',
    )


def read_parts(
    home: Home,
    job: str,
    run: str | None,
    streams: Sequence[str],
    lines: int,
    limit: int = READ_LIMIT_BYTES,
) -> list[Json]:
    """Return the last lines of each output file there is, standard output first."""
    folder = home.job_log(job)
    there = list_outputs(folder)
    window = Window()
    if run is None:
        run = newest_run(there)
    elif not any(one.run == run for one in there):  # of a service, whose runs share a file
        window, run = Window(runs=frozenset({run})), None
    parts = []
    for name in streams:
        path = f"{folder}/{Output(run, name).name}"
        text = read_tail(path, lines, limit // len(streams), window)
        if text is not None:
            parts.append({"stream": name, "path": path, "run": run, "text": text})
    return parts
