"""The child's output: pipe to file, inside the kernel, with no byte in between.

Bytes are moved by splice(2), so that a supervisor that is killed holds none of them. Near
a file's limit tee(2) shows where its last line ends without taking anything. On a full disk
the job goes on: what does not fit is taken out of the pipe and counted, or, where the job
wants that, waits in the pipe until there is room.
"""

import errno

from claw.kernel import files, pipes, ticks
from claw.kernel.bare import os
from claw.supervisor.loop import Loop
from claw.supervisor.outfile import OutputFile

PIPE_BYTES = 1 << 16
"""Room in a pipe at first: what it has anyway, and a user's share (pipe(7)) is bounded."""
BUSY_PIPE_BYTES = 1 << 20
"""Room in a pipe that has been found half full."""
CHUNK_BYTES = 1 << 20
COPY_BYTES = 1 << 16
RETRY_S = 0.5
"""Pause before a full disk is tried again by output that waits for it."""
_ROUNDS = 16


class Stream:
    """One pipe and the file that it flows into.

    Attributes:
        file: Where its bytes go.
        dropped: Bytes that found no room, since the last `take_dropped`.
        retry_b: When waiting output is tried again, boot time; None: nothing waits.
    """

    __slots__ = (
        "_is_busy", "_loop", "dropped", "file", "reading", "retry_b", "writing",
    )  # fmt: skip

    def __init__(self, pipe: tuple[int, int], file: OutputFile, loop: Loop) -> None:
        self.reading, self.writing = pipe
        self.file = file
        self._loop = loop
        self._is_busy = False
        self.dropped = 0
        self.retry_b: float | None = None

    def open(self) -> None:
        """Pump whenever there is something in the pipe; the file is opened if it is there."""
        self.file.resume()
        self._loop.watch(self.reading, self.pump)

    def flow_into(self, file: OutputFile) -> None:
        """Flow into another run's file from now on; what was before is drained."""
        self.file.close()
        self.file = file

    def rest(self, until_b: float) -> None:
        """Leave in the pipe what comes, until `retry` is called."""
        self._loop.forget(self.reading)
        self.retry_b = until_b

    def retry(self, now_b: float) -> None:
        """Go on with what waited for room, when it is time."""
        if self.retry_b is not None and now_b >= self.retry_b:
            self.retry_b = None
            self._loop.watch(self.reading, self.pump)

    def pump(self) -> bool:
        """Move what is in the pipe, at most a few rounds; True when that is all for now."""
        now = ticks.monotonic()
        if now >= self.file.due:
            self.file.note(now)
        return any(not self._move() for _ in range(_ROUNDS))

    def drain(self, *, is_patient: bool) -> None:
        """Move all that the pipe holds now; a writer that goes on cannot hold this up.

        Args:
            is_patient: What waits for room may go on waiting; else it is dropped.

        Raises:
            OSError: It waits: to be called again.
        """
        for _ in range(_ROUNDS):
            if not pipes.waiting(self.reading):
                return
            self.pump()
            if self.retry_b is None:
                continue
            if is_patient:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            while self._drop():
                continue

    def _move(self) -> bool:
        """Move once; False when that is all for now."""
        try:
            return self._flow()
        except OSError:
            return self._refuse()

    def _flow(self) -> bool:
        file = self.file
        if file.fd < 0:
            return self._refuse()
        count = min(CHUNK_BYTES, file.room)
        if count <= 0:
            if not pipes.waiting(self.reading):
                return False
            ahead = pipes.peek(self.reading, COPY_BYTES)
            if file.is_at_a_break or not ahead:
                file.rotate()
                return True
            count = ahead.find(b"\n") + 1 or len(ahead)
        return self._splice(count)

    def _splice(self, count: int) -> bool:
        file = self.file
        try:
            moved = files.splice(self.reading, file.fd, count) or 0
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return self._copy(count)
        file.size += moved
        if moved >= PIPE_BYTES // 2 and not self._is_busy:
            self._is_busy = True
            files.enlarge_pipe(self.reading, BUSY_PIPE_BYTES)
        return moved > 0

    def _copy(self, count: int) -> bool:
        """Read and write, where splice(2) is not known: a kill between them loses bytes."""
        data = files.discard(self.reading, min(COPY_BYTES, count)) or b""
        try:
            files.append(self.file.fd, data)
            self.file.size += len(data)
        except OSError:
            self.dropped += len(data)
        return bool(data)

    def _refuse(self) -> bool:
        """There is no room: drop, or let the pipe fill up until there is."""
        if not self.file.waits:
            return self._drop()
        self._loop.forget(self.reading)
        self.retry_b = ticks.boottime() + RETRY_S
        return False

    def _drop(self) -> bool:
        data = files.discard(self.reading, COPY_BYTES)
        self.dropped += len(data or b"")
        return bool(data)

    def take_dropped(self) -> int:
        """Return the bytes dropped since the last call."""
        count, self.dropped = self.dropped, 0
        return count
