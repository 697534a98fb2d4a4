"""The child's output: pipe to file, inside the kernel, with no byte in between.

Bytes are moved by splice(2), so that a supervisor that is killed holds none of them. On a
full disk the job goes on: what does not fit is taken out of the pipe and counted.
"""

import errno

from claw.kernel import files
from claw.kernel.bare import os

PIPE_BYTES = 1 << 16
"""Room in a pipe at first: what it has anyway, and a user's share (pipe(7)) is bounded."""
BUSY_PIPE_BYTES = 1 << 20
"""Room in a pipe that has been found half full."""
CHUNK_BYTES = 1 << 20
COPY_BYTES = 1 << 16
_ROUNDS = 16


class Stream:
    """One pipe and the file that it flows into."""

    __slots__ = ("_fd", "_is_busy", "_mode", "_path", "dropped", "reading", "writing")

    def __init__(self, reading: int, writing: int, path: str, mode: int) -> None:
        self.reading = reading
        self.writing = writing
        self._path = path
        self._mode = mode
        self._fd = -1
        self._is_busy = False
        self.dropped = 0

    def open(self) -> None:
        """Open the file at its end; without one, output is dropped and counted."""
        self.close()
        try:
            files.make_folder(files.folder_of(self._path), 0o750)
            self._fd = files.open_output(self._path, self._mode)
        except OSError:
            return

    def reopen(self) -> None:
        """Try again to open a file that could not be opened."""
        if self._fd < 0:
            self.open()

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def pump(self) -> bool:
        """Move what is in the pipe, at most a few rounds; True when it is empty."""
        return any(not self._move() for _ in range(_ROUNDS))

    def drain(self) -> None:
        """Move all that the pipe holds now; a writer that goes on cannot hold this up."""
        for _ in range(_ROUNDS):
            if self.pump():
                return

    def _move(self) -> bool:
        if self._fd < 0:
            return self._drop()
        try:
            moved = files.splice(self.reading, self._fd, CHUNK_BYTES) or 0
        except OSError as error:
            return self._copy() if error.errno == errno.EINVAL else self._drop()
        if moved >= PIPE_BYTES // 2 and not self._is_busy:
            self._is_busy = True
            files.enlarge_pipe(self.reading, BUSY_PIPE_BYTES)
        return moved > 0

    def _copy(self) -> bool:
        """Read and write, where splice(2) is not known: a kill between them loses bytes."""
        data = files.discard(self.reading, COPY_BYTES)
        try:
            files.append(self._fd, data or b"")
        except OSError:
            self.dropped += len(data or b"")
        return bool(data)

    def _drop(self) -> bool:
        data = files.discard(self.reading, COPY_BYTES)
        self.dropped += len(data or b"")
        return bool(data)

    def take_dropped(self) -> int:
        """Return the bytes dropped since the last call."""
        count, self.dropped = self.dropped, 0
        return count
