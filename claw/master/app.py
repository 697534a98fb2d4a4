"""The master, built and run.

The tree of tasks::

    run
    ├── fork server        connects to the one that is there, or starts one
    ├── elders             fork servers of other versions, until they have no run left
    ├── fostering          sees that each supervisor has a fork server that knows it
    ├── links              one hears all supervisors; one for each that lives, else asleep
    ├── dispatcher         gates, claims, launches
    ├── ticker             one sleeper for all due times
    ├── control            the socket: one task per connection
    ├── checks             readiness and health: one task per child that is looked at
    ├── lookout, pinger    what is overdue, a ticker that is stuck; calls to dead-man's switches
    ├── outbox             messages by channels: one task for each of them
    ├── inputs             files that jobs watch, the spool folder of events
    ├── health, forwarding heartbeats; output to stdout and the journal
    ├── upkeep             results and runs that are old; compression, bound of the log folder;
    │                      the file of metrics; backups
    ├── reaper, watchdog   orphans; the init system's, fed while all is well
    ├── locks              those that are shared with other masters
    └── signals            TERM, INT, QUIT, HUP, USR1, USR2, PWR

A service's own failure ends the master loudly; jobs run on under their supervisors, and the
next master adopts them.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import trio

import claw
from claw.kernel import clock, limits
from claw.master import daemonlog
from claw.master.asyncstore import AsyncStore
from claw.master.checks.checks import Checks
from claw.master.confidant import confidant_of
from claw.master.configuration import Configuration, Reloader
from claw.master.control.audit import AuditLog
from claw.master.control.events import EventBus
from claw.master.control.server import serve_control
from claw.master.decider import Decider
from claw.master.duties.watch import Watch, means_of
from claw.master.engine import services, sockets
from claw.master.init import handover
from claw.master.init.held import HeldSignals
from claw.master.init.inherited import Inherited
from claw.master.init.notify import Notifier, serve_watchdog
from claw.master.inputs.inputs import Inputs
from claw.master.locks.keeper import LockKeeper
from claw.master.output.forward import Forwarding
from claw.master.output.watch import Watcher
from claw.master.performing import Performer
from claw.master.reaper import Reaper
from claw.master.recall import recall
from claw.master.resources import Sampler
from claw.master.retiring import Retiring
from claw.master.shutdown import JobsEnd, Shutdown
from claw.master.signaling import Signaling
from claw.master.supervision.adopt import Adoption
from claw.master.supervision.cgroups import find_groups, leave
from claw.master.supervision.dispatcher import Dispatcher
from claw.master.supervision.evidence import Evidencing
from claw.master.supervision.fostering import Fostering, living
from claw.master.supervision.health import serve_health
from claw.master.supervision.launches import Surroundings
from claw.master.supervision.links import Links
from claw.master.supervision.pulse import Pulse
from claw.master.supervision.refreshing import Refreshing
from claw.master.supervision.sockets import Sockets
from claw.master.supervision.stops import tell_stop
from claw.master.supervision.ticker import Ticker
from claw.master.upkeep import Upkeep
from claw.master.wiring import Services
from claw.model import effect as effects
from claw.model.home import Home
from claw.model.job import Config
from claw.store.damage import Opened, open_or_rebuild
from claw.store.database import CLEAN_STOP

_LOG = logging.getLogger("claw")
_MARGIN_S = 15.0
_ADOPT_S = 10.0
_LAST_LOOKS = 5


class App:
    """One master, from open files to the last word."""

    def __init__(
        self,
        home: Home,
        configuration: Configuration,
        inherited: Inherited,
        notifier: Notifier,
        held: HeldSignals,
    ) -> None:
        """Take what it is made of.

        Args:
            home: Where its files are.
            configuration: Loaded.
            inherited: What this program was started with.
            notifier: Speaks to the service manager.
            held: Gets signals that are for a successor.
        """
        self.open_files = limits.raise_open_files()
        self.home = home
        self._inherited = inherited
        self._notifier = notifier
        self.held = held
        self.configuration = configuration
        self.started_at = clock.now()
        self._bus = EventBus()
        self._confidant = confidant_of(home, configuration.get, inherited.passphrase)
        daemonlog.hide(self._confidant.redactor.mask)
        self._reaper = Reaper()
        self._shutdown = Shutdown(self._reaper, home.restart_mark, is_unit=inherited.is_unit)
        self._adopted = trio.Event()
        self._signaling = Signaling(held, self._shutdown, self._reload_told)

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
            nursery.start_soon(self._links.serve, self._dispatcher.pulse)
            await recall(self.home, self._decide, opened, self._evidencing.look_into)
            await nursery.start(self._reaper.serve)
            await nursery.start(self._signaling.serve)
            nursery.start_soon(self._locks.serve)
            if self._inherited.watchdog_s is not None:
                probes = (
                    lambda: self._decide(lambda _turn: None),
                    lambda: self._store.read(lambda tx: tx.meta(CLEAN_STOP)),
                )
                nursery.start_soon(
                    serve_watchdog, self._notifier, self._inherited.watchdog_s, probes
                )
            nursery.start_soon(self._come_up, nursery)
            await self._shutdown.wait()
            if not (self._shutdown.is_renewal and await self._make_way()):
                await self._wind_down()
                await leave(self._groups, self._links.all)
            nursery.cancel_scope.cancel()
        self._links.close()

    @property
    def exit_status(self) -> int | None:
        """What to exit with; None: the new program takes over."""
        return None if self._signaling.makes_way else self._shutdown.exit_status

    async def _come_up(self, nursery: trio.Nursery) -> None:
        """Adopt what lives, begin what is due, then open the door."""
        await self._confidant.learn(self.configuration.current)
        await nursery.start(self._fork_server.serve)
        await nursery.start(self._fostering.elders.serve)
        adopted = await self._adoption.adopt(nursery)
        await self._fostering.settle(self._links)
        await self._holdings.learn()
        nursery.start_soon(self._fostering.serve, self._links)
        self._adopted.set()
        if self._shutdown.is_asked:  # nothing is begun that would have to be ended
            return
        self._groups.sweep(self._links.all)
        await self._decide(services.autostart)
        await self._sockets.settle(await self._decide(sockets.needing))
        nursery.start_soon(self._ticker.serve)
        nursery.start_soon(self._dispatcher.serve, nursery)
        self._dispatcher.wake()
        await nursery.start(self._serve_control)
        for serve in self._background():
            nursery.start_soon(serve)
        _LOG.info(
            "claw %s is up: pid %d, %d jobs, %d supervisors adopted",
            claw.__version__, os.getpid(), len(self.configuration.current.jobs), adopted,
        )  # fmt: skip
        self._notifier.ready(self._status_text())

    def _status_text(self) -> str:
        return f"claw {claw.__version__}, {len(self.configuration.current.jobs)} jobs"

    def _build(self, store: AsyncStore) -> None:
        """Make the parts and connect them."""
        config = self.configuration.get
        self._store = store
        self._perform = Performer()
        self._decide = Decider(store, config, self._perform)
        self._fostering = Fostering(
            self.home, self._reaper, self.open_files[0], living(store), self._on_gone
        )
        self._fork_server = self._fostering.fork_server
        self._sockets = Sockets(config, self._fostering)
        pulse = Pulse(self._decide)
        self._evidencing = Evidencing(
            self.home, config, store, pulse.apply, self._reaper, self._confidant.redactor
        )
        self._links = Links(self.home, self._evidencing, self._fostering.knows, self._on_lost)
        self._links.on_linked = self._fostering.look_at
        self._links.on_over = self._on_over
        self._links.on_child = self._fostering.copies.take_child
        self._upkeep = Upkeep(
            self.home, store, self._decide, self.configuration, self._confidant
        )
        self._locks = LockKeeper(store, self._decide, config, self.home.state, self._confidant)
        self._forwarding = Forwarding(self.home, config, self._services)
        self._links.on_rotated = self._upkeep.keeper.note_rotated
        self._groups = find_groups(self.home)
        around = Surroundings({**os.environ}, os.geteuid(), self._groups)
        self._dispatcher = Dispatcher(
            self.home, pulse, self._fork_server, self._links, self._sockets,
            (around, self._confidant),
        )  # fmt: skip
        self._adoption = Adoption(
            self.home, self._decide, self._evidencing, self._fostering, self._links
        )
        self._checks = Checks(
            self.home, store, config, self._links, (self._reaper, around), self._confidant
        )
        self._sampler = Sampler(config, store, self._decide, self._links, self._groups)
        self._ticker = Ticker(store, self._decide, pulse)
        self._dispatcher.go_by(self._ticker)
        self._watch = Watch(
            config, store, self._decide, means_of(self.home, self._reaper), self._confidant
        )
        self._jobs_end = JobsEnd(store, self._decide, self._links, self._tell_stop)
        self._reload = Reloader(self.configuration, self._decide, self._on_config)
        self._connect()

    def _background(self) -> Iterator[Callable[[], Awaitable[None]]]:
        """Yield what runs beside the rest from the start to the end."""
        yield from self._upkeep.duties()
        yield partial(self._forwarding.serve, self.started_at.timestamp())
        yield self._evidencing.findings.serve
        yield self._checks.serve
        heartbeat_s = self.configuration.current.daemon.heartbeat_s
        yield partial(serve_health, self.home, self._links, heartbeat_s)
        yield self._sampler.serve
        yield self._retiring.serve
        yield from (self._watch.serve, self._inputs.serve)

    # -- what decisions lead to ------------------------------------------------------

    def _connect(self) -> None:
        """Say who acts on which effect of a decision."""
        config, on = self.configuration.get, self._perform.on
        self._holdings = Refreshing(self._store, self._fostering, self._links, self._confidant)
        self._retiring = Retiring(self._reload_told)
        self._inputs = Inputs(self.home, config, self._store, self._decide)
        on(effects.Dispatch, lambda _effect: self._dispatcher.wake())
        on(effects.DispatchAt, self._ticker.expect)
        on(effects.Reschedule, self._ticker.expect)
        on(effects.LockWanted, self._locks.want)
        on(effects.LockLeft, self._locks.look_at)
        on(effects.Reschedule, self._inputs.files.wake)
        on(effects.BatchGoesOn, self._inputs.batches.wake)
        on(effects.Reschedule, self._watch.expect)
        on(effects.DutyAt, self._watch.expect)
        on(effects.PingAsked, self._watch.expect)
        on(effects.Posted, self._watch.expect)
        on(effects.StopRun, self._tell_stop)
        on(effects.Withdraw, self._withdraw)
        on(effects.Retire, self._retiring.on_retire)
        on(effects.Settled, lambda effect: self._links.settle(effect.sid))
        on(effects.Settled, lambda effect: self._checks.recheck("", effect.run))
        on(effects.Settled, self._upkeep.on_settled)
        on(effects.EssentialEnded, self._end_as)
        on(effects.Recheck, lambda effect: self._checks.recheck(effect.job, effect.run))

    def _tell_stop(self, stop: effects.StopRun) -> None:
        self._nursery.start_soon(tell_stop, self._links, stop)

    def _withdraw(self, effect: effects.Withdraw) -> None:
        self._dispatcher.withdrawals.withdraw(effect, self._nursery)

    def _end_as(self, ended: effects.EssentialEnded) -> None:
        self._shutdown.end_as(ended, was_seen=self._adopted.is_set())

    def _on_over(self, sid: str) -> None:
        self._fostering.forget(sid)
        self._evidencing.forget(sid)

    async def _on_lost(self, sid: str) -> bool:
        return await self._adoption.lose(sid)

    def _on_gone(self, sid: str) -> None:
        self._groups.drop(sid)
        self._links.gone(sid)

    # -- the outside -------------------------------------------------------------------

    async def _serve_control(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        watcher = Watcher()
        try:
            services = self._services(watcher)
            self._nursery.start_soon(self._upkeep.serve_metrics, services)
            await serve_control(services, task_status=task_status)
        finally:
            watcher.close()

    def _services(self, watcher: Watcher) -> Services:
        return Services(
            home=self.home,
            tokens=self._dispatcher.tokens,
            confidant=self._confidant,
            holdings=self._holdings,
            backups=self._upkeep.backups,
            metrics_trouble=self._upkeep.metrics_trouble,
            store=self._store,
            config=self.configuration,
            bus=self._bus,
            watcher=watcher,
            audit=AuditLog(self.home.audit_log, hide=self._confidant.redactor.mask),
            decide=self._decide, commit=self._dispatcher.ask,
            supervisors=self._links,
            locks=self._locks,
            next_at=lambda job: self._ticker.next_at(job.name),
            sockets=self._sockets.shown,
            watched=self._inputs.files.words,
            found=self._checks.note,
            reload=self._reload_told,
            request_shutdown=self._shutdown.request,
            prepare_renewal=self._prepare_renewal,
            door=self._inherited.door,
            fork_server_pid=lambda: self._fork_server.pid,
            started_at=self.started_at,
        )  # fmt: skip

    async def _prepare_renewal(self) -> str:
        return await handover.prepare(self.home, self._inherited, self._reaper)

    async def _reload_told(self, *, dry_run: bool = False, **how: Any) -> dict[str, Any]:
        """Reload, and let the service manager know of it."""
        if dry_run:
            return await self._reload(dry_run=True, **how)
        with self._notifier.reload(self._status_text):
            told = await self._reload(**how)
            await self._dispatcher.withdrawals.settled()
            return told

    def _on_config(self, config: Config) -> None:
        daemonlog.adjust(config.daemon.log_level, config.daemon.log_format)
        self._forwarding.refresh()
        self._upkeep.reconfigured()
        self._checks.recheck_all()
        self._watch.reconfigured()

    # -- the end -------------------------------------------------------------------------

    async def _wind_down(self) -> None:
        """End the jobs if that is wanted, and wait until they are gone."""
        daemon = self.configuration.current.daemon
        if await self._shutdown.ends_jobs(daemon.on_shutdown):
            _LOG.info("the master ends, and its jobs with it")
            timeout_s = daemon.shutdown_timeout_s
            self._notifier.stopping("ending the jobs", timeout_s + _MARGIN_S)
            if not await self._shutdown.within(_ADOPT_S, self._adopted.wait):
                _LOG.error("the master ends before it knew its jobs; they go on as they are")
                return
            await self._jobs_end.run(self._shutdown, timeout_s)
            await self._locks.settle()
            await self._forwarding.finish()
            await self._sockets.close_all()
        else:
            _LOG.info("the master ends; %d supervisors go on", len(self._links.all))
            self._notifier.stopping("leaving the jobs to the next daemon", _MARGIN_S)
            await self._forwarding.pause()

    async def _make_way(self) -> bool:
        """Get ready for a successor; False: somebody wants an end after all."""
        await self._forwarding.pause()
        for _ in range(_LAST_LOOKS):  # signals that have come are acted upon
            await trio.lowlevel.checkpoint()
        if not self._shutdown.is_renewal:
            return False
        self._signaling.makes_way = True
        _LOG.info("the new program takes over; %d supervisors go on", len(self._links.all))
        self._notifier.reloading("the new program takes over")
        self._inherited.door.is_handed_over = True
        return True
