"""What fork servers are told and asked by the master; the other end of a link is the test's."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import trio
import trio.testing

from claw.kernel import pidfd, socket
from claw.kernel.pidfd import Exit
from claw.master.reaper import Reaper
from claw.master.supervision.elders import Elders
from claw.master.supervision.fostering import Fostering
from claw.master.supervision.linefeed import LineLink
from claw.master.supervision.links import Links
from claw.model.home import Home
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import CHILD, Message

MORE_THAN_KEPT = 1001


def home_in(folder: Path) -> Home:
    home = Home(**{name: str(folder / name) for name in ("config", "state", "run", "log")})
    for path in (home.run, home.spool):
        Path(path).mkdir(parents=True)
    return home


def fostering_in(folder: Path) -> Fostering:
    async def children() -> dict[str, tuple[int, int]]:
        return {}

    return Fostering(home_in(folder), Reaper(), 1024, children, nothing)


def nothing(_sid: str) -> None:
    """Note nothing."""


class Peer:
    """A fork server's end of a link: answers as it is told, and keeps what it was asked."""

    def __init__(self, stream: trio.SocketStream, answer: Callable[[Message], Message]) -> None:
        self.stream = stream
        self.answer = answer
        self.asked: list[Message] = []

    async def serve(self) -> None:
        lines = LineSplitter()
        async with self.stream:
            async for data in self.stream:
                for line in lines.feed(bytes(data)):
                    await self._take(supervision.decode(line or b""))

    async def _take(self, message: Message | None) -> None:
        assert message is not None
        self.asked.append(message)
        answer = {"id": message["id"], **self.answer(message)}
        await self.stream.send_all(supervision.encode(answer))


@contextlib.asynccontextmanager
async def linked(
    answer: Callable[[Message], Message], on_notice: Callable[[Message], None]
) -> AsyncIterator[tuple[LineLink, Peer]]:
    """Yield a link and who is at its other end."""
    ours, theirs = socket.pair()
    ours.setblocking(False)
    link = LineLink(ours, on_notice)
    peer = Peer(trio.SocketStream(trio.socket.from_stdlib_socket(theirs)), answer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.serve)
        nursery.start_soon(peer.serve)
        yield link, peer
        nursery.cancel_scope.cancel()


def heed_nothing(_message: Message) -> None:
    """Take no notice."""


def pids_told(peer: Peer) -> list[int]:
    return [message["pid"] for message in peer.asked if message["op"] == "reaped"]


def links_of(fostering: Fostering) -> Links:
    async def on_lost(_sid: str) -> bool:
        return True

    evidencing: Any = None

    return Links(fostering._home, evidencing, fostering.knows, on_lost)


def test_of_more_orphans_than_are_kept_the_last_are_told(tmp_path: Path) -> None:
    fostering = fostering_in(tmp_path)

    async def main() -> list[int]:
        async with linked(lambda _message: {}, heed_nothing) as (link, peer):
            fostering.fork_server._link = link
            fostering.fork_server._ready.set()
            for pid in range(MORE_THAN_KEPT):
                fostering.note_orphan(pid, 1, Exit(0, None))
            assert await fostering.see_to_all(links_of(fostering))
            assert await fostering.see_to_all(links_of(fostering))
            return pids_told(peer)

    assert trio.run(main) == [*range(1, MORE_THAN_KEPT)]


def test_an_orphan_that_is_reaped_while_a_new_fork_server_is_told_is_told_too(
    tmp_path: Path,
) -> None:
    fostering = fostering_in(tmp_path)

    def answer(message: Message) -> Message:
        if message["op"] == "reaped" and message["pid"] == 1:
            fostering.note_orphan(2, 1, Exit(7, None))
        return {}

    async def main() -> list[int]:
        fostering.note_orphan(1, 1, Exit(0, None))
        async with linked(answer, heed_nothing) as (link, peer):
            fostering.fork_server._link = link
            fostering.fork_server._ready.set()
            await fostering.on_new(link)
            assert await fostering.see_to_all(links_of(fostering))
            return pids_told(peer)

    assert trio.run(main) == [1, 2]


def test_an_orphan_that_a_dying_fork_server_did_not_take_in_is_told_to_the_next(
    tmp_path: Path,
) -> None:
    fostering = fostering_in(tmp_path)

    async def main() -> list[int]:
        fostering.note_orphan(1, 1, Exit(0, None))
        async with linked(lambda _message: {}, heed_nothing) as (link, _):
            fostering.fork_server._link = link
            fostering.fork_server._ready.set()
            link.close()
            assert not await fostering.see_to_all(links_of(fostering))
        async with linked(lambda _message: {}, heed_nothing) as (link, peer):
            fostering.fork_server._link = link
            assert await fostering.see_to_all(links_of(fostering))
            return pids_told(peer)

    assert trio.run(main) == [1]


def test_a_fork_server_of_another_version_is_asked_again_only_when_all_it_named_have_ended(
    tmp_path: Path,
) -> None:
    home = home_in(tmp_path)
    sids = [f"s{number}" for number in range(50)]
    gone: list[str] = []
    peers: list[Peer] = []

    def on_gone(sid: str) -> None:
        gone.append(sid)

    async def main() -> None:
        ended = trio.Event()

        async def on_death() -> None:
            ended.set()

        server = socket.listen_unix(home.forkserver_socket("0.0.1"))
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(server))

        async def serve() -> None:
            stream = await listener.accept()
            peers.append(Peer(stream, lambda _message: {"supervisors": [*sids]}))
            await peers[0].serve()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            await nursery.start(Elders(home, on_gone, on_death).serve)
            told = [supervision.encode({"ev": "gone", "sid": sid}) for sid in sids]
            sids.clear()
            await peers[0].stream.send_all(b"".join(told))
            await ended.wait()
        await listener.aclose()

    trio.run(main)

    assert len(gone) == 50
    assert [message["op"] for message in peers[0].asked] == ["hello", "hello"]


async def test_i4_a_child_that_just_began_is_held_on_to_when_the_fork_server_dies(
    tmp_path: Path,
) -> None:
    async def none_yet() -> dict[str, tuple[int, int]]:
        return {}

    me, start = os.getpid(), pidfd.start_ticks(os.getpid()) or 0
    fostering = Fostering(home_in(tmp_path), Reaper(), 1024, none_yet, nothing)
    fostering.copies.all["s1"] = {}
    links: Any = SimpleNamespace(all={}, begun=lambda: {"s1": (me, start)})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fostering.serve, links)
        await trio.testing.wait_all_tasks_blocked()
        await fostering.on_death()
        nursery.cancel_scope.cancel()

    assert [*fostering.copies.all["s1"]] == [f"{CHILD}{me}:{start}"]
    fostering.forget("s1")
