"""Following output: the last lines of some jobs or runs, and all that is added to them.

The file itself is the buffer. A client that reads slowly is sent what follows when it has
taken what came before; one that takes nothing for too long is told where to resume.
"""

import contextlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import trio

from claw.errors import StoreError
from claw.kernel import clock, files
from claw.master.control import targets
from claw.master.control.streams import LaggedError
from claw.master.output import stored
from claw.master.output.follow import STREAMS, Chunk, Follower, Source, list_outputs
from claw.master.output.logfiles import IDLE_S, Place
from claw.master.output.logs import (
    DEFAULT_LINES,
    READ_LIMIT_BYTES,
    in_thread,
    names_of,
    numbers_there,
)
from claw.master.wiring import Json, Services
from claw.model import instances
from claw.model.job import Log, LogFormat
from claw.store.records import Tx

_BATCH_BYTES = 256 << 10
_STORED = "database"
"""Names the place of output that comes from no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What a client wants to follow."""

    targets: tuple[str, ...]  # as asked for: patterns may mean more jobs later
    jobs: tuple[str, ...]
    runs: tuple[tuple[str, str], ...]  # job and run
    streams: tuple[str, ...] = STREAMS
    lines: int | None = DEFAULT_LINES  # None: all that there is
    places: tuple[Place, ...] = ()  # where to go on
    since: float | None = None  # seconds since the epoch
    until: float | None = None
    wants_times: bool = False
    only_present: bool = False  # end where it all stands now
    from_store: bool = False  # and what the database has of runs whose files are gone

    @property
    def only_run(self) -> str | None:
        """The one run that is followed, whose end ends the following."""
        is_single = not self.jobs and len(self.runs) == 1
        return self.runs[0][1] if is_single else None


class Receiver(Protocol):
    """Who takes output: a client's `claw.master.control.streams.Stream`, or a forwarder."""

    async def send(self, method: str, params: Mapping[str, object]) -> None:
        """Take a notification; waited for.

        Raises:
            LaggedError: It takes none any more.
        """

    def send_last(self, method: str, params: Mapping[str, object]) -> None:
        """Take the notification that ends the stream."""


def body_of(chunk: Chunk) -> Json:
    """Return a piece of output as clients are sent it."""
    body: Json = {
        "job": chunk.job,
        "run": chunk.run,
        "stream": chunk.stream,
        "text": chunk.text,
        "cursor": str(chunk.end),
    }
    if chunk.missed:
        body["missed"] = chunk.missed
    return body


def iso_of(at: float | None) -> str | None:
    """Return a time as it is sent, to the millisecond."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def shape_of(log: Log) -> Json:
    """Return how a job wants its output to be shown; nothing: as it is."""
    shape: Json = {}
    if log.timestamps:
        shape["timestamps"] = True
    if log.format is not LogFormat.RAW:
        shape["format"] = str(log.format)
    return shape


class LogStream:
    """What one client follows; opened before it is answered, so that nothing is missed.

    Whoever has opened it runs `serve` or calls `close`.
    """

    def __init__(self, services: Services, wanted: Following) -> None:
        self._services = services
        self._wanted = wanted
        self._places: dict[str, Place] = {}
        self._config = services.config.current
        self._follower = Follower(
            lines=wanted.lines,
            limit_bytes=READ_LIMIT_BYTES,
            since=wanted.places,
            only_present=wanted.only_present,
        )
        self._resources = contextlib.ExitStack()
        self._resources.callback(self._follower.close)
        self._watch = self._resources.enter_context(services.watcher.watching())
        self._watch_jobs_appear()
        # A run that ends and a job that is added wake the same sleeper as a file that grows.
        runs = frozenset([wanted.only_run] if wanted.only_run else [])
        self._resources.enter_context(
            services.bus.interest(runs=runs, on_wake=self._watch.wake)
        )

    def _watch_jobs_appear(self) -> None:
        """Watch the folder of all output, which somebody may have removed."""
        folder = self._services.home.log
        if not self._watch.add(folder):
            with contextlib.suppress(OSError):
                files.make_folder(folder)
            self._watch.add(folder)

    def close(self) -> None:
        """Close the files and stop watching."""
        self._resources.close()

    async def open(self) -> None:
        """Find where each file stands now."""
        await self._add(self._sources(), is_new=False)

    async def serve(self, stream: Receiver) -> None:
        """Send output until it is over, or the client is gone; closes at the end."""
        try:
            await self._serve(stream)
        except LaggedError:
            stream.send_last("lagged", {"resume_from": self._resume_from})
        except StoreError as error:
            stream.send_last("end", {"reason": f"{error}"})
        finally:
            self.close()

    @property
    def _resume_from(self) -> list[str]:
        """Where each file was when the client took the last of it."""
        return [str(place) for place in self._places.values()]

    async def _serve(self, stream: Receiver) -> None:
        ended = "read" if self._wanted.only_present else None
        if self._wanted.from_store and not self._wanted.places:
            await self._send_stored(stream)
        while True:
            if ended is None:
                ended = await self._state_at_end()
                if ended is not None:  # a file may be there that nobody has told of yet
                    await in_thread(partial(self._follower.note, None))
            read = partial(
                self._follower.read,
                clock.monotonic(),
                limit_bytes=_BATCH_BYTES,
                is_over=ended is not None,
            )
            await self._send(stream, await in_thread(read))
            if self._follower.has_more:
                continue
            if ended is not None:
                stream.send_last("end", {"reason": ended})
                return
            await self._wait()

    async def _send_stored(self, stream: Receiver) -> None:
        """Send what the database has of runs that are asked for and have no file any more."""
        for label, runs in (await self._runs_without_files()).items():
            look = partial(stored.of_runs, runs, self._wanted.streams, self._wanted.lines)
            for one in await self._services.store.read(look):
                place = Place(name=_STORED, inode=0, offset=0)
                chunk = Chunk(
                    job=label, run=one.run, stream=one.stream, text=one.text, begin=place,
                    end=place, at=one.at.timestamp() if one.at else None,
                )  # fmt: skip
                await stream.send("log", {**self._body(chunk), **self._shape(chunk)})

    async def _runs_without_files(self) -> dict[str, list[str]]:
        """Return the runs by the name under which their output lay."""
        wanted, found = self._wanted, dict[str, list[str]]()
        for label, run in wanted.runs:
            found.setdefault(label, []).append(run)
        has_times = wanted.since is not None or wanted.until is not None
        if wanted.only_present and has_times:
            for job in wanted.jobs:
                look = partial(stored.runs_between, job, wanted.since, wanted.until)
                found[job] = list(await self._services.store.read(look))
        for label, runs in found.items():
            there = await in_thread(partial(list_outputs, self._services.home.job_log(label)))
            with_files = {output.run for output in there}
            found[label] = [run for run in runs if run not in with_files]
        return found

    async def _send(self, stream: Receiver, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self._places.setdefault(chunk.begin.name, chunk.begin)
        for chunk in chunks:
            await stream.send("log", {**self._body(chunk), **self._shape(chunk)})
            self._places[chunk.end.name] = chunk.end

    def _body(self, chunk: Chunk) -> Json:
        """Return a piece of output, without secrets if the job wants that."""
        body = body_of(chunk)
        job = self._config.job(instances.split(chunk.job)[0])
        if job is not None and job.log.mask_secrets:
            body["text"] = self._services.confidant.redactor.mask(body["text"])
        return body

    def _shape(self, chunk: Chunk) -> Json:
        """Return how the job wants its output to be shown, and when this was written."""
        job = self._config.job(instances.split(chunk.job)[0])
        shape = {} if job is None else shape_of(job.log)
        if shape or self._wanted.wants_times:
            shape["at"] = iso_of(chunk.at)
        return shape

    async def _wait(self) -> None:
        """Wait for a change that matters, or for a begun line to grow old."""
        while True:
            if self._follower.has_begun_lines:
                with trio.move_on_after(IDLE_S) as idle:
                    changed = await self._watch.wait()
                if idle.cancelled_caught:
                    self._follower.note_begun_lines()
                    return
            else:
                changed = await self._watch.wait()
            if await self._take_note(changed):
                return

    async def _take_note(self, changed: frozenset[str] | None) -> bool:
        """Take note of what has changed; tell whether there may be something to read."""
        is_new_folder = changed is None or self._services.home.log in changed
        if is_new_folder or self._services.config.current is not self._config:
            self._config = self._services.config.current
            await self._add(self._sources(), is_new=True)
        for path in changed or self._follower.folders:
            if path in self._follower.folders:
                self._watch.add(path)  # it has just appeared, or appeared again
        self._watch_jobs_appear()
        follower = self._follower
        if changed is not None:
            changed = frozenset(path for path in changed if follower.concerns(path))
        if changed is None or changed:
            await in_thread(partial(follower.note, changed))
        return follower.has_more or self._wanted.only_run is not None

    async def _add(self, sources: Sequence[Source], *, is_new: bool) -> None:
        for source in sources:
            self._watch.add(source.folder)  # first, so that nothing is missed between
            await in_thread(partial(self._follower.add, source, is_new=is_new))

    def _sources(self) -> list[Source]:
        """Return what the targets mean now; those that mean nothing now are passed over."""
        wanted, there = self._wanted, numbers_there(self._services.home)
        found = {
            name: frozenset[str]() for job in wanted.jobs for name in self._names(job, there)
        }
        for target in wanted.targets:
            if targets.is_pattern(target):
                found.update(
                    (name, frozenset())
                    for job in self._config.known
                    if targets.fits(job, target)
                    for name in names_of(job, there)
                )
        for job, run in wanted.runs:
            if found.get(job) != frozenset():
                found[job] = found.get(job, frozenset()) | {run}
        home = self._services.home
        return [
            Source(
                job=job,
                folder=home.job_log(job),
                runs=runs,
                streams=wanted.streams,
                since=wanted.since,
                until=wanted.until,
                wants_times=wanted.wants_times or self._is_shaped(job),
            )
            for job, runs in found.items()
            if home.job_log(job) not in self._follower.folders
        ]

    def _names(self, name: str, there: Mapping[str, Set[int]]) -> list[str]:
        """Return under which names the output of a job, or of one instance, lies."""
        job = self._config.job(name)
        return [name] if job is None else names_of(job, there)

    def _is_shaped(self, name: str) -> bool:
        job = self._config.job(instances.split(name)[0])
        return job is not None and bool(shape_of(job.log))

    async def _state_at_end(self) -> str | None:
        """Return the final state of the one run that is followed, once it has one."""
        run_id = self._wanted.only_run
        if run_id is None:
            return None

        def read(tx: Tx) -> str | None:
            run = tx.run(run_id)
            if run is None:
                return "gone"
            return None if run.is_open else str(run.state)

        return await self._services.store.read(read)
