"""Files to which lines are added, one at a time and whole."""

import os
import stat

from claw.kernel import files


def add_line(path: str, line: bytes) -> None:
    """Append a line to a file, which is made if need be (0600), and make that durable.

    What a full disk has cut off before gets an end of line first.

    Raises:
        OSError: It cannot be; the path is a link, or no regular file.
    """
    fd = files.open_append(path)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is no regular file")
        is_cut = found.st_size and os.pread(fd, 1, found.st_size - 1) != b"\n"
        files.append(fd, (b"\n" if is_cut else b"") + line + b"\n")
        files.sync_data(fd)
    finally:
        os.close(fd)
