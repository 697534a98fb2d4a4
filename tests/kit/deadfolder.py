"""A folder whose file system never answers, as one on a server that has gone."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)
_MNT_DETACH = 2


@contextlib.contextmanager
def dead_folder(path: Path) -> Iterator[None]:
    """Mount a FUSE that nobody serves (mount(2), fuse(4)); afterwards all that hang go on."""
    try:
        fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"no FUSE: {error}")
    told = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
    if _LIBC.mount(b"dead", os.fsencode(path), b"fuse", 0, told) != 0:
        os.close(fd)
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        _LIBC.umount2(os.fsencode(path), _MNT_DETACH)
        os.close(fd)
