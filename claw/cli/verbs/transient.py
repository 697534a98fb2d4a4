"""What ``clawctl run -- CMD`` tells the daemon of the caller."""

from __future__ import annotations

import os

from claw.cli import terminal, utf8
from claw.errors import UsageError
from claw.kernel import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ONLY_CMD = ("name", "user", "after", "pool", "retry", "timeout", "tag")
_ONLY_JOB = ("arg", "each", "force")

LEFT_OUT = frozenset(
    {
        # of the shell's own state
        "_", "OLDPWD", "SHLVL",
        # of the terminal that it leaves
        "COLUMNS", "GPG_TTY", "LINES", "SSH_TTY", "STY", "TMUX", "TMUX_PANE", "WINDOWID",
        # of a service manager to whom this process is somebody
        "INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID",
        "MAINPID", "NOTIFY_SOCKET", "SYSTEMD_EXEC_PID", "WATCHDOG_PID", "WATCHDOG_USEC",
    }
)  # fmt: skip
"""Variables that mean something to the calling process only. All of claw's own (``CLAW_*``)
are left out, too: the run gets those of its own."""


def check(args: dict[str, Any]) -> None:
    """Refuse words that say nothing together.

    Raises:
        UsageError: They do.
    """
    is_cmd = args["cmd"] is not None
    if is_cmd and (args["job"] is not None or not args["cmd"]):
        raise UsageError("run takes either a job or, after --, a command")
    if not is_cmd and args["job"] is None:
        raise UsageError("run needs a job, or -- and a command", hint="see `clawctl run -h`")
    for name in _ONLY_JOB if is_cmd else _ONLY_CMD:
        if args[name]:
            what = "of a job" if is_cmd else "of a command after --"
            raise UsageError(f"--{name} is for a run {what}")


def asked(args: dict[str, Any]) -> dict[str, Any]:
    """Return what to ask of ``run.transient``."""
    table: dict[str, Any] = {
        "argv": args["cmd"],
        "cwd": _folder(),
        "umask": f"{mask.own():04o}",
        "timeout": args["timeout"],
        "pool": args["pool"],
        "priority": args["priority"],
        "retry": _retry(args["retry"]),
        "tags": args["tag"] or None,
    }
    return {
        "table": {key: value for key, value in table.items() if value is not None},
        "env": {**environment(), **dict(args["env"])},
        "name": args["name"],
        "user": args["user"],
        "after": args["after"],
    }


def environment() -> dict[str, str]:
    """Return the environment that the run gets: this process's but for `LEFT_OUT`."""
    found = {}
    for name, value in os.environ.items():
        if name in LEFT_OUT or name.startswith("CLAW_"):
            continue
        try:
            f"{name}{value}".encode()
        except UnicodeEncodeError:
            terminal.warn(f"{name!a} is not UTF-8: the command does not get it")
        else:
            found[name] = value
    return found


def _retry(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    if text.isdecimal():
        return {"max_attempts": int(text) + 1}
    return {"preset": text}


def _folder() -> str:
    try:
        found = os.getcwd()  # noqa: PTH109
    except OSError as error:
        raise UsageError(f"this folder cannot be named: {error.strerror}") from None
    utf8.check(found.split("/")[1:], "part {} of this folder's path")
    return found
