"""Forwards output to the daemon's standard output and to the journal (``log.to``).

A task for each job and sink follows the job's files, as a client would, and notes on disk how
far it has come: a master that is started again goes on there. After a kill what had been
written and not yet noted, a piece of at most 64 KiB, comes again; nothing is left out. Where
a sink takes nothing, output waits in its files.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import trio

from claw.errors import StoreError
from claw.kernel import clock, files, history
from claw.master.output.follow import parse_name
from claw.master.output.logfiles import Place
from claw.master.output.logs import in_thread
from claw.master.output.logstream import Following, LogStream
from claw.master.output.position import Position
from claw.master.output.sinks import RETRY_S, Journal, SinkError, Stdout
from claw.master.output.watch import Watcher
from claw.master.wiring import Services
from claw.model.home import Home
from claw.model.job import Config, Sink
from claw.model.logline import LineOfOutput, LineSplitter
from claw.store.records import Tx

FLUSH_S = 3.0
"""A line that was begun and goes on for so long is forwarded as it is."""
FINISH_S = 5.0
"""In a shutdown, time for what the jobs have written last."""
_TELL_S = 600.0

log = logging.getLogger("claw.logs")

Key = tuple[str, Sink]
"""A job and where its output goes."""


class _Forwarder:
    """One job's way to one sink; takes what a `LogStream` sends."""

    def __init__(self, job: str, sink: Stdout | Journal, position: Position) -> None:
        self.job = job
        self.position = position
        self._sink = sink
        self._splitter = LineSplitter()
        self._pending: dict[str, str] = {}  # cursors of outputs that have a line begun
        self._since_s = 0.0  # when the oldest begun line came
        self._shape: Mapping[str, object] = {}
        self._turn = trio.Lock()
        self._is_silent = False
        self._failure = ""  # what was told last
        self._tell_at = 0.0
        self.has_news = trio.Event()  # something came since it was tended last

    async def send(self, method: str, params: Mapping[str, object]) -> None:
        """Forward a piece of output."""
        if method != "log":
            return
        async with self._turn:
            self._shape = params
            self.has_news.set()
            cursor = str(params["cursor"])
            name = Place.parse(cursor).name
            await self._write(self._splitter.feed(params))
            if self._splitter.has_begun(params):
                self._pending[name] = cursor
                self._since_s = self._since_s or clock.monotonic()
                return
            self._pending.pop(name, None)
            await self._note([cursor])

    def tell_failure(self, failed: BaseException) -> None:
        """Say why its files cannot be read, now and then: it is tried again."""
        while isinstance(failed, BaseExceptionGroup):
            failed = failed.exceptions[0]
        now = clock.monotonic()
        if str(failed) != self._failure or now >= self._tell_at:
            self._failure, self._tell_at = str(failed), now + _TELL_S
            log.warning("output of %r is not forwarded for now: %s", self.job, failed)

    def send_last(self, method: str, params: Mapping[str, object]) -> None:
        """Take note of the end of what is followed."""
        log.debug("forwarding of %s: %s %s", self.job, method, params)

    async def flush(self, *, is_over: bool = False) -> None:
        """Forward lines that were begun long ago."""
        async with self._turn:
            waited_s = clock.monotonic() - self._since_s
            if self._pending and (is_over or waited_s >= FLUSH_S):
                await self._write(self._splitter.rest())
                await self._note(list(self._pending.values()))
                self._pending.clear()
            if self._pending:
                self.has_news.set()
            else:
                self._since_s = 0.0

    async def pause(self) -> None:
        """Forward nothing more, once what is being written is written and noted."""
        await self._turn.acquire()

    async def _write(self, lines: list[LineOfOutput]) -> None:
        """Write, however long it takes until somebody takes it."""
        while lines:
            try:
                await self._sink.write(
                    lines,
                    timestamps=bool(self._shape.get("timestamps")),
                    as_json=self._shape.get("format") == "json",
                )
            except SinkError as error:
                if not self._is_silent:
                    self._is_silent = True
                    log.warning(
                        "output of %r waits: %s takes none: %s",
                        self.job, self._sink.name, error,
                    )  # fmt: skip
                await trio.sleep(RETRY_S)
            else:
                if self._is_silent:
                    log.info("output of %r goes on to %s", self.job, self._sink.name)
                self._is_silent = False
                return

    async def _note(self, cursors: list[str]) -> None:
        places = [Place.parse(cursor) for cursor in cursors]
        self.position.advance(places, clock.wall())
        await in_thread(self.position.save)


class Forwarding:
    """All of it: `serve` runs it, `refresh` tells of another configuration."""

    def __init__(
        self,
        home: Home,
        config: Callable[[], Config],
        services: Callable[[Watcher], Services],
    ) -> None:
        self._home = home
        self._config = config
        self._services = services
        self._sinks: dict[Sink, Stdout | Journal] = {
            Sink.STDOUT: Stdout(),
            Sink.JOURNAL: Journal(),
        }
        self._changed = trio.Event()
        self._scopes: dict[Key, trio.CancelScope] = {}
        self._forwarders: dict[Key, _Forwarder] = {}
        self._watcher: Watcher | None = None

    def refresh(self) -> None:
        """The configuration may have changed."""
        self._changed.set()

    async def serve(self, since: float) -> None:
        """Forward, until cancelled.

        Args:
            since: What was written before is not forwarded, where nothing tells how far it
                had come; seconds since the epoch.
        """
        while not self._wanted():
            await self._await_change()
            since = clock.wall()
        self._watcher = Watcher()
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._watcher.serve)
                while True:
                    self._adjust(nursery, since)
                    await self._await_change()
                    since = clock.wall()
        finally:
            self._watcher.close()

    async def _await_change(self) -> None:
        await self._changed.wait()
        self._changed = trio.Event()

    def _wanted(self) -> set[Key]:
        return {
            (job.name, sink)
            for job in self._config().jobs
            for sink in job.log.to
            if sink is not Sink.FILE
        }

    def _adjust(self, nursery: trio.Nursery, since: float) -> None:
        wanted = self._wanted()
        for key in [key for key in self._scopes if key not in wanted]:
            self._scopes.pop(key).cancel()
            forwarder = self._forwarders.pop(key, None)
            if forwarder is not None:
                forwarder.position.remove()
        for key in wanted - self._scopes.keys():
            self._scopes[key] = trio.CancelScope()
            nursery.start_soon(self._forward, key, since, self._scopes[key])

    async def _forward(self, key: Key, since: float, scope: trio.CancelScope) -> None:
        job, sink = key
        position = Position(f"{self._home.forward}/{sink}-{job}.json", since)
        forwarder = self._forwarders[key] = _Forwarder(job, self._sinks[sink], position)
        with contextlib.suppress(OSError):
            await in_thread(position.save)  # so that another master knows since when
        with scope:
            while True:
                try:
                    await self._forward_on(key, forwarder)
                except* OSError as failed:
                    forwarder.tell_failure(failed)
                await trio.sleep(RETRY_S)

    async def _forward_on(self, key: Key, forwarder: _Forwarder) -> None:
        """Forward from where it has come to, until what it follows ends or fails.

        Raises:
            ExceptionGroup: Of OSError: a file cannot be read, ...
        """
        await forwarder.flush(is_over=True)  # it goes on behind the line it had begun
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tend, key, forwarder)
            await self._follow(forwarder, only_present=False)
            nursery.cancel_scope.cancel()

    async def _follow(self, forwarder: _Forwarder, *, only_present: bool) -> None:
        assert self._watcher is not None  # noqa: S101
        output = LogStream(
            self._services(self._watcher),
            Following(
                targets=(),
                jobs=(forwarder.job,),
                runs=(),
                lines=None,
                places=forwarder.position.places,
                since=forwarder.position.since,
                wants_times=True,
                only_present=only_present,
            ),
        )
        try:
            await output.open()
        except BaseException:
            output.close()
            raise
        await output.serve(forwarder)

    async def _tend(self, key: Key, forwarder: _Forwarder) -> None:
        while True:
            await forwarder.has_news.wait()
            forwarder.has_news = trio.Event()
            await trio.sleep(FLUSH_S)
            await forwarder.flush()
            await self._empty_buffer(key[0])

    # -- jobs that keep no file ------------------------------------------------------

    async def _empty_buffer(self, name: str) -> None:
        """Remove what has been forwarded of a job that does not want to keep it."""
        job = self._config().job(name)
        if job is None or Sink.FILE in job.log.to:
            return
        positions = [
            self._forwarders[key].position
            for key in self._wanted()
            if key[0] == name and key in self._forwarders
        ]
        for place in least_of([position.places for position in positions]):
            path = f"{self._home.log}/{place.name}"
            if place.number > 1:
                with contextlib.suppress(OSError):
                    await in_thread(partial(history.prune, path, place.number - 1))
            output = parse_name(path.rpartition("/")[2])
            if output is not None and output.run and not await self._is_open(output.run):
                await in_thread(partial(_remove_read, path, place.offset))

    async def _is_open(self, run_id: str) -> bool:
        def read(tx: Tx) -> bool:
            run = tx.run(run_id)
            return run is None or run.is_open

        assert self._watcher is not None  # noqa: S101
        try:
            return await self._services(self._watcher).store.read(read)
        except StoreError:
            return True

    # -- the end -----------------------------------------------------------------------

    async def pause(self) -> None:
        """Forward nothing more: the jobs go on, and so does another master."""
        with trio.move_on_after(FINISH_S):
            for forwarder in self._forwarders.values():
                await forwarder.pause()
        for scope in self._scopes.values():
            scope.cancel()

    async def finish(self) -> None:
        """Forward what is there now, for a short time: the jobs have ended."""
        if self._watcher is None:
            return
        await self.pause()
        with trio.move_on_after(FINISH_S):
            async with trio.open_nursery() as nursery:
                for key in self._wanted() & self._forwarders.keys():
                    nursery.start_soon(self._finish_one, key)

    async def _finish_one(self, key: Key) -> None:
        old = self._forwarders[key]
        position = Position(f"{self._home.forward}/{key[1]}-{key[0]}.json", old.position.since)
        last = _Forwarder(key[0], self._sinks[key[1]], position)
        try:
            await self._follow(last, only_present=True)
            await last.flush(is_over=True)
        except OSError as error:
            last.tell_failure(error)


def least_of(all_places: Sequence[Sequence[Place]]) -> list[Place]:
    """Return how far every one of several readers has come, where all know a file."""
    by_name: dict[str, list[Place]] = {}
    for places in all_places:
        for place in places:
            by_name.setdefault(place.name, []).append(place)
    return [
        min(places, key=lambda one: (one.number, one.offset))
        for places in by_name.values()
        if len(places) == len(all_places)
    ]


def _remove_read(path: str, offset: int) -> None:
    """Remove the output of a run that has ended, if all of it has been read."""
    with contextlib.suppress(OSError):
        if os.stat(path).st_size <= offset:  # noqa: PTH116
            files.remove(path)
            files.remove(f"{path}.idx")
