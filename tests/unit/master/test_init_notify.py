"""What the service manager is told, and when its watchdog is fed."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from claw.errors import StoreError
from claw.master.init.notify import Notifier, serve_watchdog


@pytest.fixture(params=["path", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's address, as it tells it, and its socket."""
    is_abstract = request.param == "abstract"
    path = f"@claw-test-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind("\0" + path[1:] if is_abstract else path)
        made.setblocking(False)
        yield path, made


def told(made: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(made.recv(4096).decode())
        except BlockingIOError:
            return found


def test_the_manager_hears_of_every_state(manager: tuple[str, socket.socket]) -> None:
    notifier = Notifier(manager[0])

    notifier.ready("2 jobs")
    notifier.reloading("reading")
    notifier.alive()
    notifier.stopping("ending", 90.0)

    ready, reloading, alive, stopping = told(manager[1])
    assert ready == f"READY=1\nSTATUS=2 jobs\nMAINPID={os.getpid()}"
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reading", reloading)
    assert alive == "WATCHDOG=1"
    assert stopping == "STOPPING=1\nEXTEND_TIMEOUT_USEC=90000000\nSTATUS=ending"


def test_a_reload_that_fails_ends_too(manager: tuple[str, socket.socket]) -> None:
    notifier = Notifier(manager[0])

    with pytest.raises(ValueError, match="bad"), notifier.reload(lambda: "as before"):
        raise ValueError("bad")

    assert [text.split("\n")[0] for text in told(manager[1])] == ["RELOADING=1", "READY=1"]


def test_a_master_that_stops_is_not_ready_again(manager: tuple[str, socket.socket]) -> None:
    notifier = Notifier(manager[0])

    with notifier.reload(lambda: "as before"):
        notifier.stopping("ending", 1.0)

    assert [text.split("\n")[0] for text in told(manager[1])] == ["RELOADING=1", "STOPPING=1"]


def test_a_manager_that_has_gone_is_no_trouble(tmp_path: Path) -> None:
    for path in ("", str(tmp_path / "nobody")):
        Notifier(path).ready("well")


def test_the_ready_descriptor_gets_one_line_and_is_closed() -> None:
    reading_fd, writing_fd = os.pipe()
    notifier = Notifier(ready_fd=writing_fd)

    notifier.ready("well")
    notifier.ready("still")

    assert os.read(reading_fd, 10) == b"\n"
    assert os.read(reading_fd, 10) == b""  # nobody holds the other end
    os.close(reading_fd)


async def test_the_watchdog_is_fed_at_half_its_interval(
    manager: tuple[str, socket.socket],
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001
) -> None:
    probes = []

    async def probe() -> None:
        probes.append(trio.current_time())

    with trio.move_on_after(7):
        await serve_watchdog(Notifier(manager[0]), 2.0, (probe, probe))

    assert len(told(manager[1])) == 7
    assert len(probes) == 14


async def test_a_store_that_is_silent_starves_the_watchdog(
    manager: tuple[str, socket.socket],
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001
) -> None:
    with trio.move_on_after(60):
        await serve_watchdog(Notifier(manager[0]), 2.0, (trio.sleep_forever,))

    assert told(manager[1]) == []


async def test_a_store_that_says_no_has_answered(
    manager: tuple[str, socket.socket],
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001
) -> None:
    async def refuse() -> None:
        raise StoreError("the disk is full")

    with trio.move_on_after(3):
        await serve_watchdog(Notifier(manager[0]), 2.0, (refuse,))

    assert told(manager[1]) == ["WATCHDOG=1"] * 3
