"""Whether somebody may ask here, and as what: roles by the configuration in force.

The kernel says who has connected; the configuration says what those may do. Both are looked at
for each request, so that a reload that takes a role away takes it from those, too, who are
there already.

Names of users and groups become numbers in a thread, for all strangers at once: whoever keeps
them may be asked over a network. What was found holds for `REFRESH_S`.
"""

import contextlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import trio

from claw.commands.method import ADMIN, OPERATOR, VIEWER
from claw.errors import DeniedError, RequestError
from claw.kernel import accounts, clock, privatefile
from claw.master.control.connection import Connection
from claw.master.control.peers import Peer, owner, user_name
from claw.model.access import Members, Roles
from claw.model.job import Daemon

log = logging.getLogger("claw.control")

REFRESH_S = 10.0
PATIENCE_S = 5.0
_AT_ONCE = 4
"""Questions under way; threads of those that nobody waits for any more are among them."""
LONGEST_TOKEN = 1024


@dataclass(frozen=True, slots=True)
class _Table:
    """Roles by number, as they were found at a time of the monotonic clock."""

    roles: Roles
    found_at: float
    users: dict[int, str]
    groups: dict[int, str]

    def role_of(self, peer: Peer) -> str:
        found = {self.users.get(peer.uid, "")}
        groups = peer.groups
        found |= {self.groups.get(gid, "") for gid in (peer.gid, *(groups or ()))}
        return next((role for role in (ADMIN, OPERATOR, VIEWER) if role in found), "")


class Access:
    """See the module."""

    def __init__(self, daemon: Callable[[], Daemon]) -> None:
        """Take what says the configuration in force."""
        self._daemon = daemon
        self._table = _look_up(Roles(), clock.monotonic())
        self._looking = trio.Lock()
        self._threads = trio.CapacityLimiter(_AT_ONCE)

    async def admit(self, connection: Connection, *, is_hello: bool = False) -> None:
        """See that who has connected may ask, and note the role.

        Args:
            connection: Theirs.
            is_hello: They may be about to show the token that is missing.

        Raises:
            DeniedError: They have no role (any more), or no token where one is required.
        """
        peer = connection.peer
        role = await self.role_of(peer)
        if not role:
            raise refusal(peer)
        if role != peer.role:
            connection.peer = replace(peer, role=role)
        token_file = self._daemon().token_file
        is_asked = token_file and peer.is_forwarded and not is_hello
        if is_asked and connection.shown_token != token_file:
            raise DeniedError(
                f"{peer.name} comes by a forwarded socket, where a token is required",
                hint="give it by --token-file FILE or CLAW_TOKEN_FILE",
            )

    async def role_of(self, peer: Peer) -> str:
        """Return the role of who has connected; '' for none."""
        if peer.uid in (0, owner()):
            return ADMIN
        roles = self._daemon().roles
        if not roles.is_set:
            return ""
        async with self._looking:
            now = clock.monotonic()
            if self._table.roles != roles or now - self._table.found_at > REFRESH_S:
                self._table = await self._looked_up(roles, now)
        return self._table.role_of(peer)

    async def _looked_up(self, roles: Roles, now: float) -> _Table:
        """Return who has which role now.

        Who keeps names may give no answer: then those numbers hold that were found before, of
        roles that are still there; so nobody keeps one that was taken away.
        """
        with trio.move_on_after(PATIENCE_S):
            with contextlib.suppress(RuntimeError):  # no room for a thread
                return await trio.to_thread.run_sync(
                    _look_up, roles, now, abandon_on_cancel=True, limiter=self._threads
                )
        log.warning("nobody says which users and groups [control.roles] means: see getent(1)")
        if self._table.roles == roles:
            return replace(self._table, found_at=clock.monotonic())
        return _Table(roles, clock.monotonic(), {}, {})

    async def show_token(self, connection: Connection, token: str) -> None:
        """Take note of the token that a forwarded connection has shown.

        Raises:
            DeniedError: It is not the one.
            RequestError: Nobody can tell: the file is not as it has to be.
        """
        path = self._daemon().token_file
        if not path or not connection.peer.is_forwarded:
            return
        known = await self._token_at(path)
        if not hmac.compare_digest(token.strip().encode(), known):
            raise DeniedError(
                "that is not the token of this daemon" if token else "a token is required",
                hint="forwarded connections need the one in its token_file:"
                " clawctl --token-file FILE",
            )
        connection.shown_token = path

    async def _token_at(self, path: str) -> bytes:
        """Return the token that a file holds; see `_read_token`.

        Raises:
            RequestError: It cannot be read, or not in time.
        """
        with trio.move_on_after(PATIENCE_S):
            try:
                return await trio.to_thread.run_sync(
                    _read_token, path, abandon_on_cancel=True, limiter=self._threads
                )
            except RuntimeError as error:  # no room for a thread
                raise RequestError(f"the daemon's token_file {path}: {error}") from error
        raise RequestError(f"the daemon's token_file {path} cannot be read in {PATIENCE_S:g} s")


def refusal(peer: Peer) -> DeniedError:
    """Return what somebody is told who has no role."""
    whose = user_name(owner())
    return DeniedError(
        f"{peer.name} may not use the master of {whose}",
        hint=f"only {whose}, root and those may who have a role: [control.roles] in claw.toml",
    )


def _look_up(roles: Roles, now: float) -> _Table:
    users: dict[int, str] = {}
    groups: dict[int, str] = {}
    ranks: tuple[tuple[str, Members], ...] = (
        (VIEWER, roles.viewer),
        (OPERATOR, roles.operator),
        (ADMIN, roles.admin),
    )
    for role, members in ranks:  # later ones are higher, and take the place of lower ones
        for name in members.users:
            uid = accounts.user_id(name)
            if uid is not None:
                users[uid] = role
        for name in members.groups:
            gid = accounts.group_id(name)
            if gid is not None:
                groups[gid] = role
    return _Table(roles, now, users, groups)


def _read_token(path: str) -> bytes:
    """Return the token that a file holds.

    Raises:
        RequestError: It cannot be read, holds none, or is open to others.
    """
    try:
        token = privatefile.read(path, (0, owner()), LONGEST_TOKEN)
    except OSError as error:
        raise RequestError(f"the daemon's token_file {path}: {error.strerror}") from error
    if not token:
        raise RequestError(f"the daemon's token_file {path} is empty")
    return token
