"""``events``."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from claw.cli import terminal
from claw.client.follow import follow_events
from claw.errors import NotFoundError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_PAGE = 500
FORGOTTEN = "events up to {} are not kept any more (retention.events)"


def events(context: Context) -> int:
    """Show stored events, and with -f those that follow."""
    args = context.args
    mark = CursorFile(args["cursor_file"])
    cursor = args["from"] if args["from"] is not None else mark.read()
    chosen = {name: args[name] for name in ("job", "type") if args[name] is not None}
    if args["follow"]:
        _tell_of_none(context, chosen)
        stream = follow_events(context.home, cursor, chosen, terminal.note, on_start=mark.write)
        with contextlib.closing(stream):
            for event in stream:
                _show(context, event, mark)
        return 0
    _list(context, cursor, chosen, mark)
    return 0


def _tell_of_none(context: Context, chosen: dict[str, str]) -> None:
    """Tell of a job that is not there: its name may be misspelt, or it is still to be added."""
    if "job" in chosen:
        try:
            context.call("event.list", filter={"job": chosen["job"]}, limit=1)
        except NotFoundError as error:
            terminal.note(f"{error.message}: waiting for one")


def _list(
    context: Context, cursor: int | None, chosen: dict[str, str], mark: CursorFile
) -> None:
    while True:
        asked: dict[str, Any] = {"from": cursor, "filter": chosen or None, "limit": _PAGE}
        page = context.call("event.list", **asked)
        if page.get("forgotten_through"):
            terminal.note(FORGOTTEN.format(page["forgotten_through"]))
        for event in page["events"]:
            _show(context, event, mark)
        cursor = page["next"]
        if cursor is None:
            return


def _show(context: Context, event: dict[str, Any], mark: CursorFile) -> None:
    """Show an event and keep its cursor; ^C comes before both or after both."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        context.show_line(event)
        mark.write(event["cursor"])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


class CursorFile:
    """A file with the cursor of the last event that was shown.

    It is written after the event, so that a reader that is killed in between sees one
    again rather than never.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | None) -> None:
        self._path = None if path is None else Path(path)

    def read(self) -> int | None:
        """Return the cursor kept; None when there is no file yet, or none is wanted.

        Raises:
            UsageError: The file holds something else.
        """
        if self._path is None or not self._path.exists():
            return None
        text = self._path.read_text(encoding="utf-8", errors="replace").strip()
        if not text.isascii() or not text.isdigit():
            raise UsageError(
                f"{self._path} holds no cursor", hint="name another file, or remove it"
            )
        return int(text)

    def write(self, cursor: int) -> None:
        """Keep a cursor, in one step: the file holds the old one or the new one."""
        if self._path is None:
            return
        passing = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        passing.write_text(f"{cursor}\n", encoding="ascii")
        passing.replace(self._path)
