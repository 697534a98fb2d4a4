"""The master, built and run.

The tree of tasks::

    run
    ├── fork server        connects to the one that is there, or starts one
    ├── links              one per living supervisor: journal in, requests out
    ├── dispatcher         gates, claims, launches
    ├── ticker             one sleeper for all due times
    ├── control            the socket: one task per connection
    ├── health, pruning    heartbeats; old spools
    └── signals            TERM, INT, HUP, USR1

A service's own failure ends the master loudly; jobs run on under their supervisors, and the
next master adopts them.
"""

import logging
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import trio

import claw
from claw.errors import ClawError, StoreError
from claw.kernel import clock, limits
from claw.master import daemonlog
from claw.master.asyncstore import AsyncStore
from claw.master.configuration import Configuration, Reloader
from claw.master.control.audit import AuditLog
from claw.master.control.events import EventBus
from claw.master.control.server import serve_control
from claw.master.decider import Decider
from claw.master.engine import intents, journal, services
from claw.master.engine.rebuild import rebuild
from claw.master.engine.sync import sync
from claw.master.output.watch import Watcher
from claw.master.reaper import Reaper
from claw.master.supervision.adopt import Adoption
from claw.master.supervision.dispatcher import Dispatcher
from claw.master.supervision.health import serve_health
from claw.master.supervision.launcher import ForkServer
from claw.master.supervision.launches import Surroundings
from claw.master.supervision.linefeed import LostError
from claw.master.supervision.links import Links
from claw.master.supervision.spools import list_spools, read_spools, serve_pruning
from claw.master.supervision.ticker import Ticker
from claw.master.wiring import Services
from claw.model.effect import Dispatch, Effect, Reschedule, Settled, StopRun
from claw.model.home import Home
from claw.model.job import Config, Job
from claw.store.damage import Opened, open_or_rebuild

_LOG = logging.getLogger("claw")
_LAST_WORD_S = 5.0
_STOP_PAUSE_S = 0.05


class App:
    """One master, from open files to the last word."""

    def __init__(self, home: Home, configuration: Configuration) -> None:
        self._soft_limit = limits.raise_open_files()[0]
        self.home = home
        self.configuration = configuration
        self.started_at = clock.now()
        self._bus = EventBus()
        self._reaper = Reaper()
        self._shutdown_asked = trio.Event()
        self._shutdown_mode = "auto"
        self._patience = trio.CancelScope()
        self._is_up = False
        self._is_unrecorded = False  # the end of the jobs could not be written down

    async def run(self) -> None:
        """Run until somebody ends it.

        Raises:
            StoreError: The database cannot be opened.
            OSError: The control socket cannot be made.
        """
        opened = open_or_rebuild(
            self.home.database, clock.now(), on_events=self._bus.publish_from_threads()
        )
        try:
            await self._run(opened)
        finally:
            opened.database.close()

    async def _run(self, opened: Opened) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._build(AsyncStore(opened.database))
            await self._recall(opened)
            await nursery.start(self._reaper.serve)
            await nursery.start(self._serve_signals)
            nursery.start_soon(self._come_up, nursery)
            await self._shutdown_asked.wait()
            await self._wind_down()
            nursery.cancel_scope.cancel()

    async def _come_up(self, nursery: trio.Nursery) -> None:
        """Adopt what lives, begin what is due, then open the door."""
        await nursery.start(self._fork_server.serve)
        adopted = await self._adoption.adopt(nursery)
        await self._decide(services.autostart)
        nursery.start_soon(self._ticker.serve)
        nursery.start_soon(self._dispatcher.serve, nursery)
        self._dispatcher.wake()
        await nursery.start(self._serve_control)
        nursery.start_soon(serve_health, self.home, self._links, self._heartbeat_s)
        nursery.start_soon(serve_pruning, self.home, self._store)
        self._is_up = True
        _LOG.info(
            "claw %s is up: pid %d, %d jobs, %d supervisors adopted",
            claw.__version__, os.getpid(), len(self.configuration.current.jobs), adopted,
        )  # fmt: skip

    def _build(self, store: AsyncStore) -> None:
        """Make the parts and connect them."""
        config = self.configuration.get
        self._store = store
        self._decide = Decider(store, config, self._perform)
        self._fork_server = ForkServer(self.home, self._reaper, self._on_gone, self._soft_limit)
        self._links = Links(self.home, self._apply, self._fork_server.knows, self._on_lost)
        self._adoption = Adoption(self.home, self._decide, self._fork_server, self._links)
        self._dispatcher = Dispatcher(
            self.home,
            self._decide,
            self._fork_server,
            self._links,
            Surroundings(os.environ, os.geteuid()),
        )
        self._ticker = Ticker(store, self._decide)
        self._ticker.on_run_due = self._dispatcher.wake
        self._dispatcher.on_next_due = self._ticker.expect_run
        self._reload = Reloader(self.configuration, self._decide, self._on_config)

    @property
    def _heartbeat_s(self) -> float:
        return self.configuration.current.daemon.heartbeat_s

    async def _recall(self, opened: Opened) -> None:
        """Bring the database in line with the journals after damage, and with the files."""
        if opened.damage is not None or opened.is_new:
            spools = list(read_spools(self.home, list_spools(self.home)))
            damage = opened.damage
            if damage is not None or spools:
                why = (
                    f"{damage.why}; it is kept as {damage.set_aside}"
                    if damage is not None
                    else "there was no database beside the journals"
                )
                _LOG.error("the database is rebuilt from the journals: %s", why)
                await self._decide(lambda turn: rebuild(turn, spools, why=why))
        about = f"claw {claw.__version__}, pid {os.getpid()}"
        await self._decide(lambda turn: services.begin(turn, clock.boot_id(), about))
        await self._decide(lambda turn: sync(turn, start=False, by="start"))

    # -- what decisions lead to ------------------------------------------------------

    async def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Dispatch():
                    self._dispatcher.wake()
                case Reschedule(job):
                    self._ticker.reschedule(job)
                case StopRun():
                    self._nursery.start_soon(self._tell_stop, effect)
                case Settled(sid):
                    self._links.settle(sid)

    async def _tell_stop(self, effect: StopRun) -> None:
        """Tell a supervisor to end its run, for as long as there is one to be told."""
        while effect.sid in self._links.all:
            try:
                await self._links.call(
                    effect.sid,
                    op="stop",
                    why=effect.why,
                    by=effect.by,
                    grace_s=effect.grace_s,
                )
            except LostError:
                await trio.sleep(_STOP_PAUSE_S)
            except ClawError as error:
                _LOG.error("supervisor %s cannot be told to stop: %s", effect.sid, error)
                return
            else:
                return

    async def _apply(self, sid: str, data: bytes, offset: int) -> int:
        return await self._decide(lambda turn: journal.apply_journal(turn, sid, data, offset))

    async def _on_gone(self, sid: str) -> None:
        await self._links.gone(sid)

    async def _on_lost(self, sid: str) -> bool:
        return await self._adoption.lose(sid)

    # -- the outside -------------------------------------------------------------------

    async def _serve_control(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        watcher = Watcher()
        try:
            await serve_control(self._services(watcher), task_status=task_status)
        finally:
            watcher.close()

    def _services(self, watcher: Watcher) -> Services:
        return Services(
            home=self.home,
            store=self._store,
            config=self.configuration,
            bus=self._bus,
            watcher=watcher,
            audit=AuditLog(self.home.audit_log),
            decide=self._decide,
            supervisors=self._links,
            next_at=self._next_at,
            reload=self._reload,
            request_shutdown=self.request_shutdown,
            fork_server_pid=lambda: self._fork_server.pid,
            started_at=self.started_at,
        )

    def _next_at(self, job: Job) -> datetime | None:
        return self._ticker.next_at(job.name)

    def request_shutdown(self, mode: str) -> None:
        """Ask for the end: ``stop`` ends the jobs, ``detach`` leaves them, ``auto`` decides.

        Asked again, while jobs are still given their time to end: that time is over.
        """
        if self._shutdown_asked.is_set():
            self._patience.cancel()
        self._shutdown_mode = mode
        self._shutdown_asked.set()

    async def _serve_signals(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        handlers: dict[int, Callable[[], Awaitable[None]]] = {
            signal.SIGHUP: self._on_hup,
            signal.SIGUSR1: self._on_usr1,
        }
        watched = (signal.SIGTERM, signal.SIGINT, *handlers)
        with trio.open_signal_receiver(*watched) as received:
            task_status.started()
            async for number in received:
                handler = handlers.get(number)
                if handler is None:
                    self.request_shutdown("auto")
                else:
                    self._nursery.start_soon(handler)

    async def _on_hup(self) -> None:
        try:
            changes = await self._reload()
        except ClawError as error:
            lines = getattr(error, "diagnostics", ()) or (str(error),)
            _LOG.error("reload refused; nothing has changed:\n%s", "\n".join(lines))
        else:
            _LOG.info("reloaded: %s", changes)

    def _on_config(self, config: Config) -> None:
        daemonlog.set_level(config.daemon.log_level)

    async def _on_usr1(self) -> None:
        daemonlog.reopen()

    # -- the end -------------------------------------------------------------------------

    def _ends_jobs(self) -> bool:
        mode = self._shutdown_mode
        if mode == "auto":
            mode = self.configuration.current.daemon.on_shutdown
        return mode != "detach"

    async def _wind_down(self) -> None:
        """End the jobs if that is wanted, and wait until they are gone."""
        if not self._is_up:
            _LOG.warning("the master ends before it was up; jobs go on as they are")
            return
        if not self._ends_jobs():
            _LOG.info("the master ends; %d supervisors go on", len(self._links.all))
            return
        _LOG.info("the master ends, and its jobs with it")
        if await self._within(self._shutdown_timeout_s, self._end_jobs):
            return
        _LOG.warning("%d jobs have not ended in their time: SIGKILL", len(self._links.all))
        for sid in tuple(self._links.all):
            stop = StopRun("", sid, "shutdown", "daemon", grace_s=0.0)
            self._nursery.start_soon(self._tell_stop, stop)
        if not await self._within(_LAST_WORD_S, self._wait_all_gone):
            _LOG.error("left behind: %s", ", ".join(self._links.all))

    @property
    def _shutdown_timeout_s(self) -> float:
        return self.configuration.current.daemon.shutdown_timeout_s

    async def _within(self, seconds: float, act: Callable[[], Awaitable[None]]) -> bool:
        """Do something, until it has taken too long or nobody wants to wait any more."""
        with trio.move_on_after(seconds) as self._patience:
            await act()
            return True
        return False

    async def _end_jobs(self) -> None:
        """End the jobs, also when that cannot be written down: a stop has to stop."""
        try:
            await self._decide(lambda turn: intents.shut_down(turn, by="daemon"))
        except StoreError as error:
            _LOG.error("ending jobs without a record of it: %s", error)
            self._is_unrecorded = True
            for sid in tuple(self._links.all):
                self._nursery.start_soon(
                    self._tell_stop, StopRun("", sid, "shutdown", "daemon")
                )
        await self._wait_all_gone()

    async def _wait_all_gone(self) -> None:
        """Wait until no run is active any more."""
        while await self._has_active_runs():
            if self._is_unrecorded and self._links.are_all_dead():
                return
            await trio.sleep(_STOP_PAUSE_S)

    async def _has_active_runs(self) -> bool:
        try:
            return await self._store.read(lambda tx: bool(tx.active_runs()))
        except StoreError as error:
            _LOG.error("cannot tell which runs are active: %s", error)
            return True
