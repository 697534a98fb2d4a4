"""A real server that takes its sockets from claw, and clients that never leave it alone."""

import json
import socket
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

_PATIENCE_S = 30.0
_PAUSE_S = 0.004
_SERVER = """\
import json, os, select, signal, socket

over = []
signal.signal(signal.SIGTERM, lambda *_: over.append(1))
wake, woken = os.pipe2(os.O_NONBLOCK)
signal.set_wakeup_fd(woken)
told = ("LISTEN_FDS", "LISTEN_FDNAMES", "CLAW_INSTANCE")
about = {name: os.environ.get(name) for name in told}
about.update(pid=os.getpid(), told=int(os.environ.get("LISTEN_PID", 0)))
about["open"] = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:-1]
sockets = [socket.socket(fileno=fd) for fd in range(3, 3 + int(os.environ["LISTEN_FDS"]))]
about["blocking"] = [one.getblocking() for one in sockets]
for one in sockets:
    one.setblocking(False)
while not over:
    for one in select.select([*sockets, wake], [], [])[0]:
        if one == wake:
            continue
        try:
            caller, _ = one.accept()
        except BlockingIOError:
            continue
        with caller:
            caller.sendall(json.dumps(about).encode())
"""


def write_server(folder: Path) -> str:
    """Write the server and return the command that runs it, without shell syntax."""
    path = folder / "server.py"
    path.write_text(_SERVER)
    return f"{sys.executable} -I -S {path}"


def ask(address: str) -> dict[str, Any]:
    """Connect to a server and return what it says of itself; {} when it ends meanwhile.

    Raises:
        OSError: The connection is refused, or nobody answers.
    """
    family, place = place_of(address)
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(_PATIENCE_S)
        caller.connect(place)
        try:
            data = caller.recv(65536)
        except ConnectionResetError:
            return {}
        return dict(json.loads(data)) if data else {}


def place_of(address: str) -> tuple[socket.AddressFamily, Any]:
    """Return the family and place of an address as the configuration writes it."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address.removeprefix("unix:")
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if host.startswith("["):
        return socket.AF_INET6, (host.strip("[]"), int(port))
    return socket.AF_INET, (host, int(port))


def is_refused(address: str) -> bool:
    """Tell whether nobody listens there."""
    family, place = place_of(address)
    with socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(_PATIENCE_S)
        try:
            caller.connect(place)
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        return False


class Load:
    """Clients that connect again and again, at a bounded rate, until they are stopped."""

    def __init__(self, *addresses: str) -> None:
        self.answers: Counter[int] = Counter()
        self.broken = 0  # a server was killed with the connection in its hands
        self.failures: list[str] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(address,), daemon=True)
            for address in addresses
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _call(self, address: str) -> None:
        while not self._over.wait(_PAUSE_S):
            try:
                answer = ask(address)
            except OSError as error:
                self.failures.append(f"{address}: {error!r}")
                continue
            if answer:
                self.answers[answer["pid"]] += 1
            else:
                self.broken += 1
