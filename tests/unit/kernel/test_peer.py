"""Who is at the other end of a socket, by the kernel's word."""

import os
import socket

import pytest

from claw.kernel import peer


def test_the_kernel_tells_process_user_and_all_groups_of_who_has_connected() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer.credentials(ours) == (os.getpid(), os.geteuid(), os.getegid())
        assert set(peer.groups(ours)) == set(os.getgroups())


def test_a_pid_is_the_peers_until_it_has_been_reaped() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pid = os.fork()
        if pid == 0:
            # Who listens is who it was when it did (unix(7)).
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(f"\0claw-{os.getpid()}")
                listener.listen()
                theirs.send(b"x")
                listener.accept()
            os._exit(0)
        ours.recv(1)
        connection = socket.socket(socket.AF_UNIX)
        with connection:
            connection.connect(f"\0claw-{pid}")
            assert peer.credentials(connection)[0] == pid
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            assert peer.has_its_pid(connection, pid)
            os.waitpid(pid, 0)
            if peer.has_its_pid(connection, pid):
                pytest.skip("this kernel does not tell (before Linux 6.5)")
            assert not peer.has_its_pid(connection, os.getpid())
