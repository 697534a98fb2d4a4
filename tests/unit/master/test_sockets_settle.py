"""When sockets are closed that nobody needs any more."""

import os
import socket
from types import SimpleNamespace
from typing import Any

from claw.master.supervision.sockets import Sockets
from claw.model.job import Config
from tests.kit.servers import free_ports


async def test_what_is_not_needed_is_closed_before_anything_is_waited_for() -> None:
    server, copies = SimpleNamespace(), SimpleNamespace()
    fostering: Any = SimpleNamespace(
        fork_server=server, elders=SimpleNamespace(), copies=copies
    )
    sockets = Sockets(Config, fostering)
    told: list[tuple[object, int]] = []

    class Link:
        async def call(self, *_fds: int, **message: object) -> None:
            told.append((message["op"], len(sockets._open)))

    kept = {}
    for port in free_ports(2):
        listener = socket.create_server(("127.0.0.1", port))
        kept[f"socket web 127.0.0.1:{port}"] = listener.detach()
    sockets.adopt(kept)
    link: Any = Link()
    sockets._link = link

    await sockets.settle({})

    assert told == [("drop", 0), ("drop", 0)]
    for fd in kept.values():
        os.close(fd)
