"""How much one client, and all of them, may ask of the control socket at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of the control socket; docs/reference/protocol.md states them."""

    connections: int = 256
    in_flight: int = 64  # waiting requests and streams of one connection
    joined: int = 32  # changes of one connection that are decided about together
    line_bytes: int = 1 << 20  # of one request
    hello_s: float = 5.0  # what a child may take to show its token
    half_line_s: float = 30.0  # what a begun line may take to end
    outgoing_bytes: int = 16 << 20  # answers that wait for one client to read them
    lag_s: float = 5.0  # a stream whose client takes nothing for so long ends
    linger_s: float = 30.0  # for the last answers, once the client says no more
    flush_s: float = 1.0  # the same, when the master goes
    read_bytes: int = 1 << 16  # taken from a connection at once
