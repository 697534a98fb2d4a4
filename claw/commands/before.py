"""The options that stand before the command, the same for all of them."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import flag, option

BEFORE = (
    option("home", kinds.FOLDER, "the daemon whose files lie in DIR"),
    option("host", kinds.HOST, "the daemon of ssh://[USER@]HOST[:PORT]", short="H", many=True),
    option("token_file", kinds.FILE, "shows this token, for a forwarded socket"),
    flag("system", "the system's daemon"),
    flag("user", "your own daemon"),
    flag("json", "print JSON, for programs"),
    flag("version", "show the version"),
    flag("help", "show this page, or after a command the command's", short="h"),
)
"""In the order of help."""
