"""The journal of one supervisor: an append-only file that is the truth about execution.

The completion marker of an attempt is its ``exited`` line, on disk before anyone is told.
The child appends its own ``started`` line just before exec, so two processes may append;
each line is one write to a descriptor opened for appending.
"""

from claw.kernel import files, ticks
from claw.wire import supervision
from claw.wire.supervision import Message


class Spool:
    """Folder ``state/spool/<sid>``: ``journal`` and ``lock``."""

    __slots__ = ("folder", "journal_fd", "journal_path", "size")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.journal_path = f"{folder}/journal"
        self.journal_fd = -1
        self.size = 0

    def open(self) -> list[Message]:
        """Open the journal for appending and return the lines that it holds.

        A torn last line, of a writer that was killed, is ended first.
        """
        self.journal_fd = files.open_append(self.journal_path)
        self.mend()
        data = files.read_all(self.journal_path)
        self.size = len(data)
        messages = (supervision.decode(line) for line in data.splitlines())
        return [message for message in messages if message is not None]

    def mend(self) -> None:
        """End a torn last line: of a writer that was killed, or found the disk full.

        Raises:
            OSError: It is still full.
        """
        if not files.ends_with_newline(self.journal_path):
            files.append(self.journal_fd, b"\n")

    def append(self, *lines: Message, durable: bool) -> None:
        """Append stamped lines in one write, and on disk before return when ``durable``.

        Raises:
            OSError: ENOSPC, EIO: some of it may be there; the next call ends a torn line.
        """
        self.mend()
        files.append(self.journal_fd, b"".join(supervision.encode(line) for line in lines))
        if durable:
            files.sync_data(self.journal_fd)
        self.note_growth()

    def note_growth(self) -> None:
        """Take in what the child has appended."""
        self.size = files.size_of(self.journal_fd)


def line(ev: str, **values: object) -> Message:
    """Return a journal line with its wall time and boot time, both in seconds."""
    return {"ev": ev, "at": ticks.wall(), "b": ticks.boottime(), **values}
