"""Whether the audit log is whole, by its files alone: no master is asked."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from claw.model import auditchain

NAME = "audit.log"
"""The file that is written to; others hold what was before (`claw.master.control.audit`)."""

DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a packed file raises that is no gzip file, or not a whole one."""


def verify_all(folder: str) -> Iterator[str]:
    """Yield what is wrong with the audit log of a home, as `unseen` has it, in words."""
    yield from (one.text for one in unseen(folder))


def unseen(folder: str) -> Iterator[auditchain.Wrong]:
    """Yield what is wrong with the audit log of a home, and that nobody has seen to.

    Nothing when it is whole, or not begun.

    Args:
        folder: Its log folder.

    Raises:
        OSError: It cannot be read.
    """
    names = [name for name in files_in(folder) if os.path.getsize(f"{folder}/{name}")]  # noqa: PTH202
    if names:
        links = [_read(f"{folder}/{name}") for name in names]
        yield from auditchain.verify(links, newest=names[-1])


def files_in(folder: str) -> list[str]:
    """Return the names of the files of the audit log, oldest first as their names go."""
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return []
    found = [name for name in names if name.startswith("audit") and ".log" in name]
    return sorted(found, key=lambda name: (name == NAME, name))


def opened(path: str) -> gzip.GzipFile | BufferedReader:
    """Open a file of the audit log, which somebody may have packed (gzip(1)).

    Raises:
        OSError: It cannot be opened.
    """
    return gzip.open(path) if path.endswith(".gz") else open(path, "rb")  # noqa: PTH123


def _read(path: str) -> auditchain.Link:
    with opened(path) as file:
        try:
            return auditchain.read(Path(path).name, file)
        except DAMAGES:
            pass
    with open(path, "rb") as raw:  # noqa: PTH123
        digest = hashlib.file_digest(raw, "sha256").hexdigest()
    return auditchain.damaged(Path(path).name, digest)
