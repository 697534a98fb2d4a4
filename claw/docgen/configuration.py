"""docs/reference/configuration.md: a hand-written head, tables out of `claw.config.fields`."""

import json
from collections.abc import Iterator
from pathlib import Path

from claw.config.fields import (
    BACKUP,
    CHANNEL,
    CONTROL,
    DAEMON,
    HOOK,
    JOB,
    LOCKS,
    POOL,
    RETENTION,
    ROLE,
    SECRETS,
)
from claw.config.table import Field, Section
from claw.config.workflowfields import STEP, WORKFLOW


def tables_below(section: Section, path: str) -> Iterator[tuple[str, Section]]:
    """Yield the tables of a table, and theirs, each with its whole name."""
    for name, inner in section.tables.items():
        yield f"{path}.{name}", inner
        yield from tables_below(inner, f"{path}.{name}")


_HEAD = Path(__file__).with_name("configuration.head.md")
_TITLES = (
    (DAEMON, "[daemon]"),
    (CONTROL, "[control]"),
    (ROLE, "[control.roles.ROLE]"),
    (RETENTION, "[retention]"),
    (POOL, "[pools.NAME]"),
    (LOCKS, "[locks]"),
    (SECRETS, "[secrets]"),
    (BACKUP, "[backup]"),
    (CHANNEL, "[channels.NAME]"),
    (HOOK, "[[hooks]]"),
    (JOB, "[jobs.NAME]"),
    *((section, f"[{path}]") for path, section in tables_below(JOB, "jobs.NAME")),
    (WORKFLOW, "[workflows.NAME]"),
    (STEP, "[workflows.NAME.steps.STEP]"),
)


def configuration_page() -> str:
    """Return the page."""
    parts = [_HEAD.read_text(encoding="utf-8").rstrip()]
    parts += [_section(section, title) for section, title in _TITLES]
    return "\n\n".join(parts) + "\n"


def _section(section: Section, title: str) -> str:
    lines = [f"## `{title}`", "", section.doc, ""]
    lines += ["| key | value | default | meaning | a change applies |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    lines += [_row(field) for field in section.fields.values()]
    return "\n".join(lines)


def _row(field: Field[object]) -> str:
    cells = (
        f"`{field.name}`",
        field.kind.label,
        field.shown or _written(field.written),
        field.doc,
        str(field.applies),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"`{json.dumps(value)}`"
