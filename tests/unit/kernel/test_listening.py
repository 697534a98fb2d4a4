"""Sockets that claw listens on: whose address it is, and when it is taken."""

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from claw.kernel import listening
from tests.kit.servers import free_ports

UNCHANGED = (-1, -1)
IN_USE = os.strerror(errno.EADDRINUSE)


def open_tcp(host: str, port: int) -> socket.socket:
    [(family, place), *_] = listening.resolve(host, port)
    return listening.open_tcp(family, place, 16)


def is_answered(family: socket.AddressFamily, place: tuple[object, ...] | str) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        try:
            caller.connect(place)
        except OSError:
            return False
        return True


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_a_socket_listens_at_its_address_and_blocks(
    host: str, family: socket.AddressFamily
) -> None:
    [port] = free_ports(1)
    with open_tcp(host, port) as made:
        assert made.family == family
        assert made.getsockname()[:2] == (host, port)
        assert os.get_blocking(made.fileno())
        assert not os.get_inheritable(made.fileno())
        assert is_answered(family, (host, port))


def test_a_name_is_looked_up() -> None:
    assert all(place[1] == 80 for _family, place in listening.resolve("localhost", 80))


def test_ipv6_leaves_ipv4_of_the_port_to_others() -> None:
    [port] = free_ports(1)

    with open_tcp("::", port), open_tcp("0.0.0.0", port) as both:
        assert both.getsockname()[1] == port


def test_an_address_that_is_served_is_not_taken() -> None:
    [port] = free_ports(1)
    with open_tcp("127.0.0.1", port), pytest.raises(OSError, match=IN_USE):
        open_tcp("127.0.0.1", port)


def test_an_address_is_free_at_once_with_connections_of_before() -> None:
    [port] = free_ports(1)
    with open_tcp("127.0.0.1", port) as made:
        caller = socket.create_connection(("127.0.0.1", port))
        theirs, _ = made.accept()
        theirs.close()

    with caller, open_tcp("127.0.0.1", port) as again:
        assert again.getsockname()[1] == port


def test_what_is_ended_is_ended_for_all_who_hold_it() -> None:
    [port] = free_ports(1)
    made = open_tcp("127.0.0.1", port)
    with made.dup() as copy:
        assert not listening.is_ended(copy)
        listening.end(made)

        assert listening.is_ended(copy)
        assert not is_answered(socket.AF_INET, ("127.0.0.1", port))
        with open_tcp("127.0.0.1", port):
            assert is_answered(socket.AF_INET, ("127.0.0.1", port))
        with pytest.raises(OSError):  # noqa: PT011
            copy.accept()


def test_a_unix_socket_has_its_mode_owner_name_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.sock"
    owner = (os.geteuid(), os.getegid())

    with listening.open_unix(str(path), 0o640, owner, 5) as made:
        found = path.lstat()
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o640
        assert (found.st_uid, found.st_gid) == owner
        assert made.getsockname() == str(path)
        assert os.get_blocking(made.fileno())
        assert is_answered(socket.AF_UNIX, str(path))


def test_a_unix_socket_that_is_ended_refuses_whoever_comes(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    made = listening.open_unix(path, 0o600, UNCHANGED, 5)
    with made.dup() as copy:
        assert not listening.is_ended(copy)
        listening.end(made)

        assert listening.is_ended(copy)
        assert not is_answered(socket.AF_UNIX, path)
        assert listening.remove_dead(path)


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    listening.open_unix(path, 0o600, UNCHANGED, 5).close()
    assert Path(path).is_socket()

    with listening.open_unix(path, 0o600, UNCHANGED, 5):
        assert is_answered(socket.AF_UNIX, path)


def test_a_socket_that_is_served_is_never_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    with listening.open_unix(path, 0o600, UNCHANGED, 5) as theirs:
        with pytest.raises(OSError, match=IN_USE):
            listening.open_unix(path, 0o600, UNCHANGED, 5)

        assert is_answered(socket.AF_UNIX, path)
        theirs.accept()[0].close()


def test_a_socket_with_a_full_backlog_is_alive(tmp_path: Path) -> None:
    path = str(tmp_path / "x.sock")
    with listening.open_unix(path, 0o600, UNCHANGED, 1):
        callers = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(path)

        assert not listening.remove_dead(path)
        assert Path(path).is_socket()
        for caller in callers:
            caller.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    path.write_text("mine")

    with pytest.raises(OSError, match=IN_USE):
        listening.open_unix(str(path), 0o600, UNCHANGED, 5)

    assert path.read_text() == "mine"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "x.sock"
    target.write_text("theirs")
    target.chmod(0o600)
    path.symlink_to(target)

    with pytest.raises(OSError):  # noqa: PT011
        listening.open_unix(str(path), 0o666, UNCHANGED, 5)
    with pytest.raises(OSError):  # noqa: PT011
        listening.adorn(str(path), 0o666, UNCHANGED)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_socket_whose_folder_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(NotADirectoryError):
        listening.open_unix(str(tmp_path / "file" / "x.sock"), 0o600, UNCHANGED, 5)


def test_nobody_may_connect_before_the_file_has_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    monkeypatch.setattr(
        listening,
        "adorn",
        lambda path, _mode, _owner: modes.append(stat.S_IMODE(os.lstat(path).st_mode)),
    )
    old = os.umask(0)
    try:
        listening.open_unix(str(tmp_path / "socket"), 0o666, UNCHANGED, 16).close()
    finally:
        os.umask(old)

    assert modes == [0o600]
