"""Unix sockets at any path, with descriptors passed along."""

import os
import socket as sockets
import stat
from pathlib import Path

import pytest

from claw.kernel import channel, socket


@pytest.mark.parametrize("length", [20, 107, 108, 180])
def test_a_path_of_any_length_is_listened_at(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("d" * 100)
    folder.mkdir()
    path = str(folder / "s") if length > 107 else str(tmp_path / "s")
    path += "x" * max(0, length - len(path))

    server = channel.listen(path)
    client = socket.connect_unix(path)
    accepted = channel.accept(server)

    client.sendall(b"hello")
    assert channel.receive(accepted, 100) == (b"hello", [])
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert not accepted.gettimeout()
    for one in (server, client, accepted):
        one.close()


def test_who_listens_last_is_reached(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    old, new = channel.listen(path), channel.listen(path)

    client = socket.connect_unix(path)

    channel.accept(new).close()
    with pytest.raises(BlockingIOError):
        channel.accept(old)
    assert [one.name for one in tmp_path.iterdir()] == ["socket"]
    for one in (old, new, client):
        one.close()


def test_descriptors_come_with_their_message_and_close_on_exec() -> None:
    ours, theirs = channel.pair()
    reading, writing = os.pipe()
    sent = sockets.socket(fileno=ours.detach())
    sent.sendmsg([b"take these"], socket.rights(reading, writing))

    data, fds = channel.receive(theirs, 100)

    assert data == b"take these"
    os.write(fds[1], b"x")
    assert os.read(reading, 1) == b"x"
    assert [os.get_inheritable(fd) for fd in fds] == [False, False]
    with pytest.raises(BlockingIOError):
        channel.receive(theirs, 100)
    sent.close()
    assert channel.receive(theirs, 100) == (b"", [])
    theirs.close()
    for fd in (reading, writing, *fds):
        os.close(fd)
