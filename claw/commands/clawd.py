"""The options of ``clawd``, as data: its parser and its manual page are made from them."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import flag, option

OPTIONS = (
    option("home", kinds.FOLDER, "keep everything under this folder"),
    flag("system", "use the system's home"),
    flag("user", "use the caller's own home"),
    option("config", kinds.FILE, "one file in place of the home's configuration"),
    option("only", kinds.TARGET, "leave other jobs out", many=True),
    flag("foreground", "the default", short="f"),
    flag("detach", "run in the background", short="d"),
    flag("check", "only tell whether the configuration is right"),
    flag("doctor", "only look for what is wrong, and print it as JSON"),
    option("backup", kinds.JSON, "only do what `clawctl backup` asks for without a daemon"),
    option("notify_fd", kinds.DESCRIPTOR, "write a newline there when ready, as s6 has it"),
    flag("version", "show the version"),
    flag("help", "show this page", short="h"),
)
"""In the order of help."""
