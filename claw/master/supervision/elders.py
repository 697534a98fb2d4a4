"""Fork servers of other versions, left by masters before this one.

They look after the supervisors that they have, are asked about them as the present one is,
and launch nothing more. When the last of its supervisors has ended, one is let go: a fork
server without supervisors and without a master ends.
"""

import logging
import os
from collections.abc import Awaitable, Callable

import trio

import claw
from claw.kernel import channel, files
from claw.master.supervision.linefeed import LineLink, LostError
from claw.model.home import Home
from claw.wire.supervision import Message

_LOG = logging.getLogger("claw.elders")
_PREFIX, _SUFFIX = "forkserver-", ".sock"
_PATIENCE_S = 5.0


class Elders:
    """All of them that are there when the master starts; later there come no more."""

    def __init__(
        self,
        home: Home,
        on_gone: Callable[[str], None],
        on_death: Callable[[], Awaitable[None]],
    ) -> None:
        """Make what `serve` fills.

        Args:
            home: Where their sockets are.
            on_gone: Called with the id of each of their supervisors that has ended.
            on_death: Called when one has died or was let go.
        """
        self._run = home.run
        self._own = home.forkserver_socket(claw.__version__)
        self._on_gone = on_gone
        self._on_death = on_death
        self.on_hello: Callable[[LineLink, Message], Awaitable[None]] | None = None
        self.links: dict[str, LineLink] = {}

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Connect to all of them, and let each go when its time has come."""
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(_PATIENCE_S):
                async with trio.open_nursery() as greetings:
                    for path in self._paths():
                        greetings.start_soon(self._meet, path, nursery)
            task_status.started()

    def _paths(self) -> list[str]:
        names = os.listdir(self._run)  # noqa: PTH208
        found = [f"{self._run}/{name}" for name in sorted(names) if _is_socket_name(name)]
        return [path for path in found if path != self._own]

    async def _meet(self, path: str, nursery: trio.Nursery) -> None:
        """Connect to one, and wait until it has said whom it looks after."""
        try:
            connection = channel.connect(path)
        except ConnectionRefusedError:  # nobody listens any more: it was killed
            files.remove(path)
            return
        except OSError as error:
            _LOG.warning("%s does not answer: %s", path, error)
            return
        one = _Elder(connection, self._on_gone)
        self.links[path] = one.link
        nursery.start_soon(self._serve, path, one)
        await one.is_met.wait()

    async def _serve(self, path: str, one: "_Elder") -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._let_go_when_idle, path, one)
                await one.link.serve()
                nursery.cancel_scope.cancel()
        finally:
            one.is_met.set()
        self.links.pop(path, None)
        await self._on_death()

    async def _let_go_when_idle(self, path: str, one: "_Elder") -> None:
        """Ask one again only when all that it named have ended: it may name a thousand."""
        try:
            while count := await self._ask(one):
                one.is_met.set()
                await one.wait_gone(count)
        except LostError:
            return
        self.links.pop(path, None)
        one.link.close()

    async def _ask(self, one: "_Elder") -> int:
        """Return how many supervisors one has.

        Raises:
            LostError: It has died.
        """
        one.gone = 0
        hello = await one.link.call(op="hello")
        if self.on_hello is not None:
            await self.on_hello(one.link, hello)
        count = len(hello["supervisors"])
        _LOG.info("the fork server of claw %s has %d supervisors", hello.get("version"), count)
        return count


class _Elder:
    """One of them, and how many of its supervisors have ended since it was asked."""

    def __init__(self, connection: channel.Socket, on_gone: Callable[[str], None]) -> None:
        self.link = LineLink(connection, self._on_notice)
        self.is_met = trio.Event()  # set: it has said whom it looks after, or has gone
        self.gone = 0
        self._one_more = trio.Event()
        self._on_gone = on_gone

    def _on_notice(self, message: Message) -> None:
        if message.get("ev") == "gone":
            self.gone += 1
            self._one_more.set()
            self._on_gone(str(message["sid"]))

    async def wait_gone(self, count: int) -> None:
        """Wait until so many have ended."""
        while self.gone < count:
            self._one_more = trio.Event()
            await self._one_more.wait()


def _is_socket_name(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)
