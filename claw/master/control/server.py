"""The control socket, and the one for children: who connects, how many, what tasks each has.

::

    serve_control
    ├── watcher, hangups           file events; clients that are gone
    ├── socket                     listens, and again when its folder was removed
    │   └── accept
    └── one per connection
        ├── send                   what waits, as fast as the client takes it
        └── requests               read, one at a time
            └── waits and streams  one task each

No client can stall the others (I10): nothing here waits for one but its own tasks.
"""

import contextlib
import errno
import logging
import os
import socket as sockets
import sys
from dataclasses import replace

import trio

from claw import errors
from claw.master.control.access import Access
from claw.master.control.auditor import CONNECT, Auditor
from claw.master.control.calls import Calls
from claw.master.control.complaints import Complaints
from claw.master.control.connection import Answerer, Connection
from claw.master.control.hangups import Hangups
from claw.master.control.jobcalls import JobCalls
from claw.master.control.limits import Limits
from claw.master.control.peers import Peer, identify, identify_child, user_name
from claw.master.control.place import Place
from claw.master.control.room import greedier
from claw.master.handlers.table import HANDLERS, OF_CHILDREN
from claw.master.init.inherited import Door
from claw.master.supervision.lookups import LookUps
from claw.master.wiring import Services
from claw.wire import control as wire

log = logging.getLogger("claw.control")

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_PAUSE_S = 0.02
_SWITCH_S = 0.001


async def serve_control(
    services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve the control socket until cancelled; started once clients can connect.

    Raises:
        OSError: The socket cannot be made at first; later that is tried again and again.
    """
    # The store's threads let go of the interpreter sooner when the master wants it: a client
    # that has much read costs the others little (I10).
    sys.setswitchinterval(_SWITCH_S)
    seen = services.config.reloads.count
    control, children = _for_clients(services), _for_children(services)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(services.watcher.serve)
            await nursery.start(control.hangups.serve)
            await nursery.start(children.hangups.serve)
            nursery.start_soon(children.serve, nursery, children.try_to_listen())
            listener = control.listen()
            task_status.started()
            nursery.start_soon(control.follow_reloads, services, seen)
            await control.serve(nursery, listener)
    finally:
        control.close()
        children.close()


def _for_clients(services: Services) -> "_Server":
    mode = services.config.current.daemon.control_mode
    place = Place(services.home.control_socket, mode, services.watcher, services.door)
    access = Access(lambda: services.config.current.daemon)
    auditor = Auditor(services.audit)
    calls = Calls(services, HANDLERS, access, auditor)
    return _Server(services.limits, calls, place, (access, auditor))


def _for_children(services: Services) -> "_Server":
    """Return the server for children, of whatever user."""
    home = services.home
    place = Place(home.job_socket, 0o666, services.watcher, Door(), is_for_all=True)
    calls = JobCalls(services, OF_CHILDREN, services.tokens)
    return _Server(services.limits, calls, place, None)


class _Server:
    def __init__(
        self,
        limits: Limits,
        answerer: Answerer,
        place: Place,
        gate: tuple[Access, Auditor] | None,
    ) -> None:
        """Take what it works with; without a gate it is the one for children, of all users."""
        self.hangups = Hangups()
        self._limits = limits
        self._answerer = answerer
        self._gate = gate
        self._is_for_children = gate is None
        self._identify = identify_child if gate is None else identify
        self._place = place
        self._connections: set[Connection] = set()
        self._complaints = Complaints(log)
        self._reserve_fd: int | None = None
        self._names = LookUps(_name_of)

    def close(self) -> None:
        self._place.remove()
        self.hangups.close()
        self._close_reserve()

    def listen(self) -> sockets.socket:
        """Listen at the place.

        Raises:
            OSError: That cannot be.
        """
        return self._place.listen()

    def try_to_listen(self) -> sockets.socket | None:
        """Listen at the place, if that can be now."""
        try:
            return self.listen()
        except OSError as error:
            log.warning("no socket at %s: %s", self._place.path, error)
            return None

    async def serve(self, nursery: trio.Nursery, listener: sockets.socket | None) -> None:
        """Accept connections, which live in the nursery; it outlives a listener.

        Args:
            nursery: For the connections.
            listener: None: one is made as soon as that is possible.
        """
        if listener is None:
            listener = await self._place.listen_again()
        while True:
            with listener:
                async with trio.open_nursery() as accepting:
                    accepting.start_soon(self._accept, listener, nursery)
                    await self._place.wait_gone()
                    accepting.cancel_scope.cancel()
            log.warning("the socket %s was removed; making it again", self._place.path)
            listener = await self._place.listen_again()

    async def _accept(self, listener: sockets.socket, nursery: trio.Nursery) -> None:
        while True:
            self._open_reserve()
            await trio.lowlevel.wait_readable(listener)
            try:
                socket, _address = listener.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                self._complaints.say("no connection can be accepted: %s", error)
                if error.errno in _NO_ROOM:
                    self._turn_away(listener, error)
                await trio.sleep(_PAUSE_S)
            else:
                self._admit(socket, nursery)

    def _admit(self, socket: sockets.socket, nursery: trio.Nursery) -> None:
        socket.setblocking(False)
        try:
            peer = self._identify(socket)
            self._make_room_for(peer)
        except errors.ClawError as error:
            self._complaints.say("refused a connection: %s", error)
            _refuse(socket, error)
        except OSError:  # gone already
            socket.close()
        else:
            stream = trio.socket.from_stdlib_socket(socket)
            connection = Connection(stream, peer, self._answerer, self._limits)
            self._connections.add(connection)
            nursery.start_soon(self._serve_connection, stream, connection)

    def _make_room_for(self, peer: Peer) -> None:
        """Take another connection, at the limit in the place of a greedier client's.

        Raises:
            SaturatedError: There are as many as there may be.
        """
        if len(self._connections) < self._limits.connections:
            return
        given_up = greedier(self._connections, peer, by_user=self._is_for_children)
        if given_up is None:
            raise errors.SaturatedError(
                f"{len(self._connections)} connections are open, as many as there may be",
                hint="close some, or try again later",
            )
        given_up.cut_off()
        self._connections.discard(given_up)

    async def _serve_connection(
        self, socket: trio.socket.SocketType, connection: Connection
    ) -> None:
        try:
            self.hangups.watch(socket.fileno(), connection.on_gone)
            connection.peer = await self._named(connection.peer)
            await self._converse(socket, connection)
        except Exception:  # one connection's mistake must not end the master
            log.exception("a connection of %s ended by mistake", connection.peer.name)
        finally:
            self._connections.discard(connection)
            connection.outgoing.close()
            with trio.move_on_after(self._limits.flush_s, shield=True):
                await connection.outgoing.send_all(socket)
            self.hangups.forget(socket.fileno())
            socket.close()

    async def _converse(self, socket: trio.socket.SocketType, connection: Connection) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.outgoing.send_all, socket)
            if not await self._lets_in(connection):
                nursery.cancel_scope.deadline = trio.current_time() + self._limits.linger_s
                connection.outgoing.close()
                return
            async with trio.open_nursery() as waiting, trio.open_nursery() as greeting:
                if self._is_for_children:
                    greeting.start_soon(self._see_that_it_greets, connection)
                await connection.serve(waiting)
                greeting.cancel_scope.cancel()
            connection.outgoing.close()
            nursery.cancel_scope.deadline = trio.current_time() + self._limits.linger_s

    async def _named(self, peer: Peer) -> Peer:
        """Return somebody with the name, where one is told in time."""
        try:
            return replace(peer, name=await self._names.of(str(peer.uid), ""))
        except OSError:
            return peer

    async def _lets_in(self, connection: Connection) -> bool:
        """Tell whether somebody may ask anything here at all; who may not is told so."""
        if self._gate is None or connection.peer.role:
            return True
        access, auditor = self._gate
        try:
            await access.admit(connection, is_hello=True)
        except errors.DeniedError as error:
            self._complaints.say("refused a connection: %s", error)
            connection.refuse(error)
            auditor.write(connection.peer, [(CONNECT, {}, error.code)])
            return False
        return True

    async def follow_reloads(self, services: Services, seen: int) -> None:
        """After each reload let those in who may come now, and cut off who may no longer.

        Args:
            services: With the configuration in force.
            seen: So many reloads are known already.
        """
        while True:
            seen = await services.config.reloads.after(seen)
            self._place.open_to(services.config.current.daemon.control_mode)
            for connection in tuple(self._connections):
                if connection.peer.role and not await self._still_may(connection):
                    self._complaints.say("%s has no role any more", connection.peer.name)
                    connection.cut_off()

    async def _still_may(self, connection: Connection) -> bool:
        if self._gate is None:
            return True
        try:
            await self._gate[0].admit(connection)
        except errors.DeniedError:
            return False
        return True

    async def _see_that_it_greets(self, connection: Connection) -> None:
        """Cut a connection off that does not say in time whose child it is."""
        with trio.move_on_after(self._limits.hello_s):
            await connection.known.wait()
            return
        self._complaints.say("%s sent no token in time: cut off", connection.peer.name)
        connection.cut_off()

    def _turn_away(self, listener: sockets.socket, error: OSError) -> None:
        """Tell one who waits to be accepted that it cannot be, by the descriptor kept for it.

        Otherwise the listener would stay readable, and the client without an answer.
        """
        self._close_reserve()
        try:
            socket, _address = listener.accept()
        except OSError:
            return
        socket.setblocking(False)
        _refuse(socket, errors.SaturatedError(f"the master cannot accept more: {error}"))

    def _open_reserve(self) -> None:
        if self._reserve_fd is None:
            try:
                self._reserve_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:  # tried again at the next connection
                return

    def _close_reserve(self) -> None:
        if self._reserve_fd is not None:
            os.close(self._reserve_fd)
            self._reserve_fd = None


def _refuse(socket: sockets.socket, error: errors.ClawError) -> None:
    """Answer a connection with one error, if it takes it at once, and close it."""
    with socket, contextlib.suppress(OSError):
        socket.send(wire.encode_error(None, error))


def _name_of(uid: str, _group: str) -> str:
    return user_name(int(uid))
