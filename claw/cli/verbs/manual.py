"""``completion`` and ``man``: made anew from the tables, so nothing has to be installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from claw.cli import terminal
from claw.commands.nearest import did_you_mean
from claw.docgen import manual, mdoc, plaintext
from claw.docgen.completions import bash, fish, zsh
from claw.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context
    from claw.docgen.document import Page

_SCRIPTS = {"bash": bash.script, "zsh": zsh.script, "fish": fish.script}
_VIEWERS = (["man", "-l", "-"], ["mandoc", "-a"])
_WIDTH = 80
_MOST = 100


def completion(context: Context) -> int:
    """Print a script for a shell."""
    shell = context.args["shell"]
    script = _SCRIPTS[shell]()
    if context.is_json:
        context.show({"shell": shell, "script": script})
    else:
        terminal.say(script.rstrip("\n"))
    return 0


def man(context: Context) -> int:
    """Show a page of the manual, or print it where no person reads."""
    name = " ".join(context.args["page"]) or "clawctl"
    page = manual.find(name)
    if page is None:
        hint = did_you_mean(name, manual.names()) or "`clawctl man` lists the commands"
        raise NotFoundError(f"there is no page {name!r} in the manual", hint=hint)
    style = terminal.style_of(sys.stdout)
    if context.is_json:
        text = plaintext.render(page)
        context.show({"page": page.name, "section": page.section, "text": text})
    elif not style.is_terminal or not _is_viewed(page):
        terminal.say(plaintext.render(page, min(style.width or _WIDTH, _MOST)).rstrip("\n"))
    return 0


def _is_viewed(page: Page) -> bool:
    """Show a page by the first program here that can; False when none can."""
    source = mdoc.render(page).encode()
    for argv in _VIEWERS:
        if shutil.which(argv[0]):
            ended = subprocess.run(argv, input=source, check=False, env=_environ())  # noqa: S603
            if ended.returncode == 0:
                return True
    return False


def _environ() -> dict[str, str]:
    """Return the environment, with a pager that passes bold letters on."""
    return {"PAGER": "less -R", **os.environ}
