"""Who is at the other end of a control connection, by the kernel's word (SO_PEERCRED).

The owner of the master and root are admin; `claw.master.control.access` has others' roles.
"""

import contextlib
import functools
import os
import pwd
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from claw.commands.method import ADMIN, OPERATOR
from claw.kernel import accounts, files, peer
from claw.model.approval import GROUP

_FORWARDERS = frozenset({b"dbclient", b"dropbear", b"ssh", b"sshd", b"sshd-session"})
"""What processes are called that connect for somebody on another host: sshd(8), or for whom a
socket was given away (ssh(1), -R)."""
_OVERFLOW_UID = "/proc/sys/kernel/overflowuid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process that connected, as it was then."""

    pid: int
    uid: int
    gid: int
    role: str
    name: str
    groups: tuple[int, ...] | None = None  # the kernel may not tell
    is_guest: bool = False  # any user's: may do only what is open to that user by name
    is_forwarded: bool = False  # it stands for somebody whom this kernel does not know


def identify(connection: socket.socket) -> Peer:
    """Return who has connected; a stranger's role, '', and the name are still to be found."""
    pid, uid, gid = peer.credentials(connection)
    return Peer(
        pid=pid,
        uid=uid,
        gid=gid,
        role=ADMIN if uid in (0, owner()) else "",
        name=unnamed(uid),
        groups=_groups(connection),
        is_forwarded=_is_forwarded(connection, pid, uid),
    )


def _is_forwarded(connection: socket.socket, pid: int, uid: int) -> bool:
    """Tell whether a connection comes through sshd, or out of another namespace.

    A process that is in none of this namespace's has no pid here. Of one in a namespace within
    this one, as in a container, the kernel tells its pids in each (NSpid,
    proc_pid_status(5)). Its user, when it is none here, is the overflow one
    (user_namespaces(7)). One that has ended already, or is hidden, may have been anything.
    """
    if pid == 0 or uid == _overflow_uid():
        return True
    try:
        lines = files.read_all(f"/proc/{pid}/status").split(b"\n")
        is_of_peer = peer.has_its_pid(connection, pid)
    except OSError:
        return True
    told = {name: rest.split() for name, _, rest in (line.partition(b":") for line in lines)}
    is_inside = len(told.get(b"NSpid", ())) > 1
    return not is_of_peer or is_inside or b" ".join(told.get(b"Name", ())) in _FORWARDERS


@functools.cache
def _overflow_uid() -> int:
    try:
        return int(files.read_all(_OVERFLOW_UID))
    except (OSError, ValueError):
        return -1


def identify_child(connection: socket.socket) -> Peer:
    """Return who has connected, be it any user's child: its token says what it may do.

    The name is still to be found.
    """
    pid, uid, gid = peer.credentials(connection)
    role = ADMIN if uid in (0, owner()) else OPERATOR
    name, groups = unnamed(uid), _groups(connection)
    return Peer(pid=pid, uid=uid, gid=gid, role=role, name=name, groups=groups, is_guest=True)


def owner() -> int:
    """Return the user that this master runs as."""
    return os.geteuid()


def _groups(connection: socket.socket) -> tuple[int, ...] | None:
    with contextlib.suppress(OSError):
        return peer.groups(connection)
    return None


def named(one: Peer, entries: Iterable[str]) -> frozenset[str]:
    """Return those of some users, and groups with `GROUP` before, that mean a peer.

    Of a group it is the process that counts: what it was in when it connected. This asks the
    system for names, which may take its time.
    """
    groups = one.groups
    if groups is None:
        groups = tuple(accounts.groups_of(one.name, one.gid))
    gids = {one.gid, *groups}
    return frozenset(
        entry
        for entry in entries
        if (
            accounts.group_id(entry[len(GROUP) :]) in gids
            if entry.startswith(GROUP)
            else accounts.user_id(entry) == one.uid
        )
    )


def user_name(uid: int) -> str:
    """Return the name of a user, or ``uid N`` for one without a name; may take its time."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return unnamed(uid)


def unnamed(uid: int) -> str:
    """Return what a user is called who has no name, or none that is known yet."""
    return f"uid {uid}"
