"""Listening sockets of a job: what the configuration asks claw to open for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One socket, validated; ``address`` is written in the one way that names it.

    Attributes:
        name: What the program knows it by (LISTEN_FDNAMES).
        address: ``tcp://127.0.0.1:8000``, ``tcp://[::1]:8000``, ``unix:/run/app.sock``.
        host: Of TCP: an address without brackets, or a name to be looked up.
        port: Of TCP; 0 with a path.
        path: Of a Unix socket; empty with TCP.
        mode: Permissions of a Unix socket's file.
        owner: User that the file shall belong to; empty: whom claw runs as.
        group: Group that the file shall belong to; empty: that of claw.
        backlog: Connections that wait to be accepted, at most (listen(2)).
    """

    name: str
    address: str
    host: str = ""
    port: int = 0
    path: str = ""
    mode: int = 0o660
    owner: str = ""
    group: str = ""
    backlog: int = 4096

    def clashes_with(self, other: "Listener") -> bool:
        """Tell whether both cannot be open at once: same address, or one has all of them."""
        if self.path or other.path:
            return self.path == other.path
        if self.port != other.port or (":" in self.host) != (":" in other.host):
            return False
        return self.host == other.host or bool(_ALL & {self.host, other.host})


_ALL = frozenset({"0.0.0.0", "::"})  # noqa: S104
