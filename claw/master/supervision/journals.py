"""Reads journals in pieces, and long ones in another thread: a disk may take its time."""

from collections.abc import Awaitable, Callable

import trio

from claw.kernel import files
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

PIECE_BYTES = 1 << 20
"""The most that is read and applied at once: others want the writer too."""
_AT_ONCE_BYTES = 1 << 16

Apply = Callable[[str, bytes, int], Awaitable[int]]
"""Apply a piece of a supervisor's journal, found at an offset; return where to read on."""


async def apply_from(path: str, sid: str, offset: int, apply: Apply) -> int:
    """Apply what a journal holds beyond an offset, up to its last whole line.

    Returns:
        Where to read on.
    """
    data = files.read_piece(path, offset, _AT_ONCE_BYTES)
    is_more = len(data) == _AT_ONCE_BYTES
    count = PIECE_BYTES
    while data:
        if b"\n" in data:
            offset = await apply(sid, data, offset)
        elif is_more:
            count *= 2  # one line, longer than that
        if not is_more:
            break
        data = await trio.to_thread.run_sync(files.read_piece, path, offset, count)
        is_more = len(data) == count
    return offset


class Gist:
    """What a journal says of a supervisor that is gone.

    Attributes:
        boot: Id of the boot that it began in, None when it has written nothing.
        launched: The last run that it has begun, and its attempt then.
        child: Pid and start time in clock ticks of its last child, None when none began.
        supervisors: Pid and start time of those that the last run has had.
        is_ended: Whether the end of the run is on record.
    """

    def __init__(self) -> None:
        self.boot: str | None = None
        self.launched: tuple[str, int] | None = None
        self.child: tuple[int, int] | None = None
        self.supervisors: list[tuple[int, int]] = []
        self.is_ended = False

    @property
    def has_begun(self) -> bool:
        """Whether a supervisor has written anything, which it does before it forks a child."""
        return self.boot is not None or self.child is not None

    def take_in(self, line: Message) -> None:
        """Take in one line."""
        match line.get("ev"):
            case "launch":
                self.boot = self.boot or line.get("boot")
                self.launched = str(line.get("run")), int(line.get("attempt", 0))
                self.child, self.is_ended = None, False
                self.supervisors = [_who(line)]
            case "taken_over":
                self.supervisors.append(_who(line))
            case "started" | "main":  # sd_notify(3) may have named another
                self.child = _who(line) if line["pid"] else None  # 0: nobody can tell
            case "ended":
                self.is_ended = True
            case _:
                pass


def _who(line: Message) -> tuple[int, int]:
    return int(line.get("pid") or 0), int(line.get("start") or 0)


def read_gist(path: str, offset: int = 0) -> Gist:
    """Read a journal from an offset to its end, a piece at a time."""
    gist, splitter = Gist(), LineSplitter(supervision.LINE_LIMIT)
    while data := files.read_piece(path, offset, PIECE_BYTES):
        offset += len(data)
        for line in splitter.feed(data):
            message = supervision.decode(line or b"")
            if message is not None:
                gist.take_in(message)
    return gist
