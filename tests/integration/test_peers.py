"""Who has connected, by what the kernel says of real processes."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.master.control import peers
from claw.master.control.peers import Peer
from tests.kit.clawctl import PATIENCE_S
from tests.kit.users import why_alone

CONNECT = """
import os, socket, sys
place, name, uid, ends = sys.argv[1:]
if uid:
    os.setuid(int(uid))
if name:
    with open("/proc/self/comm", "w") as file:
        file.write(name)
there = socket.socket(socket.AF_UNIX)
there.connect("\\0" + place)
there.sendall(b"hello")
if not ends:
    sys.stdin.read()  # until it is let go
"""
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
TRIES = 500
UNSHARE = ("unshare", "--pid", "--fork")


class Place:
    """A socket, and who has connected to it."""

    def __init__(self) -> None:
        self._name = f"claw-peers-{secrets.token_hex(8)}"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        self._socket.bind(f"\0{self._name}")  # any user can reach that (unix(7), abstract)
        self._socket.listen()

    def close(self) -> None:
        self._socket.close()

    def peer(
        self, *before: str, name: str = "", uid: int | None = None, ends: bool = False
    ) -> Peer:
        """Return who a process is that connects.

        Args:
            before: Words before its command line.
            name: What it is called.
            uid: Whose it is.
            ends: Whether it ends before it is looked at.
        """
        words = [self._name, name, "" if uid is None else str(uid), "ends" if ends else ""]
        command = [*before, sys.executable, "-c", CONNECT, *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
            if ends:
                assert child.wait(PATIENCE_S) == 0
            connection, _ = self._socket.accept()
            with connection:
                assert connection.recv(5) == b"hello"
                found = peers.identify(connection)
            child.communicate(timeout=PATIENCE_S)
        return found

    def succeeded(self) -> Peer:
        """Return who a process is that has connected and ended, and whose pid another has."""
        argv = [sys.executable, "-c", CONNECT, self._name, "", "", "ends"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE) as child:
            connection, _ = self._socket.accept()
        with connection:
            for _ in range(TRIES):
                LAST_PID.write_text(str(child.pid - 1))
                with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
                    found = peers.identify(connection)
                if other.pid == child.pid:
                    return found
        raise AssertionError(f"nobody else got the number {child.pid}")


@pytest.fixture
def place() -> Iterator[Place]:
    found = Place()
    yield found
    found.close()


def test_a_process_of_this_host_comes_by_itself(place: Place) -> None:
    found = place.peer()

    assert not found.is_forwarded
    assert found.uid == os.geteuid()


@pytest.mark.parametrize("name", ["sshd", "sshd-session", "dropbear", "ssh", "dbclient"])
def test_a_process_that_connects_for_another_host_is_known_by_its_name(
    place: Place, name: str
) -> None:
    assert place.peer(name=name).is_forwarded


def test_one_that_has_ended_before_it_was_looked_at_may_have_been_a_forwarder(
    place: Place,
) -> None:
    assert place.peer(name="sshd-session", ends=True).is_forwarded


@pytest.mark.skipif(bool(why_alone()), reason=why_alone())
def test_one_whose_number_another_process_has_by_now_may_have_been_a_forwarder(
    place: Place,
) -> None:
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if version is None or tuple(map(int, version.groups())) < (6, 5):
        pytest.skip("this kernel does not tell")
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip("the next number cannot be chosen here")

    assert place.succeeded().is_forwarded


def test_a_process_in_a_pid_namespace_within_this_one_is_forwarded(place: Place) -> None:
    if (
        not shutil.which("unshare")
        or subprocess.run([*UNSHARE, "true"], check=False).returncode
    ):
        pytest.skip("no PID namespace can be made here")

    found = place.peer(*UNSHARE)

    assert found.pid > 0  # the kernel has one for it, here too
    assert found.is_forwarded


@pytest.mark.skipif(bool(why_alone()), reason=why_alone())
def test_a_user_beyond_two_to_the_31_is_who_it_is(place: Place) -> None:
    uid = (1 << 31) + 7

    found = place.peer(uid=uid)

    assert found.uid == uid
    assert found.name == f"uid {uid}"
