"""Makes one backup. Blocking: for a thread."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import claw
from claw.errors import RequestError, StoreError
from claw.kernel import causes, files
from claw.master.backup.archive import Writer
from claw.master.backup.contents import Source, gather
from claw.master.backup.places import Place
from claw.model import backups
from claw.model.backups import Backup

_NEW = ".copy.db"


def make(
    source: Source, place: Place, now: datetime, tell: Callable[[int], None] = lambda _: None
) -> Backup:
    """Make a backup and return it.

    Args:
        source: What of.
        place: Where it goes.
        now: The time, which names it.
        tell: Called with how many bytes more have been taken in.

    Raises:
        RequestError: It cannot be made; nothing is left of it.
    """
    name = backups.name_of(now, claw.__version__)
    draft = ""
    try:
        draft = place.draft(name)
        files.make_folder(source.home.backups)
        _remove_drafts(os.path.dirname(draft))  # noqa: PTH120
        about = _about(source, now)
        with contextlib.ExitStack() as held:
            with Writer(draft, about, tell) as writer:
                held.enter_context(_held(writer.fileno()))
                writer.stamp(now.timestamp())
                gather(source, writer, f"{source.home.backups}/{_NEW}")
                about["left_out"] = source.left_out
            size = files.size_at(draft)
            place.keep(name)
    except (OSError, StoreError) as error:
        raise RequestError(
            f"no backup could be made in {place.shown}: {causes.reason(error)}",
            hint="see that its disk has room and can be written",
        ) from error
    finally:
        if draft:
            files.remove(draft)
    made = backups.read_name(name, size)
    assert made is not None  # noqa: S101  its name is one
    return made


def _remove_drafts(folder: str) -> None:
    """Remove what backups have left in a folder that were killed; who makes one holds it."""
    for name in files.names_in(folder):
        path = f"{folder}/{name}"
        if backups.is_draft(name) and not files.is_locked(path):
            files.remove(path)


@contextlib.contextmanager
def _held(file: int) -> Iterator[None]:
    """Hold the lock of an open file, also once that is closed.

    By its descriptor, not its name: what somebody has taken away meanwhile is not made anew.
    """
    fd = os.dup(file)
    try:
        files.try_lock(fd)
        yield
    finally:
        os.close(fd)


def _about(source: Source, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(),
        "version": claw.__version__,
        "host": socket.gethostname(),
        "home": source.home.state,
        "config": source.config,
        "config_is_folder": os.path.isdir(source.config),  # noqa: PTH112
        "left_out": [],
    }
