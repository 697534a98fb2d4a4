"""The control socket on a real store, without supervisors: real sockets, one process.

Effects of decisions are kept and not performed; a test plays the supervisors itself.
"""

import contextlib
import json
import os
import resource
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime  # noqa: TC003  the same form as in claw
from pathlib import Path
from typing import Any

import pytest
import trio

from claw.commands.methods import METHODS
from claw.commands.schema import check
from claw.config.managed import Managed
from claw.errors import ConflictError, UsageError
from claw.kernel import clock, files
from claw.master.asyncstore import AsyncStore
from claw.master.backup.backups import Backups
from claw.master.confidant import confidant_of
from claw.master.control.audit import AuditLog
from claw.master.control.events import EventBus
from claw.master.control.limits import Limits
from claw.master.control.peers import user_name
from claw.master.control.reloads import Reloads
from claw.master.control.server import serve_control
from claw.master.control.streams import Stream
from claw.master.decider import Decider
from claw.master.engine import services as engine_services
from claw.master.engine.sync import sync
from claw.master.engine.turn import Turn
from claw.master.output.watch import Watcher
from claw.master.supervision.pulse import Pulse
from claw.master.supervision.refreshing import Bearer
from claw.master.tokens import Tokens
from claw.master.wiring import Services
from claw.model.effect import Effect
from claw.model.event import Event
from claw.model.home import Home, at_folder
from claw.model.job import Config, Job, JobType
from claw.store.damage import open_or_rebuild

Json = dict[str, Any]
PATIENCE_S = 30.0


def job(name: str, type_: JobType = JobType.MANUAL, **values: object) -> Job:
    """Return a job's definition."""
    return Job(name=name, argv=("/bin/true",), type=type_, **values)  # type: ignore[arg-type]


class Client:
    """A client of the control socket that says and hears whatever a test wants."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._held = b""
        self._count = 0

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self.stream.send_all(data)

    async def line(self) -> Json:
        """Return the next message.

        Raises:
            EOFError: There is none: the connection was closed.
        """
        with trio.fail_after(PATIENCE_S):
            while b"\n" not in self._held:
                try:
                    data = await self.stream.receive_some()
                except trio.BrokenResourceError:
                    data = b""
                if not data:
                    raise EOFError
                self._held += data
        line, _, self._held = self._held.partition(b"\n")
        message: Json = json.loads(line)
        return message

    async def ask(self, method: str, /, **params: Any) -> int:
        """Send a request and return its id."""
        self._count += 1
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        await self.send(json.dumps(message).encode() + b"\n")
        return self._count

    async def reply(self, method: str, /, **params: Any) -> Json:
        """Send a request and return the whole answer; nothing else may come before it."""
        number = await self.ask(method, **params)
        message = await self.line()
        assert message["id"] == number
        return message

    async def call(self, method: str, /, **params: Any) -> Any:
        """Return the result of a request, which has to be what the table of methods says."""
        message = await self.reply(method, **params)
        assert "result" in message, message
        check(message["result"], METHODS[method].result, method)
        return message["result"]

    async def refusal(self, method: str, /, **params: Any) -> Json:
        """Return the error of a request that has to be refused."""
        message = await self.reply(method, **params)
        assert "error" in message, message
        error: Json = message["error"]
        return error

    async def notification(self, method: str) -> Json:
        """Return the parameters of the next message, a notification as the table has it."""
        message = await self.line()
        assert message.get("method") == method, message
        _check_notification(method, message["params"])
        params: Json = message["params"]
        return params


def _check_notification(name: str, params: Json) -> None:
    """Hold a notification against what some method says that it sends."""
    problems = []
    for method in METHODS.values():
        if name in method.sends:
            try:
                check(params, method.sends[name], name)
            except UsageError as error:
                problems.append(error)
            else:
                return
    raise AssertionError(problems or f"no method sends {name}")


class Supervisors:
    """Answers in the place of supervisors, by sid."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.unresponsive: set[str] = set()

    async def call(
        self, sid: str, *, patience_s: float = 5.0, **message: object
    ) -> dict[str, Any]:
        """Take a request, or never answer it, however patient one is."""
        assert patience_s > 0
        self.sent.append((sid, message))
        if sid in self.unresponsive:
            await trio.sleep_forever()
        return {"sent": True}

    def flags(self, sid: str) -> frozenset[str]:
        """Tell which are silent."""
        return frozenset({"unresponsive"}) if sid in self.unresponsive else frozenset()


class Nobody:
    """Nobody runs here who could have a secret."""

    async def holders(self) -> dict[str, list[Bearer]]:
        """Return nobody."""
        return {}

    async def reach(self, _name: str) -> tuple[list[str], dict[str, str]]:
        """Reach nobody."""
        return [], {}


class Configuration:
    """A configuration that a test changes."""

    def __init__(self, config: Config) -> None:
        self.current = config
        self.is_changed = False
        self.reloads = Reloads()
        self.place = ""

    def config_changed(self) -> bool:
        """Tell what the test says."""
        return self.is_changed

    def load(self) -> Config:
        """Return what is in force."""
        return self.current


class Desk:
    """A control socket with all that stands behind it."""

    def __init__(self, home: Home, store: AsyncStore, config: Config, bus: EventBus) -> None:
        self.home = home
        self.store = store
        self.config = Configuration(config)
        self.bus = bus
        self.effects: list[Effect] = []
        self.supervisors = Supervisors()
        self.shutdowns: list[str] = []
        self.reloads: list[Json] = []
        self.decide = Decider(store, lambda: self.config.current, self._perform)
        self.next: dict[str, datetime] = {}
        self.owner = user_name(os.geteuid())
        self._clients: list[Client] = []

    def services(self, watcher: Watcher, limits: Limits) -> Services:
        """Return what the handlers work with."""
        confidant = confidant_of(self.home, lambda: self.config.current)
        return Services(
            home=self.home,
            tokens=Tokens(self.home.token_key),
            confidant=confidant,
            holdings=Nobody(),
            backups=Backups(self.home, self.config, confidant),
            metrics_trouble=lambda: None,
            store=self.store,
            config=self.config,
            bus=self.bus,
            watcher=watcher,
            audit=AuditLog(self.home.audit_log, hide=confidant.redactor.mask),
            decide=self.decide,
            commit=Pulse(self.decide).ask,
            supervisors=self.supervisors,
            next_at=lambda job: self.next.get(job.name),
            sockets=lambda _job: [],
            found=lambda _run: None,
            watched=lambda _job: [],
            reload=self._reload,
            request_shutdown=self.shutdowns.append,
            prepare_renewal=self._prepare_renewal,
            fork_server_pid=lambda: None,
            started_at=clock.now(),
            limits=limits,
        )

    async def _perform(self, effects: Sequence[Effect]) -> None:
        self.effects += effects

    async def _prepare_renewal(self) -> str:
        return f"{self.home.backups}/copy.db"

    async def _reload(
        self,
        *,
        dry_run: bool = False,
        restart: bool = True,
        edit: Callable[[Managed], None] | None = None,
        check: Callable[[Config], None] | None = None,
        by: str = "reload",
    ) -> Json:
        assert (edit, check) == (None, None), f"{by}: there are no files here"
        self.reloads.append({"dry_run": dry_run, "restart": restart})
        if self.config.is_changed and not restart:
            raise ConflictError("not now")
        return {"changed": False, "add": [], "live": [], "restart": [], "remove": []}

    async def connect(self) -> Client:
        """Return a new client, closed at the end."""
        client = Client(await trio.open_unix_socket(self.home.control_socket))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            await trio.aclose_forcefully(client.stream)

    async def happen(self, *kinds: str, job: str | None = None, run: str | None = None) -> None:
        """Append an event of each kind."""

        def append(turn: Turn) -> None:
            for kind in kinds:
                turn.tx.append_event(Event(at=turn.now, type=kind, job=job, run=run))

        await self.decide(append)

    def audit_lines(self) -> list[Json]:
        """Return what the audit log holds."""
        text = Path(self.home.audit_log).read_text()
        return [json.loads(line) for line in text.splitlines()]


@contextlib.asynccontextmanager
async def serving(
    folder: Path, *jobs: Job, limits: Limits | None = None, config: Config | None = None
) -> AsyncIterator[Desk]:
    """Serve a control socket for some jobs, for as long as the block lasts."""
    home, config = at_folder(os.fspath(folder)), config or Config(jobs=jobs)
    for each in (home.state, home.run, home.log):
        files.make_folder(each)
    bus, watcher = EventBus(), Watcher()
    opened = open_or_rebuild(home.database, clock.now(), on_events=bus.publish_from_threads())
    desk = Desk(home, AsyncStore(opened.database), config, bus)
    services = desk.services(watcher, limits or Limits())
    try:
        await desk.decide(lambda turn: engine_services.begin(turn, clock.boot_id()))
        await desk.decide(lambda turn: sync(turn, start=False))
        async with trio.open_nursery() as nursery:
            await nursery.start(_serve, services)
            yield desk
            nursery.cancel_scope.cancel()
    finally:
        await desk.close()
        watcher.close()
        services.audit.close()
        opened.database.close()


async def _serve(services: Services, *, task_status: trio.TaskStatus[None]) -> None:
    await serve_control(services, task_status=task_status)


async def until(look: Callable[[], object], why: str = "") -> None:
    """Wait until something is so, which no event tells of; fail after a deadline."""
    with trio.move_on_after(PATIENCE_S):
        while not look():  # noqa: ASYNC110
            await trio.sleep(0.005)
        return
    raise AssertionError(why or "it did not come about")


def laggards(patch: pytest.MonkeyPatch) -> list[Stream]:
    """Return the streams that are told, from now on, that their clients lag."""
    found: list[Stream] = []
    send_last = Stream.send_last

    def noting(stream: Stream, method: str, params: Mapping[str, object]) -> None:
        send_last(stream, method, params)
        if method == "lagged":
            found.append(stream)

    patch.setattr(Stream, "send_last", noting)
    return found


def raise_descriptor_limit(wanted: int) -> None:
    """Let this process have so many descriptors, if it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
