"""``backup create | list | restore | prune``: by the daemon, or by clawd without one."""

from __future__ import annotations

import json
import os
import threading

from claw.cli import masters, terminal
from claw.cli.render import status
from claw.client.client import Client
from claw.errors import ClawError, ConflictError, RequestError, UnreachableError
from claw.wire import control

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from claw.cli.context import Context

_POLL_S = 0.5


def create(context: Context) -> int:
    """Make a backup."""
    with _Watched(context):
        context.show(_asked(context, "backup.create", to=_place(context, "to")))
    return 0


def list_(context: Context) -> int:
    """List the backups."""
    context.show(_asked(context, "backup.list", to=_place(context, "from")))
    return 0


def prune(context: Context) -> int:
    """Remove those that have served."""
    args = context.args
    asked = {"keep_s": args["keep"], "dry_run": args["dry_run"]}
    context.show(_asked(context, "backup.prune", to=_place(context, "from"), **asked))
    return 0


def restore(context: Context) -> int:
    """Restore the home; only without a daemon."""
    args, word = context.args, context.args["backup"]
    if masters.is_running(context.home) and not args["dry_run"]:
        raise ConflictError(
            "the daemon runs: nothing can be restored beneath it",
            hint="clawctl daemon stop, and then again",
        )
    if not word.startswith("s3:") and (os.sep in word or os.path.exists(word)):  # noqa: PTH110
        word = os.path.abspath(word)  # noqa: PTH100
    asked = {"to": _place(context, "from"), "dry_run": args["dry_run"], "force": args["force"]}
    context.show(_without(context, "backup.restore", {"backup": word, **asked}))
    return 0


def _place(context: Context, name: str) -> str | None:
    """Return the place that was named, whole: the daemon is in another folder."""
    place: str | None = context.args[name]
    if not place or place.startswith("s3:") or context.home.remote:
        return place
    return os.path.abspath(place)  # noqa: PTH100


def _asked(context: Context, method: str, **params: Any) -> Any:
    try:
        return context.call(method, patience_s=None, **params)
    except UnreachableError:
        if context.home.remote or masters.is_running(context.home):
            raise
    return _without(context, method, params)


def _without(context: Context, method: str, params: dict[str, Any]) -> Any:
    """Have the home's program do it in a process of its own, and return its answer."""
    given = {name: value for name, value in params.items() if value is not None}
    asked = json.dumps({"method": method, "params": given})
    said, complaint = masters.ask_program(context.home, f"--backup={asked}", None)
    try:
        reply = control.decode_from_master(said.encode())
    except ClawError:
        raise RequestError(complaint.removeprefix("clawd: "), hint="clawctl doctor") from None
    if isinstance(reply, control.Notification):
        raise RequestError(complaint, hint="clawctl doctor")
    if reply.error is not None:
        raise reply.error
    return reply.result


class _Watched:
    """Shows how far a backup is, where there is a terminal; a context manager."""

    def __init__(self, context: Context) -> None:
        self._home = context.home
        self._progress = terminal.Progress()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        if self._progress.is_shown:
            self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._progress.is_shown:
            self._thread.join()
        self._progress.__exit__(*error)

    def _watch(self) -> None:
        with Client(self._home) as client:
            while not self._over.wait(_POLL_S):
                try:
                    taken = client.call("backup.list")["making"]
                except ClawError:
                    taken = None
                far = f": {status.size(taken)}" if taken else ""
                self._progress.show(f"making a backup{far}")
