r"""Bytes to whole lines, whatever way the bytes are cut.

Sans-I/O, and used on every socket of claw: master, client and supervisors. A line longer
than the limit is never held in memory: it is reported once, in its place among the
others, and what is left of it is dropped up to the next ``\n``.
"""

MAX_LINE_BYTES = 1 << 20
"""Longest line of the control protocol, without its end (1 MiB)."""


class LineSplitter:
    """Collects bytes and yields the lines that are complete.

    The lines that come out are the same for every way of cutting the same bytes.
    """

    __slots__ = ("_dropping", "_held", "_limit")

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._held = bytearray()
        self._limit = limit
        self._dropping = False

    @property
    def is_mid_line(self) -> bool:
        """Whether the bytes so far end within a line."""
        return self._dropping or bool(self._held)

    def feed(self, data: bytes) -> list[bytes | None]:
        r"""Take some bytes and return the lines they complete, without their ``\n``.

        Returns:
            The lines in order; None stands for one longer than the limit.
        """
        *ends, rest = data.split(b"\n")
        lines: list[bytes | None] = []
        for end in ends:
            self._hold(end, lines)
            if not self._dropping:
                lines.append(bytes(self._held))
            self._held.clear()
            self._dropping = False
        self._hold(rest, lines)
        return lines

    def _hold(self, part: bytes, lines: list[bytes | None]) -> None:
        """Keep a piece of the present line, or report that the line is too long."""
        if self._dropping:
            return
        if len(self._held) + len(part) > self._limit:
            self._dropping = True
            self._held.clear()
            lines.append(None)
        else:
            self._held += part
