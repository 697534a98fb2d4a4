"""Rotated output, compressed: whole under its new name, or not there.

Plain blocking file access. Whatever is killed here leaves the rotated file, or both it and
its copy, and perhaps a begun copy: the next look takes that up.
"""

import contextlib
import gzip
import os
import re
import shutil

from claw.master.output.follow import parse_name
from claw.master.output.parts import open_plain

_CHUNK_BYTES = 1 << 20
_LEVEL = 6
_ROTATED = re.compile(r".+\.\d+")
_BEGUN = re.compile(r".+\.\d+\.gz\.tmp")


def rotated_in(folder: str) -> list[str]:
    """Return the rotated files of a job's folder that are not compressed, oldest first."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.stat(follow_symlinks=False).st_mtime, entry.path)
                for entry in entries
                if _ROTATED.fullmatch(entry.name) and parse_name(entry.name) is not None
            ]
    except OSError:
        return []
    return [path for _written, path in sorted(found)]


def clear_begun(folder: str) -> None:
    """Remove copies that were begun and never finished."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _BEGUN.fullmatch(entry.name):
                os.unlink(entry.path)  # noqa: PTH108


def compress(path: str) -> None:
    """Put a compressed copy in the place of a rotated file.

    Raises:
        OSError: No room, or no permission; the file is as it was.
    """
    target = f"{path}.gz"
    if not os.path.lexists(target):
        source = open_plain(path)
        if source is None:
            return  # removed meanwhile
        try:
            _copy(source, f"{target}.tmp")
        finally:
            os.close(source)
        os.rename(f"{target}.tmp", target)  # noqa: PTH104
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:  # it was one too many to keep, and so is the copy
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)  # noqa: PTH108


def _copy(source: int, path: str) -> None:
    facts = os.fstat(source)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with (
            open(source, "rb", closefd=False) as plain,
            os.fdopen(os.open(path, flags, facts.st_mode & 0o777), "wb") as file,
        ):
            packing = gzip.GzipFile(
                filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0
            )
            with packing:
                shutil.copyfileobj(plain, packing, _CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
            os.utime(file.fileno(), ns=(facts.st_atime_ns, facts.st_mtime_ns))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108
        raise
