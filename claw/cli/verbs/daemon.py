"""``daemon start | stop | restart | status | logs``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from time import sleep

from claw.cli import masters, terminal
from claw.cli.render import jsontext
from claw.cli.verbs.status import NOT_RUNNING
from claw.client.connection import LostConnectionError
from claw.errors import ClawError, NotFoundError, UnreachableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from claw.cli.context import Context

_RENEWAL_S = 120.0
_DEFAULT_LINES = 100
_BLOCK_BYTES = 1 << 16
_POLL_S = 0.25


def start(context: Context) -> int:
    """Start the daemon, unless it runs."""
    if masters.is_running(context.home):
        masters.await_answer(context.home)
        return _show(context, "runs already")
    masters.start(context.home)
    return _show(context, "started")


def stop(context: Context) -> int:
    """End the daemon and wait until it has gone."""
    if not masters.is_running(context.home):
        left = masters.living_supervisors(context.home)
        context.show({"up": False, "what": "does not run", "supervisors": left})
        return 0
    end_master(context, "auto")
    context.show({"up": False, "what": "has ended", **_left(context)})
    return 0


def restart(context: Context) -> int:
    """Have the program that is installed now take over; the jobs go on."""
    try:
        old = context.call("daemon.restart", patience_s=_RENEWAL_S)
    except UnreachableError:
        if masters.is_running(context.home):
            raise
        masters.start(context.home)
        return _show(context, "did not run, and was started")
    context.client.close()  # the next call is for the new program
    version = masters.await_successor(context.home, old["started_at"])
    change = f"{old['version']} to {version}" if version != old["version"] else "no new version"
    return _show(context, f"was restarted ({change})", backup=old["backup"])


def status(context: Context) -> int:
    """Show how the daemon is doing; exit 3 when it does not run."""
    try:
        return _show(context, "runs")
    except UnreachableError:
        if context.home.remote or masters.is_running(context.home):
            raise
    context.show({"up": False, "what": "does not run", **_left(context)})
    return NOT_RUNNING


def logs(context: Context) -> int:
    """Show the end of the daemon's own log, and with -f what is added."""
    args, path = context.args, Path(context.home.daemon_log)
    lines = _DEFAULT_LINES if args["lines"] is None else args["lines"]
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFoundError(
            f"there is no {path} yet", hint="the daemon writes it: clawctl daemon start"
        ) from None
    with contextlib.ExitStack() as files:
        files.enter_context(file)
        _write(_tail(file, lines), is_json=context.is_json)
        while args["follow"]:
            _write(file.read(), is_json=context.is_json)
            if _is_replaced(file, path):
                _write(file.read(), is_json=context.is_json)
                file = files.enter_context(path.open("rb"))
            else:
                sleep(_POLL_S)
    return 0


def end_master(context: Context, mode: str) -> None:
    """Ask the master to end, and wait until it has."""
    pid = masters.running_pid(context.home)
    with contextlib.suppress(LostConnectionError):  # it may be faster than its answer
        context.call("daemon.stop", mode=mode)
    with terminal.Progress() as progress:
        if pid is not None:
            masters.await_end(pid, lambda: progress.show(_waiting_for(context)))
    context.client.close()  # what comes next is for another master


def _waiting_for(context: Context) -> str:
    try:
        jobs = context.call("job.status")["jobs"]
    except ClawError:
        return "waiting for the daemon to end"
    names = [job["name"] for job in jobs if job.get("pid")]
    return f"stopping {', '.join(names)}" if names else "waiting for the daemon to end"


def _show(context: Context, what: str, **more: str) -> int:
    reply: dict[str, Any] = context.call("daemon.status")
    context.show({"up": True, "what": what, **reply, **more})
    return 0


def _left(context: Context) -> dict[str, int]:
    return {"supervisors": masters.living_supervisors(context.home)}


def _tail(file: BinaryIO, lines: int) -> bytes:
    """Return the last lines of a file, and leave it at its end."""
    at = file.seek(0, os.SEEK_END)
    tail = b""
    while at > 0 and tail.count(b"\n") <= lines:
        step = min(_BLOCK_BYTES, at)
        at -= step
        file.seek(at)
        tail = file.read(step) + tail
    file.seek(0, os.SEEK_END)
    return b"".join(tail.splitlines(keepends=True)[-lines:]) if lines else b""


def _is_replaced(file: BinaryIO, path: Path) -> bool:
    """Tell whether another file has the log's name by now."""
    try:
        return not os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _write(data: bytes, *, is_json: bool) -> None:
    """Write some lines of the log; for programs each as an object."""
    text = data.decode(errors="replace")
    if is_json:
        lines = (jsontext.render_line({"line": line}) for line in text.splitlines())
        text = "".join(f"{line}\n" for line in lines)
    terminal.write(text)
