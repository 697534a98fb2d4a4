"""The descriptors of a run, by name, that outlive any one of its supervisors.

See `claw.wire.supervision` for the names. The fork server keeps them while the run goes on;
the master has copies, so that when the fork server is killed, and a supervisor with it,
there is still somebody who has the job's pipes and what a replacement needs to know.
"""

import contextlib
import os
import resource
from collections.abc import Callable, Iterator, Mapping

from claw.kernel import datagrams, files, memory, pidfd, terminal
from claw.supervisor.output import PIPE_BYTES
from claw.wire.supervision import (
    CHILD,
    MEMORY,
    NOTIFY,
    OUTPUTS,
    READY_PIPE,
    STDIN,
    TERMINAL,
    Launch,
)

Kept = dict[str, int]
_SHARE = 2
"""Copies take at most one in so many of the descriptors that the master may have open."""
_READY_BYTES = 4096


def make_kept(launch: Launch, sockets: Mapping[str, int]) -> Kept:
    """Return what the supervisors of a launch are to have.

    Args:
        launch: What is launched.
        sockets: Listening sockets by name, of which copies are made.

    Raises:
        OSError: There is no memory or descriptor for it now; nothing is left open.
    """
    kept: Kept = {}
    try:
        make = memory.shared if launch.is_plain else memory.sealed
        kept[MEMORY] = make(f"claw:{launch.job}", launch.encode())
        for names in OUTPUTS[: 2 if launch.stderr == "separate" else 1]:
            kept.update(zip(names, files.make_pipe(PIPE_BYTES), strict=True))
        for name, fd in sockets.items():
            kept[name] = os.dup(fd)
        if launch.ready == "fd":
            kept.update(zip(READY_PIPE, files.make_pipe(_READY_BYTES), strict=True))
        if launch.tty:
            kept.update(zip(TERMINAL, terminal.open_pair(), strict=True))
        elif launch.stdin == "open":
            kept.update(zip(STDIN, os.pipe2(os.O_CLOEXEC), strict=True))
            os.set_blocking(kept[STDIN[1]], False)
        if launch.hears:
            kept[NOTIFY] = datagrams.listen(launch.env["NOTIFY_SOCKET"])
    except OSError:
        close(kept)
        raise
    return kept


def close(kept: Kept) -> None:
    """Close descriptors that are of no use any more."""
    for fd in kept.values():
        os.close(fd)
    kept.clear()


class Copies:
    """What the master has of each run that goes on, as far as it may have so many open."""

    def __init__(self) -> None:
        self.all: dict[str, Kept] = {}
        self.on_added: Callable[[Kept], None] = lambda _kept: None

    @property
    def has_room(self) -> bool:
        """Whether there are descriptors to spare."""
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _SHARE
        return sum(map(len, self.all.values())) < most

    def add(self, sid: str, kept: Kept) -> None:
        """Keep these for a run, or close them when there are too many."""
        self.on_added(kept)
        if not self.has_room:
            close(kept)
            return
        old = self.all.pop(sid, {})
        for name in [one for one in old if one not in kept]:
            kept[name] = old.pop(name)  # of the present child, perhaps
        close(old)
        self.all[sid] = kept

    def put_memory(self, sid: str, fd: int) -> None:
        """Keep other memory with the launch, if there is any of that run; else close it."""
        kept = self.all.get(sid, {})
        if MEMORY in kept:
            os.close(kept[MEMORY])
            kept[MEMORY] = fd
        else:
            os.close(fd)

    def take_child(self, sid: str, given: Kept) -> None:
        """Keep the pidfd that a child has sent of itself."""
        kept = self.all.setdefault(sid, {})
        for other in [one for one in kept if one.startswith(CHILD)]:
            os.close(kept.pop(other))
        kept.update(given)

    def is_whole(self, sid: str) -> bool:
        """Tell whether a replacement could be made from what there is of a run."""
        return MEMORY in self.all.get(sid, {})

    def add_child(self, sid: str, pid: int, start: int) -> None:
        """Keep a pidfd of a child, if it lives; its end may be learnt by it alone."""
        kept = self.all.get(sid)
        name = f"{CHILD}{pid}:{start}"
        if kept is None or name in kept:
            return
        try:
            fd = pidfd.open_pid(pid)
        except OSError:
            return
        for other in [one for one in kept if one.startswith(CHILD)]:
            os.close(kept.pop(other))
        kept[name] = fd
        if pidfd.start_ticks(pid) != start:
            os.close(kept.pop(name))

    @contextlib.contextmanager
    def lent(self, sid: str) -> Iterator[Kept]:
        """Yield descriptors to send, which stay open meanwhile whatever becomes of the run.

        Raises:
            OSError: There is none left to be had.
        """
        lent: Kept = {}
        try:
            for name, fd in self.all.get(sid, {}).items():
                lent[name] = os.dup(fd)
            yield lent
        finally:
            close(lent)

    def drop(self, sid: str) -> None:
        """The run is over."""
        close(self.all.pop(sid, {}))
