"""An output file, the index beside it, and what it is replaced by when it is large or old.

A service's is there as soon as it begins; that of another job is made when a run prints its
first byte, since many print nothing.

``out.log`` becomes ``out.log.7``, and ``out.log.idx`` becomes ``out.log.7.idx``; the number
grows for ever and a rotated file is never renamed again, so no reader loses its place. The
order of the steps lets a successor see how far a killed supervisor got: the index names the
number that its file will have. `claw.kernel.history` has its lines.
"""

from claw.kernel import files, history, ticks
from claw.kernel.bare import os
from claw.wire.supervision import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_LINE_BYTES = 1 << 20
"""A line that goes on for so long past a file's limit is cut in two."""
NO_LIMIT_BYTES = 1 << 62


class OutputFile:
    """One output file. What goes wrong with it is seen in ``fd``: -1 while it is not open.

    Attributes:
        base: Where the attempt's output begins; None: it is not known.
        size: Bytes in it, and where the descriptor stands.
        due: When `note` wants to be called again, monotonic time.
    """

    __slots__ = (
        "_begun", "_by", "_index", "_inode", "_is_due", "_is_torn", "_is_wanted", "_launch",
        "_limit", "_mark", "_number", "_path", "_tell", "base", "due", "fd", "size",
    )  # fmt: skip

    def __init__(self, path: str, launch: Launch, tell: "Callable[[str], None]") -> None:
        self._path = path
        self._index = f"{path}.idx"
        self._launch = launch
        self._tell = tell  # of each file that has been replaced
        self._inode: tuple[int, int] | None = None
        self._number = 0  # what it will be called; 0: nothing tells
        self._begun = 0.0
        self._by = f"{launch.run} {launch.attempt}"
        self._mark = ""
        self._limit = 0
        self._is_due = False  # by its age
        self._is_torn = False  # the index may end within a line
        self._is_wanted = False  # something of it is to be kept, or is there
        self.base: int | None = None
        self.fd = -1
        self.size = 0
        self.due = 0.0

    def resume(self) -> None:
        """Open it if it is to be there now: of a service, or left by a predecessor."""
        is_there = files.exists(self._path) or files.exists(self._index)
        self._is_wanted = is_there or self._launch.is_service
        if self._is_wanted:
            self.open()

    def open(self) -> None:
        """Open it at its end, after finishing what a predecessor may have begun."""
        self.close()
        try:
            self._recognize()
            self.fd = self._open()
        except OSError:
            return
        self._inode = files.inode_of(self.fd)
        self.size = files.size_of(self.fd)
        self._limit = self._launch.log_size or NO_LIMIT_BYTES
        self._is_due = False

    def _open(self) -> int:
        try:
            return files.open_output(self._path, self._launch.log_mode)
        except FileNotFoundError:
            files.make_folder(files.folder_of(self._path), 0o750)
            return files.open_output(self._path, self._launch.log_mode)

    def close(self) -> None:
        """Close it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _recognize(self) -> None:
        """Learn from the index which file this is; an index left behind follows its file."""
        number, begun = history.number_in(self._index)
        if number and self._is_taken(number):
            files.move(self._index, f"{self._path}.{number}.idx")
            number, begun = number + 1, 0.0
        self._number = max(self._number, number)
        self._begun = begun or ticks.wall()

    def _is_taken(self, number: int) -> bool:
        path = f"{self._path}.{number}"
        return files.exists(path) or files.exists(f"{path}.gz")

    # -- room ------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether output waits for room on the disk, instead of being dropped."""
        return self._launch.log_on_full == "block"

    @property
    def room(self) -> int:
        """How many bytes may follow before it is replaced."""
        return 0 if self._is_due else self._limit - self.size

    @property
    def is_at_a_break(self) -> bool:
        """Whether it ends with a line, or its last line has become too long."""
        overhang = self.size - self._limit
        return (
            overhang > LONGEST_LINE_BYTES or files.read_at(self.fd, self.size - 1, 1) == b"\n"
        )

    def rotate(self) -> None:
        """Put a new file in its place; where that fails it goes on for its size once more."""
        try:
            self._replace()
        except OSError:
            self._is_due = False
            self._limit += self._launch.log_size
            if self.fd < 0:
                self.open()

    def _replace(self) -> None:
        number = self._number
        if not number or self._is_taken(number):
            number = history.next_number(self._path, number)
        files.move(self._path, f"{self._path}.{number}")
        self.close()
        if files.exists(self._index):
            files.move(self._index, f"{self._path}.{number}.idx")
        self._number = number + 1
        if self.base is not None:
            self.base -= self.size
        self.size = 0
        history.prune(self._path, number - self._launch.log_keep)
        self._write_index("")
        self.open()
        self._tell(self._path)

    @property
    def extent(self) -> "list[int] | None":
        """Where the attempt's output begins and ends; None: it is not known.

        The beginning is negative when some of it lies in files that have been replaced.
        """
        return None if self.base is None else [self.base, self.size]

    # -- the index -------------------------------------------------------------------

    def begin(self, attempt: int, *, at_once: bool) -> None:
        """Mark where an attempt begins: at once, or when it writes something."""
        self._by = f"{self._launch.run} {attempt}"
        self._mark = f" start {self._by}"
        self.due = 0.0
        if at_once:
            self.note(ticks.monotonic())

    def end(self, pid: int, status: int | None) -> None:
        """Mark where an attempt has ended, if anything of it is there."""
        if not self._mark and self.fd >= 0:
            self._write_index(f"{self._place()} exit {self._by} {pid} {status}\n")

    def note(self, now: float) -> None:
        """Note the time of what is written next, and look after the file.

        Args:
            now: Monotonic time in seconds.
        """
        self.due = now + history.INTERVAL_S
        self._is_wanted = True
        self.tend()
        if self.fd < 0:
            return
        self._write_index(f"{self._place()}{self._mark}\n")
        self._mark = ""

    def tend(self) -> None:
        """Open it again where it was moved, cut, or could not be opened; see to its age."""
        if self.fd < 0:
            if self._is_wanted:
                self._open_late()
            return
        is_moved = files.inode_at(self._path) != self._inode
        if is_moved or files.size_of(self.fd) < self.size:
            self.base = None
            self._forget_index()
            self.open()
        age_s = self._launch.log_age_s
        self._is_due = bool(age_s and self.size and ticks.wall() - self._begun >= age_s)
        if self._is_due and self.is_at_a_break:
            self.rotate()

    def _open_late(self) -> None:
        self.open()
        if self._mark and self.base is not None:  # nothing of the attempt is in a file
            self.base = self.size

    def _forget_index(self) -> None:
        """Remove the index of another file; one that stays may tell wrong times."""
        try:
            files.remove(self._index)
        except OSError:
            return

    def _place(self) -> str:
        return f"{ticks.wall():.3f} {self.size}"

    def _write_index(self, text: str) -> None:
        """Append to the index; one that cannot be written is done without."""
        try:
            fd = files.open_append(self._index, self._launch.log_mode)
        except OSError:
            return
        try:
            if files.size_of(fd) == 0:
                self._number = self._number or history.next_number(self._path)
                text = f"{self._place()} begin {self._number} {self._by}\n{text}"
            files.append(fd, ("\n" * self._is_torn + text).encode())
            self._is_torn = False
        except OSError:
            self._is_torn = True
        finally:
            os.close(fd)
