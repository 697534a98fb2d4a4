"""A process that is short of descriptors."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def free_descriptors(pid: int, count: int) -> Iterator[None]:
    """Leave a process so many descriptors to open."""
    listed = list(Path(f"/proc/{pid}/fd").iterdir())
    there = {int(path.name) for path in listed if path.is_symlink()}  # not the listing's own
    free = [fd for fd in range(max(there) + count + 2) if fd not in there]
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[count], hard))
    try:
        assert sum(fd < free[count] for fd in free) == count
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
