"""The fork server: warm parent of all supervisors, and foster parent of their children.

It is exec'd as a bare interpreter, imports everything once, freezes it, and forks a
supervisor in a millisecond or two. It keeps a duplicate of each job's pipes and of the
memory with its launch; when a supervisor is killed, the child is re-parented to it
(subreaper), and it forks a replacement that misses nothing. It outlives the master, and
ends when there is neither a supervisor nor a master left.

    ward       one run, and what is kept for it
    wards      forks supervisors, replaces those that are killed
    orphans    whose parent we have become, and how they end

When it is killed itself, the next one fosters its runs: the master hands over the copies
that it has, and each supervisor what it has, with word of who it is (`foster`).
"""

import gc
import sys

from claw import __version__
from claw.kernel import (
    channel,
    files,
    immortal,
    limits,
    memory,
    pidfd,
    pools,
    process,
    signals,
    ticks,
)
from claw.kernel.bare import os
from claw.supervisor import rehearsal
from claw.supervisor.control import Control, Peer
from claw.supervisor.loop import Loop
from claw.supervisor.sockets import Sockets
from claw.supervisor.ward import Ward, close_all
from claw.supervisor.wards import Wards
from claw.wire.supervision import LINK, MEMORY, Launch, Message

LONELY_S = 10.0
"""A fork server that no master has called for so long after its start ends."""
_OPS = frozenset(
    "launch find barrier hello foster copy reaped keep lend drop".split()  # noqa: SIM905
)
_BREATH_S = 0.01
"""Pause after a failure that a ready descriptor would repeat at once."""


class ForkServer:
    """Serves launches; see `claw.wire.supervision` for what is said."""

    def __init__(self, server: channel.Socket, path: str, soft_limit: int) -> None:
        self._loop = Loop()
        self._control = Control(self._loop, self._handle)
        self._control.adopt(path, server)
        self._sockets = Sockets()
        self._lonely_b: float | None = ticks.boottime() + LONELY_S
        open_files = (soft_limit, limits.raise_open_files()[1])
        self._wards = Wards(self._loop, open_files, self._on_gone)

    def run(self) -> None:
        """Serve until there is nobody left to serve."""
        process.become_subreaper()
        for number in (signals.SIGTERM, signals.SIGINT, signals.SIGHUP):
            signals.ignore(number)
        wake_fd = signals.as_descriptor((signals.SIGCHLD,))
        self._loop.watch(wake_fd, lambda: self._on_signals(wake_fd))
        gc.collect()
        immortal.make_all()
        self._ballast = pools.fill()
        gc.freeze()
        gc.disable()
        while not self._is_needless():
            try:
                self._loop.turn(self._next_deadline())
                self._wards.retry()
            except OSError:  # no shortage that the kernel reports may end the foster parent
                ticks.sleep(_BREATH_S)
        self._control.close()

    def _on_gone(self, sid: str) -> None:
        self._control.tell({"ev": "gone", "sid": sid})

    def _is_needless(self) -> bool:
        if self._wards.all or self._control.peers:
            self._lonely_b = None
            return False
        if self._lonely_b is None and self._sockets.names:  # the next master wants them
            self._lonely_b = ticks.boottime() + LONELY_S
        return self._lonely_b is None or ticks.boottime() >= self._lonely_b

    def _next_deadline(self) -> float | None:
        retry_b, lonely_b = self._wards.next_deadline(), self._lonely_b
        if retry_b is None or lonely_b is None:
            return lonely_b if retry_b is None else retry_b
        return min(retry_b, lonely_b)

    # -- requests ---------------------------------------------------------------------

    def _handle(self, peer: Peer, message: Message) -> Message | None:
        """Answer a request, whatever is wrong with it: too much depends on this process."""
        try:
            return self._do(peer, message)
        except (OSError, KeyError, TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}", "retryable": True}

    def _do(self, peer: Peer, message: Message) -> Message | None:
        handler = getattr(self, f"_{message['op']}", None) if message["op"] in _OPS else None
        if handler is None:
            return {"error": f"unknown operation {message['op']!r}", "retryable": False}
        return handler(peer, message)  # type: ignore[no-any-return]

    def _hello(self, _peer: Peer, _message: Message) -> Message:
        return {
            "version": __version__,
            "pid": os.getpid(),
            "supervisors": [*self._wards.all],
            "sockets": self._sockets.names,
            "knows": [*Launch.DEFAULTS],
        }

    def _find(self, _peer: Peer, message: Message) -> Message:
        ward = self._wards.all.get(message["sid"])
        return {"alive": ward is not None, "pid": ward.pid if ward else None}

    def _barrier(self, _peer: Peer, _message: Message) -> Message:
        self._control.catch_up()
        return {}

    def _reaped(self, _peer: Peer, message: Message) -> Message:
        self._wards.orphans.note_reaped(message)
        return {}

    def _socket(self, peer: Peer, message: Message) -> Message | None:
        return self._sockets.do(peer, message)

    _keep = _lend = _drop = _socket

    def _launch(self, peer: Peer, message: Message) -> Message:
        """Begin an attempt: its launch file first, then folder, lock and fork."""
        ward = Ward(message["sid"], message["spool"], peer.take(message["names"]))
        link_fd = ward.kept.pop(LINK, -1)
        try:
            if not _is_launch_of(ward.sid, ward.kept[MEMORY]):
                raise ValueError("the descriptors are of another launch")
            return self._launch_with(ward, message, link_fd)
        finally:
            if link_fd >= 0:
                os.close(link_fd)
            if self._wards.all.get(ward.sid) is not ward:
                ward.release()

    def _launch_with(self, ward: Ward, message: Message, link_fd: int) -> Message:
        launch_file = f"{message['launch_dir']}/{message['run']}.{message['attempt']}"
        try:
            files.create_exclusive(launch_file, ward.sid.encode())
        except OSError as error:
            has_begun = isinstance(error, FileExistsError)
            return {"error": f"launch file: {error}", "retryable": not has_begun}
        try:
            self._wards.begin(ward, link_fd)
        except OSError as error:
            files.remove(launch_file)
            return {"error": f"fork server: {error}", "retryable": True}
        return {"pid": ward.pid, "start": pidfd.start_ticks(ward.pid)}

    def _foster(self, peer: Peer, message: Message) -> Message:
        """Take in a run of a fork server that has died, from its supervisor or the master."""
        sid, spool, pid = message["sid"], message["spool"], message.get("pid")
        kept = peer.take(message["names"])
        ward = None
        if MEMORY not in kept or _is_launch_of(sid, kept[MEMORY]):
            ward = self._wards.foster(sid, spool, kept, anew=message.get("anew", False))
        if ward is None:
            close_all(kept)
            return {"error": f"nothing is known of {sid}", "retryable": False}
        if pid:
            self._wards.see(ward, pid, message["start"])
        return {}

    def _copy(self, peer: Peer, message: Message) -> Message | None:
        """Send copies of what is kept for a run."""
        ward = self._wards.all.get(message["sid"])
        if ward is None:
            return {"error": f"nothing is known of {message['sid']}", "retryable": False}
        answer = {"id": message.get("id"), "names": [*ward.kept]}
        peer.send(answer, (*ward.kept.values(),))
        return None

    def _on_signals(self, wake_fd: int) -> None:
        signals.taken(wake_fd)
        self._wards.orphans.reap_unasked()


def _is_launch_of(sid: str, memory_fd: int) -> bool:
    return Launch.decode(memory.read(memory_fd)).sid == sid


def main() -> None:
    """Serve on the inherited listening socket.

    argv: its descriptor, its path, and the soft limit of open files that jobs shall have.
    """
    server = channel.adopt(int(sys.argv[1]))
    os.set_inheritable(server.fileno(), False)
    process.new_session()
    process.set_name("claw:forkserver")
    path = sys.argv[2]
    rehearsal.rehearse(f"{path}.rehearsal", {0, 1, 2, server.fileno()})
    ForkServer(server, path, int(sys.argv[3])).run()
