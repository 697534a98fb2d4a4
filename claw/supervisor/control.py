"""A socket that answers lines: shared by supervisors and the fork server.

Nobody is waited for: a peer that does not take its answers is cut off and may come again.
"""

import errno

from claw.kernel import channel, files
from claw.kernel.bare import os
from claw.supervisor.loop import Loop
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

_CHUNK = 1 << 16


class Peer:
    """One connection: requests in, answers and notices out."""

    __slots__ = ("_control", "_lines", "_socket", "descriptors")

    def __init__(self, control: "Control", connection: channel.Socket) -> None:
        self._control = control
        self._socket = connection
        self._lines = LineSplitter(supervision.LINE_LIMIT)
        self.descriptors: list[int] = []

    def fileno(self) -> int:
        """Return the connection's descriptor."""
        return self._socket.fileno()

    @property
    def is_closed(self) -> bool:
        """Whether it has been cut off: what it still asks for is not done."""
        return self._socket.fileno() < 0

    def on_readable(self) -> bool:
        """Take in what has come, have each whole line answered; True when there may be more."""
        try:
            data, fds = channel.receive(self._socket, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data, fds = b"", []
        self.descriptors += fds
        if not data:
            self._control.drop(self)
            return False
        for line in self._lines.feed(data):
            message = supervision.decode(line or b"")
            if message is not None and not self.is_closed:
                self._control.answer(self, message)
        return not self.is_closed

    def send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        """Send a message, or cut the peer off when it does not take any more."""
        data = supervision.encode(message)
        try:
            sent = channel.send(self._socket, data, fds)
        except OSError:
            sent = -1
        if sent != len(data):
            self._control.drop(self)

    def take(self, names: list[str]) -> dict[str, int]:
        """Return the descriptors that came with a message, by the names that it gives.

        Raises:
            ValueError: Others have come: of more messages, or of half a one.
        """
        count = len(set(names))
        fds, self.descriptors = self.descriptors, []
        if len(fds) != count:
            for fd in fds:
                os.close(fd)
            raise ValueError(f"{len(fds)} descriptors came for {names}")
        return dict(zip(names, fds, strict=True))

    def close(self) -> None:
        """Close the connection and every descriptor that came over it unused."""
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors.clear()
        self._socket.close()


class Control:
    """Listens at a path and hands each request to ``handle(peer, message)``.

    ``handle`` returns the answer's values, or None when it sends one itself.
    """

    __slots__ = ("_handle", "_inode", "_loop", "_path", "_server", "_spare_fd", "peers")

    def __init__(self, loop: Loop, handle: object) -> None:
        self._loop = loop
        self._handle = handle
        self._path = ""
        self._inode: tuple[int, int] | None = None
        self._server: channel.Socket | None = None
        self.peers: list[Peer] = []
        self._spare_fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def listen(self, path: str) -> None:
        """Listen at a path that is claw's own.

        Raises:
            OSError: The folder cannot be made, or holds something else there.
        """
        self.adopt(path, channel.listen(path))

    def adopt(self, path: str, server: channel.Socket) -> None:
        """Serve a socket that listens already."""
        self.stop_listening()
        self._path = path
        self._inode = files.inode_at(path)
        self._server = server
        self._loop.watch(server.fileno(), self._on_connection)

    def is_reachable(self) -> bool:
        """Tell whether the socket is still there to be found."""
        return self._server is not None and self._is_in_place()

    def _is_in_place(self) -> bool:
        return self._inode is not None and files.inode_at(self._path) == self._inode

    def stop_listening(self) -> None:
        """Close the listening socket; connections stay."""
        if self._server is not None:
            self._loop.forget(self._server.fileno())
            self._server.close()
            self._server = None

    def _on_connection(self) -> bool:
        """Take one connection; False when there is none."""
        if self._server is None:
            return False
        try:
            self.add(channel.accept(self._server))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._turn_away()
            return False
        return True

    def _turn_away(self) -> None:
        """Close a connection that there is no descriptor for: it would wake us for ever."""
        if self._spare_fd >= 0:
            os.close(self._spare_fd)
            self._spare_fd = -1
        try:
            if self._server is not None:
                channel.accept(self._server).close()
        finally:
            self._spare_fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def catch_up(self) -> None:
        """Take in all that has been sent before now, by anyone."""
        while self._on_connection():
            pass
        for peer in tuple(self.peers):
            while peer.on_readable():
                pass

    def add(self, connection: channel.Socket) -> Peer:
        """Serve one connection."""
        peer = Peer(self, connection)
        self.peers.append(peer)
        self._loop.watch(peer.fileno(), peer.on_readable)
        return peer

    def drop(self, peer: Peer) -> None:
        """End one connection."""
        if peer in self.peers:
            self.peers.remove(peer)
            self._loop.forget(peer.fileno())
            peer.close()

    def answer(self, peer: Peer, message: Message) -> None:
        """Have one request handled, and send what it yields under its id."""
        values = self._handle(peer, message)  # type: ignore[operator]
        if values is not None:
            peer.send({"id": message.get("id"), **values})

    def tell(self, message: Message) -> None:
        """Send a notice to everyone who is connected."""
        for peer in tuple(self.peers):
            peer.send(message)

    def close(self) -> None:
        """Remove the socket, unless it is another's by now, and close everything.

        In that order: while this one listens, nobody puts another in its place.
        """
        if self._is_in_place():
            files.remove(self._path)
        for peer in tuple(self.peers):
            self.drop(peer)
        self.stop_listening()
