"""Who is at the other end of a socket, by the kernel's word."""

import os
import socket

from claw.kernel import peer


def test_the_kernel_tells_process_user_and_all_groups_of_who_has_connected() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer.credentials(ours) == (os.getpid(), os.geteuid(), os.getegid())
        assert set(peer.groups(ours)) == set(os.getgroups())
