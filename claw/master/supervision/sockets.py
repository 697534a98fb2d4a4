"""The sockets that claw listens on for jobs: opened, kept, handed on, and closed.

A socket is open while its job has something to do with it: for a service from when it is
wanted until it is stopped, for other jobs while a run is active. Nothing else closes it: the
fork server has a copy of each, and each supervisor has copies of its own, so the next master
gets them back from the one or the others. A socket is known by job and address (`kept_as`),
so a reload that leaves the address alone leaves the socket alone.
"""

import contextlib
import errno
import logging
import os
import socket as sockets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from claw.errors import ClawError
from claw.kernel import accounts, listening
from claw.master.supervision import keeping
from claw.master.supervision.fostering import Fostering
from claw.master.supervision.linefeed import LineLink, LostError
from claw.master.supervision.lookups import LookUps
from claw.model import backoff
from claw.model.job import Config, Job, JobType, RestartPolicy
from claw.model.listener import Listener
from claw.wire.supervision import Message

_LOG = logging.getLogger("claw.sockets")
_KIND = "socket"
_LOOK_UP_S = 10.0
_EARLY_S = 2.0


class UnopenedError(ClawError):
    """A socket of a job cannot be opened.

    Attributes:
        wait_s: When it is to be tried again; None: not by itself.
    """

    code = "unopened"

    def __init__(self, message: str, wait_s: float | None) -> None:
        super().__init__(message)
        self.wait_s = wait_s


@dataclass(slots=True)
class Open:
    """One open socket; what it was opened as is not known of one that was found."""

    job: str
    address: str
    socket: sockets.socket
    as_asked: Listener | None = None


@dataclass(slots=True)
class Failure:
    """Why a job's sockets could not be opened, and how often in a row."""

    why: str
    count: int = 0


def kept_as(job: str, one: Listener) -> str:
    """Return the name by which fork server and supervisors keep a socket."""
    return f"{_KIND} {job} {one.address}"


class Sockets:
    """All of them; `settle` opens and closes, `ready` gives a launch what it needs."""

    def __init__(self, config: Callable[[], Config], fostering: Fostering) -> None:
        """Begin with none.

        Args:
            config: Returns the configuration in force.
            fostering: Of whose fork servers and copies those are taken that are open already.
        """
        fostering.fork_server.on_hello = self.meet
        fostering.elders.on_hello = self.ask
        fostering.copies.on_added = self.adopt
        self._config = config
        self._open: dict[str, Open] = {}
        self._failures: dict[str, Failure] = {}
        self._tried: set[str] = set()  # jobs whose sockets were opened early, or not
        self._turns: dict[str, trio.Lock] = {}
        self._link: LineLink | None = None  # to the fork server
        self._owners = LookUps(_owner)
        self._kept: set[str] = set()  # what it is known to have

    # -- the fork server's copies --------------------------------------------------------

    async def meet(self, link: LineLink, hello: Message) -> None:
        """Take from a fork server what only it has, and give it what it has not.

        Raises:
            LostError: It has died meanwhile.
        """
        await self.ask(link, hello)
        self._link, self._kept = link, self._open.keys() & set(hello.get("sockets", ()))
        await self._have_all_kept()

    async def ask(self, link: LineLink, hello: Message) -> None:
        """Take from a fork server, of another version perhaps, what is not known here.

        Raises:
            LostError: It has died meanwhile.
        """
        for name in set(hello.get("sockets", ())) - self._open.keys():
            answer = await link.call(op="lend", name=name)
            self.adopt(answer.get("kept", {}))
            keeping.close(answer.get("kept", {}))

    def adopt(self, kept: Mapping[str, int]) -> None:
        """Take copies of what is not known here, from what somebody else has."""
        for name, fd in kept.items():
            kind, job, address = [*name.split(" ", 2), "", ""][:3]
            if kind != _KIND or name in self._open:
                continue
            try:
                found = sockets.socket(fileno=os.dup(fd))
            except OSError as error:
                _LOG.error("socket %s of job %s is not kept: %s", address, job, error)
                continue
            if listening.is_ended(found):
                found.close()
            else:
                self._open[name] = Open(job, address, found)

    async def _have_all_kept(self) -> None:
        """Give the fork server what it has not; the next one is given all, in `meet`."""
        for name, one in [*self._open.items()]:
            if name in self._kept or self._open.get(name) is not one:
                continue
            try:
                copy = one.socket.dup()  # it may be closed while this waits its turn
            except OSError as error:
                _LOG.error("%s is kept by nobody else: %s", name, error)
                continue
            self._kept.add(name)
            with copy:
                await self._tell(copy.fileno(), op="keep", name=name)
            if name not in self._open:
                await self._tell(op="drop", name=name)

    async def _tell(self, *fds: int, **message: object) -> None:
        if self._link is not None:
            try:
                await self._link.call(*fds, **message)
            except LostError:
                self._link = None

    # -- opening -------------------------------------------------------------------------

    async def ready(self, job: Job) -> Mapping[str, int]:
        """Return the open sockets of a job that is launched now, by the name they are kept by.

        Those of addresses that it had before and has no more are closed.

        Raises:
            UnopenedError: One of them cannot be opened.
        """
        wanted = {kept_as(job.name, one): one for one in job.sockets}
        async with self._turns.setdefault(job.name, trio.Lock()):
            for name in [name for name in self._of(job.name) if name not in wanted]:
                await self._close(name)
            for name, one in wanted.items():
                try:
                    await self._have(name, job, one)
                except OSError as error:
                    raise self._failed(job, one, error) from error
            self._failures.pop(job.name, None)
            if wanted.keys() - self._open.keys():
                raise UnopenedError("its sockets were closed meanwhile", _LEAST_WAIT_S)
            return {name: self._open[name].socket.fileno() for name in wanted}

    def _of(self, job: str) -> list[str]:
        return [name for name, one in self._open.items() if one.job == job]

    async def _have(self, name: str, job: Job, one: Listener) -> None:
        """See that a socket is open as the job wants it."""
        owner = await self._owners.of(one.owner, one.group) if one.path else (-1, -1)
        known = self._open.get(name)
        if known is not None and _is_useless(known, one):
            await self._close(name)
            known = None
        if known is None:
            made = await _opened(one, owner)
            known = self._open[name] = Open(job.name, one.address, made, one)
            await self._have_all_kept()
        elif known.as_asked != one:
            known.socket.listen(one.backlog)
            if one.path:
                listening.adorn(one.path, one.mode, owner)
            known.as_asked = one

    def _failed(self, job: Job, one: Listener, error: OSError) -> UnopenedError:
        """Note a failure, and say when the job's restart policy has it tried again."""
        why = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            why += ", by another process"
        text = f"socket {one.name} cannot be opened at {one.address}: {why}"
        failure = self._failures.setdefault(job.name, Failure(text))
        failure.why = text
        failure.count += 1
        policy = job.restart
        if job.type is not JobType.CONTINUOUS or policy.policy is RestartPolicy.NEVER:
            return UnopenedError(text, None)
        if policy.start_limit and failure.count >= policy.start_limit:
            del self._failures[job.name]
            return UnopenedError(text, None)
        wait_s = backoff.delay_s(policy.delays_s, 0.0, failure.count, 0.0)
        return UnopenedError(text, max(wait_s, _LEAST_WAIT_S))

    # -- what is needed --------------------------------------------------------------------

    async def settle(self, needed: Mapping[str, bool]) -> None:
        """Close what is not needed, and open what is about to be, before anything is launched.

        So one service can call another before that one is there. What cannot be opened now
        is tried again, and told, when its job is launched.

        Args:
            needed: Jobs that need their sockets, and whether a run of theirs has a
                supervisor.
        """
        useless = [name for name, one in self._open.items() if one.job not in needed]
        for name in useless:  # before anything is waited for: it may be needed by then
            self._shut(name)
        for name in useless:
            if name not in self._open:
                await self._tell(op="drop", name=name)
        await self._have_all_kept()
        for gone in self._failures.keys() - needed.keys():
            del self._failures[gone]
        self._tried &= needed.keys()
        early = self._early(needed)
        self._tried |= early
        if early:
            with trio.move_on_after(_EARLY_S):
                async with trio.open_nursery() as nursery:
                    for job in (self._config().job(name) for name in early):
                        if job is not None:
                            nursery.start_soon(self._open_early, job)

    def is_settled(self, needed: Mapping[str, bool]) -> bool:
        """Tell whether `settle` would find nothing to do."""
        known = {one.job for one in self._open.values()} | self._tried | self._failures.keys()
        is_all_kept = self._open.keys() <= self._kept
        return is_all_kept and known <= needed.keys() and not self._early(needed)

    def _early(self, needed: Mapping[str, bool]) -> set[str]:
        """Return the jobs whose sockets are to be opened before their supervisor is there."""
        waiting = {name for name, is_running in needed.items() if not is_running}
        return waiting - self._tried - self._failures.keys()

    async def _open_early(self, job: Job) -> None:
        try:
            await self.ready(job)
        except UnopenedError as error:
            self._failures.pop(job.name, None)
            _LOG.info("job %s: %s", job.name, error.message)

    async def _close(self, name: str) -> None:
        if self._shut(name):
            await self._tell(op="drop", name=name)

    def _shut(self, name: str) -> bool:
        """Close a socket for all; tell whether it was open. The fork server is to be told."""
        one = self._open.pop(name, None)
        self._kept.discard(name)
        if one is None:
            return False
        listening.end(one.socket)
        if one.address.startswith("unix:"):
            with contextlib.suppress(OSError):
                listening.remove_dead(one.address.removeprefix("unix:"))
        return True

    async def close_all(self) -> None:
        """Close all of them: the daemon ends, and its jobs have ended."""
        for name in [*self._open]:
            await self._close(name)

    def shown(self, job: Job) -> list[dict[str, object]]:
        """Return what a status shows of a job's sockets."""
        return [
            {
                "name": one.name,
                "address": one.address,
                "open": kept_as(job.name, one) in self._open,
            }
            for one in job.sockets
        ]


_LEAST_WAIT_S = 1.0
"""As for a child that could not be started, whatever the ladder says."""


def _is_useless(known: Open, one: Listener) -> bool:
    """Tell whether somebody has shut a socket down, or has removed its file."""
    return listening.is_ended(known.socket) or bool(one.path and not listening.is_at(one.path))


async def _opened(one: Listener, owner: tuple[int, int]) -> sockets.socket:
    """Open a socket; a host's name is looked up beside everything else.

    Raises:
        OSError: No address of it can be listened at.
    """
    if one.path:
        return listening.open_unix(one.path, one.mode, owner, one.backlog)
    failure = OSError(errno.ETIMEDOUT, "its name is not found in time")
    with trio.move_on_after(_LOOK_UP_S):
        found = await trio.to_thread.run_sync(
            listening.resolve, one.host, one.port, abandon_on_cancel=True
        )
        for family, place in found:
            try:
                return listening.open_tcp(family, place, one.backlog)
            except OSError as error:
                failure = error
    raise failure


def _owner(user: str, group: str) -> tuple[int, int]:
    """Return the user and group id of a socket's file, -1 for as it is.

    Raises:
        OSError: There is no such user or group.
    """
    uid = accounts.user_id(user) if user else -1
    if uid is None:
        raise OSError(errno.EINVAL, f"there is no user {user!r}")
    gid = accounts.group_id(group) if group else -1
    if gid is None:
        raise OSError(errno.EINVAL, f"there is no group {group!r}")
    return uid, gid
