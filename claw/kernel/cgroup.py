"""Control groups, as folders: joined, looked into, killed. See cgroups(7).

What is needed of them is the same in version 2 and version 1: ``cgroup.procs`` lists the
processes and takes in another. ``cgroup.kill`` is version 2's alone.
"""

import errno

from claw.kernel import files
from claw.kernel.bare import os

_NONE = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.EOPNOTSUPP)
"""Not there, or a threaded group: its processes are those of the group above it, cgroups(7)."""
_LINKS_OF_AN_EMPTY_ONE = 2
"""Of a folder: its name and its dot; each folder in it has one more (fs/kernfs/inode.c)."""


def make(folder: str, settings: dict[str, str]) -> None:
    """Make a group, or find it made, and write its settings.

    Raises:
        OSError: It cannot be made, or a setting is refused.
    """
    files.make_folder(folder, 0o755)
    for name, value in settings.items():
        write(f"{folder}/{name}", value)


def write(path: str, value: str) -> None:
    """Write to one of the kernel's files.

    Raises:
        OSError: The kernel refuses the value, or has no such file.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


def join(folder: str) -> None:
    """Move this process into a group, and all that it will fork.

    Raises:
        OSError: It may not.
    """
    write(f"{folder}/cgroup.procs", "0")


def members(folder: str) -> list[int]:
    """Return the processes of a group and of those below it; [] when it has gone.

    Raises:
        OSError: EMFILE, ENOMEM, ...: nobody knows who is in there.
    """
    try:
        found = [int(pid) for pid in files.read_all(f"{folder}/cgroup.procs").split()]
        for name in _groups_in(folder):
            found += members(f"{folder}/{name}")
    except OSError as error:
        if error.errno in _NONE:
            return []
        raise
    return found


def kill(folder: str) -> bool:
    """Send SIGKILL to all processes of a group, at once; False: the kernel cannot do that."""
    try:
        write(f"{folder}/cgroup.kill", "1")
    except OSError:
        return False
    return True


def remove(folder: str) -> None:
    """Remove a group and those below it; one that has processes stays."""
    try:
        os.rmdir(folder)
    except OSError:  # it has groups in it, or processes, or has gone
        pass
    else:
        return
    try:
        for name in _groups_in(folder):
            remove(f"{folder}/{name}")
    except OSError:
        return
    remove_empty(folder)


def remove_empty(folder: str) -> None:
    """Remove a group that has neither processes nor groups in it; another stays."""
    try:
        os.rmdir(folder)
    except OSError:
        return


def remove_above(folder: str) -> None:
    """Remove the empty group that a group lay in, unless it hands controllers on."""
    above = files.folder_of(folder)
    try:
        if files.read_all(f"{above}/cgroup.subtree_control").strip():
            return
    except OSError:  # version 1, where every group has the controllers of its hierarchy
        pass
    remove_empty(above)


def count(folder: str, name: str, key: str) -> int:
    """Return the number beside a key in a file of a group; 0 when there is none."""
    try:
        words = files.read_all(f"{folder}/{name}").split()
    except OSError:
        return 0
    known = dict(zip(words[::2], words[1::2], strict=False))
    return int(known.get(key.encode(), 0))


def _groups_in(folder: str) -> list[str]:
    if os.stat(folder).st_nlink == _LINKS_OF_AN_EMPTY_ONE:
        return []
    return [name for name in os.listdir(folder) if files.is_folder(f"{folder}/{name}")]
