"""What is taken out of the environment, and what is believed of it."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import files
from claw.master.init import inherited
from claw.master.init.inherited import HANDOVER, Door, take

PID = 4711


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """A listening socket's descriptor, which nothing closes here, and its path."""
    path = str(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)
        made.listen()
        yield os.dup(made.fileno()), path


def test_nothing_of_systemds_is_left_for_the_jobs() -> None:
    environ = {
        "PATH": "/bin",
        "NOTIFY_SOCKET": "/run/notify",
        "WATCHDOG_USEC": "5000000",
        "WATCHDOG_PID": str(PID),
        "INVOCATION_ID": "abc",
        "JOURNAL_STREAM": "8:1234",
        "LISTEN_PID": "1",
        "LISTEN_FDS": "1",
    }

    found = take(environ, PID)

    assert environ == {"PATH": "/bin"}
    assert (found.notify_socket, found.watchdog_s) == ("/run/notify", 5.0)
    assert (found.is_unit, found.journal) == (True, (8, 1234))
    assert found.door.given is None  # that was for process 1
    assert found.environ["NOTIFY_SOCKET"] == "/run/notify"  # a successor needs it again
    assert "LISTEN_PID" not in found.environ


@pytest.mark.parametrize(
    "environ",
    [
        {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "1"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        {},
    ],
)
def test_a_watchdog_that_is_not_for_this_process_is_passed_over(
    environ: dict[str, str],
) -> None:
    assert take(environ, PID).watchdog_s is None


@pytest.mark.parametrize("text", ["", "8", "a:b", "1:2:3"])
def test_a_journal_that_cannot_be_read_is_none(text: str) -> None:
    assert take({"JOURNAL_STREAM": text}, PID).journal is None


def handed(listener: tuple[int, str], lock_fd: int, **more: object) -> dict[str, str]:
    text = {
        "pid": PID, "lock": lock_fd, "control": listener[0],
        "inode": files.inode_at(listener[1]), "is_foreign": False, "signals": -1, **more,
    }  # fmt: skip
    return {HANDOVER: json.dumps(text)}


def test_a_successor_gets_lock_socket_and_signals(
    listener: tuple[int, str], tmp_path: Path
) -> None:
    lock_fd = files.open_lock(str(tmp_path / "lock"))
    reading_fd, writing_fd = os.pipe2(os.O_NONBLOCK)
    os.write(writing_fd, bytes([15, 1, 15]))

    found = take(handed(listener, lock_fd, signals=reading_fd), PID)

    assert (found.lock_fd, found.is_successor) == (lock_fd, True)
    assert found.signals == {15, 1}
    given = found.door.take(files.inode_at(listener[1]))
    assert given is not None
    given.close()
    os.close(lock_fd)
    os.close(writing_fd)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"pid": 1}', '{"pid": 4711}', '{"pid": 4711, "lock": 99999, "control": -1}'],
)
def test_a_handover_that_is_none_is_passed_over(text: str) -> None:
    found = take({HANDOVER: text}, PID)

    assert (found.lock_fd, found.is_successor, found.door) == (None, False, Door())


def test_a_lock_that_is_handed_over_stays_held_whatever_else_is_wrong(
    listener: tuple[int, str], tmp_path: Path
) -> None:
    lock_fd = files.open_lock(str(tmp_path / "lock"))
    assert files.try_lock(lock_fd)

    found = take(handed(listener, lock_fd, control=99999), PID)

    assert (found.lock_fd, found.is_successor, found.door) == (lock_fd, False, Door())
    assert files.try_lock(lock_fd)
    assert not os.get_inheritable(lock_fd)
    os.close(lock_fd)
    os.close(listener[0])


def test_a_socket_that_the_path_no_longer_leads_to_is_closed(
    listener: tuple[int, str], tmp_path: Path
) -> None:
    lock_fd = files.open_lock(str(tmp_path / "lock"))
    door = take(handed(listener, lock_fd), PID).door
    os.unlink(listener[1])  # noqa: PTH108

    assert door.take(files.inode_at(listener[1])) is None
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(listener[0])
    os.close(lock_fd)


def test_a_door_that_nobody_took_is_taken_again(listener: tuple[int, str]) -> None:
    door = Door()
    with socket.socket(fileno=listener[0]) as made:
        door.hold(made, files.inode_at(listener[1]))
    door.is_handed_over = True

    door.come_back()

    again = door.take(files.inode_at(listener[1]))
    assert again is not None
    assert not door.is_handed_over
    again.close()


def test_what_is_no_unix_stream_socket_is_refused() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(OSError, match="no Unix stream socket"):
            inherited._listener(datagrams.fileno())
        os.fstat(datagrams.fileno())
