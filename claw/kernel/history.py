"""What lies beside an output file: its index, and the files whose place it has taken.

Those are ``out.log.7``, or ``out.log.7.gz`` once it is compressed, and its index
``out.log.7.idx``. The index of ``out.log`` is ``out.log.idx``: which byte was written when,
and by which attempt. Times are seconds since the epoch, offsets bytes of the file::

    <time> <offset>
    <time> <offset> begin <number> <run> <attempt>
    <time> <offset> start <run> <attempt>
    <time> <offset> exit <run> <attempt> <pid> <exit status, or minus a signal>

What stands at an offset was written when the line was or after it, and by the attempt that
began last. The first line names the number that the file gets when another takes its place.
Nobody may rely on an index: on a full disk lines are missing, or torn.
"""

from claw.kernel import files

INTERVAL_S = 1.0
"""Marks aside an index has at most one line in so many seconds: so exact are its times."""


def rotated(path: str) -> dict[int, list[str]]:
    """Return the paths of what is kept of an output file's predecessors, by number.

    With each its index and, once it is compressed, its other name.

    Raises:
        OSError: The folder cannot be read.
    """
    folder, _, name = path.rpartition("/")
    found: dict[int, list[str]] = {}
    for other in files.names_in(folder):
        if other.startswith(f"{name}."):
            word = other[len(name) + 1 :].partition(".")[0]
            if word.isdecimal():
                found.setdefault(int(word), []).append(f"{folder}/{other}")
    return found


def next_number(path: str, number: int = 0) -> int:
    """Return a number that no predecessor has, and that is not below ``number``.

    Raises:
        OSError: The folder cannot be read.
    """
    return max(number, max(rotated(path), default=0) + 1)


def prune(path: str, last: int) -> None:
    """Remove the predecessors up to a number.

    Raises:
        OSError: One cannot be removed.
    """
    for number, others in rotated(path).items():
        if number <= last:
            for other in others:
                files.remove(other)


def number_in(index: str) -> tuple[int, float]:
    """Return what a file's index says that it will be called, and when it was begun.

    Zeros where it does not.
    """
    words = files.head_of(index, _HEADER_BYTES).split(None, _NUMBER + 1)
    if len(words) <= _NUMBER or words[_NUMBER - 1] != b"begin":
        return 0, 0.0
    try:
        return int(words[_NUMBER]), float(words[0])
    except ValueError:
        return 0, 0.0


_HEADER_BYTES = 256
_NUMBER = 3  # which word of the first line
