"""Who is at the other end of a control connection, and what they may do there.

The kernel says who it is (SO_PEERCRED); the owner of the master and root are admin.
"""

import contextlib
import os
import pwd
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from claw.commands.method import ADMIN, OPERATOR
from claw.errors import DeniedError
from claw.kernel import accounts, peer
from claw.model.approval import GROUP


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


def identify(connection: socket.socket) -> Peer:
    """Return who has connected.

    Raises:
        DeniedError: Neither root nor the owner of this master.
    """
    pid, uid, gid = peer.credentials(connection)
    name = user_name(uid)
    if uid not in (0, owner()):
        whose = user_name(owner())
        raise DeniedError(
            f"{name} may not use the master of {whose}", hint=f"only {whose} and root may"
        )
    groups = _groups(connection)
    return Peer(pid=pid, uid=uid, gid=gid, role=ADMIN, name=name, groups=groups)


def identify_child(connection: socket.socket) -> Peer:
    """Return who has connected, be it any user's child: its token says what it may do."""
    pid, uid, gid = peer.credentials(connection)
    role = ADMIN if uid in (0, owner()) else OPERATOR
    name, groups = user_name(uid), _groups(connection)
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
    """Return the name of a user, or ``uid N`` for one without a name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
