"""Puts what a child is given to read where it finds it: run/job/<run>.<n>/, 0700, its user's.

The files are made while the folder is still claw's own, so that nobody can have a name in it
lead elsewhere; then all of it becomes the user's.
"""

import logging
import os
from collections.abc import Sequence
from functools import partial

import trio

from claw.kernel import files, owned
from claw.master.supervision import results
from claw.master.supervision.results import Identity
from claw.model.handout import Handout, Slice
from claw.model.home import Home
from claw.model.run import Run

_LOG = logging.getLogger("claw.handing")
_MOST_HERE = 64 << 10
"""More bytes than these are copied in a thread: 1 MiB takes 1.4 ms from the page cache, 64 KiB
no longer than the thread does."""


async def hand(
    home: Home, run: Run, identity: Identity | None, handed: Sequence[Handout]
) -> dict[str, str]:
    """Do as `place` does, and hold up nothing else meanwhile.

    Raises:
        OSError: See there.
    """
    if sum(map(_size, handed)) <= _MOST_HERE:
        return place(home, run, identity, handed)
    return await trio.to_thread.run_sync(partial(place, home, run, identity, handed))


def _size(one: Handout) -> int:
    return one.content.size if isinstance(one.content, Slice) else len(one.content)


def place(
    home: Home, run: Run, identity: Identity | None, handed: Sequence[Handout]
) -> dict[str, str]:
    """Make the files of a run's present attempt, and return what tells its child of them.

    What was to be handed out and is gone has no file and no variable; the log says so.

    Args:
        home: The home.
        run: Claimed.
        identity: Uid, gid and groups of the child; None: as claw itself.
        handed: The files.

    Raises:
        OSError: They cannot be made.
    """
    if not handed:
        return {}
    folder = f"{home.jobs}/{run.id}.{run.attempt}"
    results.discard(folder)  # of the same attempt, which was not launched then
    results.make_way(home)
    files.make_folder(folder)
    owner = None if identity is None or identity[0] == os.geteuid() else identity[:2]
    env = {}
    for one in handed:
        content = _content(home, one)
        if content is None:
            _LOG.warning(
                "run %s: %s is not set: what it is to name is gone", run.id, one.variable
            )
            continue
        path = f"{folder}/{one.name}"
        owned.create(path, content, owner)
        env[one.variable] = path
    if owner is not None:
        os.chown(folder, *owner, follow_symlinks=False)
    return env


def _content(home: Home, one: Handout) -> bytes | None:
    """Return what a file is to hold; None: that is gone, which is not to look like nothing."""
    part = one.content
    if not isinstance(part, Slice):
        return part
    data = files.read_piece(f"{home.log}/{part.path}", part.begin, part.size)
    if part.size and not data:
        return None
    return data.partition(b"\n")[2] or data if part.from_line else data
