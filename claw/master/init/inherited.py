"""What a program is started with, beside its arguments: taken out of the environment once.

From systemd: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3), systemd.exec(5). From the
master that this one takes the place of (`claw.master.init.handover`): the lock of the home and
the listening socket. None of it is for the jobs, so none of it is left in the environment.
"""

import contextlib
import json
import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass, field

from claw.errors import RequestError
from claw.kernel import clock, files, pidfd
from claw.master.init import held, passphrase

HANDOVER = "CLAW_HANDOVER"
"""Of a successor only: which descriptors its predecessor hands it, as JSON."""
CONTROL = "control"
_FIRST_FD = 3  # SD_LISTEN_FDS_START
_NAMES = (
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID",
    "LISTEN_FDNAMES", "JOURNAL_STREAM", "INVOCATION_ID", "SYSTEMD_EXEC_PID", HANDOVER,
    passphrase.FD,
)  # fmt: skip
_OF_ONE_START = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", HANDOVER, passphrase.FD)

Inode = tuple[int, int]


@dataclass(slots=True)
class Door:
    """The listening control socket, as it goes from one program to the next.

    Attributes:
        given: Listens already: init's or a predecessor's; None once it was taken.
        inode: Of the path at which `given` is to be found.
        is_foreign: Whether init made it, so that it is not ours to remove.
        fd: A copy of the socket that listens now, for a successor; -1: none.
        is_handed_over: Whether a successor is going to listen there.
    """

    given: socket.socket | None = None
    inode: Inode | None = None
    is_foreign: bool = False
    fd: int = -1
    is_handed_over: bool = False

    def take(self, inode: Inode | None) -> socket.socket | None:
        """Return the socket that was given, once, if the path still leads to it."""
        given, self.given = self.given, None
        if given is None or inode is None or inode != self.inode:
            if given is not None:
                given.close()
            self.is_foreign = False
            return None
        return given

    def hold(self, listener: socket.socket, inode: Inode | None) -> None:
        """Keep a copy of the socket that listens now."""
        self.drop()
        self.fd, self.inode = os.dup(listener.fileno()), inode

    def come_back(self) -> None:
        """Have the socket that was held taken again: no successor did."""
        self.is_handed_over = False
        if self.fd >= 0:
            self.given, self.fd = socket.socket(fileno=self.fd), -1

    def drop(self) -> None:
        """Let go of the copy: nobody listens any more."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@dataclass(slots=True)
class Inherited:
    """See the module.

    Attributes:
        environ: As a successor is to be started with, handover aside.
        notify_socket: Where the service manager listens; '': there is none.
        watchdog_s: How often it wants to hear from this process; None: not at all.
        journal: Device and inode of the journal's stream (``JOURNAL_STREAM``); None: none.
        is_unit: Whether systemd started a unit, this process in it or above it.
        lock_fd: The home's lock, held by a predecessor; None: not held.
        door: Of the control socket.
        signals: What came while nobody could act upon it.
        is_successor: Whether this program took the place of another.
        passphrase: Of the secrets; empty: nobody has said one.
        passphrase_fd: The descriptor to read it from, as somebody has written it; '': none.
    """

    environ: dict[str, str] = field(default_factory=dict)
    notify_socket: str = ""
    watchdog_s: float | None = None
    journal: Inode | None = None
    is_unit: bool = False
    lock_fd: int | None = None
    door: Door = field(default_factory=Door)
    signals: frozenset[int] = frozenset()
    is_successor: bool = False
    passphrase: bytes = field(default=b"", repr=False)
    passphrase_fd: str = ""


def boot_id() -> str:
    """Return what names the present boot; each start of a container is one, to its PID 1."""
    boot = clock.boot_id()
    return f"{boot}:{pidfd.start_ticks(1)}" if os.getpid() == 1 else boot


def take(environ: MutableMapping[str, str], pid: int) -> Inherited:
    """Take out of the environment what is for this process alone.

    Args:
        environ: Left without it.
        pid: This process: what was meant for another is passed over.
    """
    taken = {name: environ.pop(name) for name in _NAMES if name in environ}
    kept = {name: text for name, text in taken.items() if name not in _OF_ONE_START}
    found = Inherited(environ={**environ, **kept})
    found.notify_socket = taken.get("NOTIFY_SOCKET", "")
    found.watchdog_s = _watchdog_s(taken, pid)
    found.is_unit = "INVOCATION_ID" in taken
    with contextlib.suppress(ValueError):
        device, inode = taken.get("JOURNAL_STREAM", "").split(":")
        found.journal = int(device), int(inode)
    found.passphrase_fd = taken.get(passphrase.FD, "")
    _take_handover(found, taken.get(HANDOVER, ""), pid)
    if taken.get("LISTEN_PID") == str(pid) and not found.is_successor:
        found.door = _activated(taken)
    return found


def _watchdog_s(taken: dict[str, str], pid: int) -> float | None:
    if taken.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    try:
        microseconds = int(taken.get("WATCHDOG_USEC", "0"))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 else None


def _take_handover(found: Inherited, text: str, pid: int) -> None:
    """Believe a predecessor, if it was this very process."""
    try:
        handed = json.loads(text or "{}")
        if handed.get("pid") != pid:
            return
        lock_fd = int(handed["lock"])
        os.set_inheritable(lock_fd, False)
        found.lock_fd = lock_fd  # whatever else is wrong: only who holds it can lock it
        door = Door(is_foreign=bool(handed["is_foreign"]))
        control_fd = int(handed["control"])
        if control_fd >= 0:
            door.given = _listener(control_fd)
            door.inode = (int(handed["inode"][0]), int(handed["inode"][1]))
    except (ValueError, LookupError, TypeError, OSError, AttributeError):
        return
    with contextlib.suppress(RequestError):
        found.passphrase = passphrase.given(str(handed.get("passphrase", "")))
    with contextlib.suppress(OSError):
        found.signals = frozenset(held.read(int(handed.get("signals", -1))))
    found.door, found.is_successor = door, True


def _activated(taken: dict[str, str]) -> Door:
    """Return the control socket that systemd opened; others are none of ours."""
    try:
        count = int(taken.get("LISTEN_FDS", "0"))
    except ValueError:
        return Door()
    names = taken.get("LISTEN_FDNAMES", "").split(":")
    fds = range(_FIRST_FD, _FIRST_FD + count)
    named = [fd for fd, name in zip(fds, names, strict=False) if name == CONTROL]
    chosen = named[:1] or list(fds[:1] if count == 1 else ())
    for fd in set(fds) - set(chosen):
        with contextlib.suppress(OSError):
            os.close(fd)
    try:
        given = _listener(chosen[0])
        path = str(given.getsockname())
    except (OSError, IndexError):
        return Door()
    return Door(given=given, inode=files.inode_at(path), is_foreign=True)


def _listener(fd: int) -> socket.socket:
    """Return a listening Unix stream socket that is inherited.

    Raises:
        OSError: The descriptor is none.
    """
    listener = socket.socket(fileno=fd)
    listener.set_inheritable(False)
    if (listener.family, listener.type) != (socket.AF_UNIX, socket.SOCK_STREAM):
        listener.detach()
        raise OSError("no Unix stream socket")
    listener.setblocking(False)
    return listener
