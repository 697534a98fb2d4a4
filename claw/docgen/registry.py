"""Which files are generated, and by what. A new document is one line here."""

from collections.abc import Callable
from functools import partial

from claw.boot import systems
from claw.config.schema import schema_text
from claw.docgen import manual
from claw.docgen.commands import commands_page
from claw.docgen.completions import bash, fish, zsh
from claw.docgen.configuration import configuration_page
from claw.docgen.errors import errors_page
from claw.docgen.events import events_page
from claw.docgen.metrics import metrics_page
from claw.docgen.protocol import protocol_page

DOCUMENTS: dict[str, Callable[[], str]] = {
    "completions/_clawctl": zsh.script,
    "completions/clawctl.bash": bash.script,
    "completions/clawctl.fish": fish.script,
    "contrib/claw.schema.json": schema_text,
    "docs/metrics.md": metrics_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/errors.md": errors_page,
    "docs/reference/events.md": events_page,
    "docs/reference/protocol.md": protocol_page,
    **manual.sources(),
    **{f"contrib/{name}": partial(systems.contributed, name) for name in systems.CONTRIB},
}
"""Path within the source tree to the function that renders the file's text."""

FOLDERS = tuple(f"man/man{section}" for section in (1, 5, 7, 8))
"""Folders in which everything is generated: what is there beside it is left over."""
