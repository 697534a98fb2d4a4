"""How a supervisor whose fork server has died hands what it has to another one.

Then a supervisor that is killed after that is replaced as ever. The link stays open: a child
that begins sends a pidfd of itself over it before it execs, since no fork server is its
parent and its end could not be learnt without one; while there is no fork server, it sends
that to the master. A link that breaks is made again when the master says where (`hand`), which
it does until the fork server there knows the run.
"""

from claw.kernel import channel, pidfd
from claw.kernel.bare import os
from claw.supervisor.case import Case
from claw.wire import supervision
from claw.wire.supervision import CHILD, Launch

_PATIENCE_S = 1.0
_CHUNK = 4096


class Fostering:
    """The link of a case to a fork server that is not its parent."""

    __slots__ = ("_case", "_link")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._link: channel.Socket | None = None

    def hand(self, path: str) -> None:
        """Hand everything to the fork server that listens there.

        Raises:
            OSError: Nobody does, or not now.
        """
        self._drop()
        case = self._case
        link = channel.connect(path, patience_s=_PATIENCE_S)
        child_fd = -1
        try:
            kept = {
                name: fd for name, fd in case.handed.kept.items() if not name.startswith(CHILD)
            }
            if case.custody.is_waiting:
                child_fd = case.custody.open_child()
            if child_fd >= 0:
                kept[child_name(case.custody.pid)] = child_fd
            myself = os.getpid()
            send(link, case.launch, kept, pid=myself, start=pidfd.start_ticks(myself))
        except BaseException:
            link.close()
            raise
        finally:
            if child_fd >= 0:
                os.close(child_fd)
        link.setblocking(False)
        self._link = link
        case.handed.foster_fd = link.fileno()
        case.loop.watch(link.fileno(), self._on_word)

    def _on_word(self) -> None:
        """Hear answers, which say nothing that matters, and the end of the link."""
        if self._link is None:
            return
        try:
            data = self._link.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop()

    def _drop(self) -> None:
        if self._link is not None:
            self._case.handed.foster_fd = -1
            self._case.loop.forget(self._link.fileno())
            self._link.close()
            self._link = None


def child_name(pid: int) -> str:
    """Return the name of a child's pidfd."""
    return f"{CHILD}{pid}:{pidfd.start_ticks(pid) or 0}"


def keeper_fd(case: Case) -> int:
    """Return what leads to whoever is to have a pidfd of a child that begins.

    That is the fork server that fosters the run or, while there is none, the master; -1:
    the fork server is this process's parent and needs none, or there is nobody.
    """
    handed, peers = case.handed, case.control.peers
    if handed.foster_fd >= 0 or os.getppid() == handed.parent or not peers:
        return handed.foster_fd
    return peers[-1].fileno()


def hand_myself(foster_fd: int, launch: Launch) -> None:
    """Send a pidfd of this process, a child that is about to exec, to a keeper.

    Args:
        foster_fd: Leads there, -1 to nobody.
        launch: Of the run.
    """
    if foster_fd < 0:
        return
    pid = os.getpid()
    try:
        fd = pidfd.open_pid(pid)
        send(channel.Socket(fileno=foster_fd), launch, {child_name(pid): fd}, ev="child")
    except OSError:  # it has died too: then the master will see to another
        return


def send(link: channel.Socket, launch: Launch, kept: dict[str, int], **who: object) -> None:
    """Send a ``foster`` request.

    Raises:
        OSError: The link is broken or full.
    """
    message = {"op": "foster", "sid": launch.sid, "spool": launch.spool, "names": [*kept]}
    channel.send(link, supervision.encode({**message, **who}), (*kept.values(),))
