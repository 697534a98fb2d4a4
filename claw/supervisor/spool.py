"""The journal of one supervisor: an append-only file that is the truth about execution.

The completion marker of an attempt is its ``exited`` line, on disk before anyone is told.
The child appends its own ``started`` line just before exec, so two processes may append;
each line is one write to a descriptor opened for appending.
"""

from claw.kernel import files
from claw.kernel.bare import os
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 16


class Spool:
    """Folder ``state/spool/<sid>``: ``journal`` and ``lock``.

    Attributes:
        folder: Its path.
        journal_fd: The open journal.
        journal_path: Its path.
        size: Bytes in it, as far as is known.
    """

    __slots__ = (
        "_has_others", "_is_sure", "_owed", "_whole", "folder", "journal_fd", "journal_path",
        "size",
    )  # fmt: skip

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.journal_path = f"{folder}/journal"
        self.journal_fd = -1
        self.size = 0
        self._has_others = False  # what was forked with it may append to it too
        self._is_sure = False  # of its size, but for what others append
        self._whole = 0  # so far it is known to hold whole lines
        self._owed: list[Message] = []  # what could not be written when it was true

    def open(self) -> None:
        """Open the journal for appending and reading; its name is made durable."""
        self.journal_fd = files.open_append(self.journal_path)
        if not files.size_of(self.journal_fd):
            files.sync_folder(self.folder)

    def lend(self) -> int:
        """Return the journal's descriptor for another process, which will append to it too."""
        self._has_others = True
        return self.journal_fd

    def read(self) -> "Iterator[Message]":
        """Yield the lines that the journal holds, torn ones left out.

        A service that fails for weeks has a long one: no more than a line is in memory.
        """
        lines = LineSplitter(supervision.LINE_LIMIT)
        offset = 0
        while data := files.read_at(self.journal_fd, offset, _CHUNK_BYTES):
            offset += len(data)
            for line in lines.feed(data):
                message = supervision.decode(line or b"")
                if message is not None:
                    yield message

    @property
    def is_in_debt(self) -> bool:
        """Whether lines are owed."""
        return bool(self._owed)

    @property
    def is_settled(self) -> bool:
        """Whether all that is there, and nothing else, is known to be there."""
        return self._is_sure and not (self._owed or self._has_others)

    def owe(self, message: Message) -> None:
        """Keep a line to be written before the next one: now the disk would refuse it."""
        self._owed.append(message)

    def append(self, message: Message, *, durable: bool) -> None:
        """Append a stamped line, and have it on disk before return when ``durable``.

        Raises:
            OSError: ENOSPC, EIO: some of it may be there; the next call ends a torn line.
        """
        self._end_torn()
        self._put([*self._owed, message])
        if durable:
            files.sync_data(self.journal_fd)

    def _put(self, messages: list[Message]) -> None:
        """Append lines with one write; what of them is written is not owed any more."""
        lines = [supervision.encode(message) for message in messages]
        rest = data = b"".join(lines)
        self._is_sure = False  # some of it may be written, and the rest refused
        try:
            while rest:
                rest = rest[os.write(self.journal_fd, rest) :]
        finally:
            whole = data[: len(data) - len(rest)].count(b"\n")
            del self._owed[:whole]
        self._is_sure = True
        self.size += len(data)  # and what another has written, which is seen next time
        self._whole = self.size

    def mend(self) -> None:
        """End a torn last line, of a writer that was killed or found the disk full.

        What is owed comes next, so that after this the journal tells all that happened.

        Raises:
            OSError: The disk is still full.
        """
        self._end_torn()
        if self._owed:
            self._put(self._owed)

    def _end_torn(self) -> None:
        self.note_growth()
        if self.size and self.size != self._whole:
            if files.read_at(self.journal_fd, self.size - 1, 1) != b"\n":
                files.append(self.journal_fd, b"\n")
                self.size += 1
            self._whole = self.size

    def note_growth(self) -> None:
        """Take in what others have appended, or how far a line came that was refused."""
        if self._has_others or not self._is_sure:
            self.size = files.size_of(self.journal_fd)
            self._is_sure = True
