"""Resource limits of processes. See getrlimit(2)."""

import resource


def raise_open_files() -> tuple[int, int]:
    """Raise the soft limit of open files to the hard one; return both as they were."""
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    restore_open_files((old[1], old[1]))
    return old


def restore_open_files(old: tuple[int, int]) -> None:
    """Give a child the limit that claw itself was started with."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
    except (OSError, ValueError):
        return
