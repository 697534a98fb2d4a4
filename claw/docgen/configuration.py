"""docs/reference/configuration.md: a hand-written head, tables out of `claw.config.fields`."""

import json
from pathlib import Path

from claw.config.fields import (
    ALERTS,
    CHANNEL,
    CONTROL,
    DAEMON,
    DEDUP,
    DELIVERY,
    HEALTH,
    HOOK,
    JOB,
    LOCKS,
    LOG,
    OUTPUT,
    POOL,
    RATE_LIMIT,
    READY,
    RESOURCES,
    RESTART,
    RETENTION,
    RETRY,
    ROLE,
    SECRETS,
    SLA,
    TRIGGER,
)
from claw.config.table import Field, Section
from claw.config.workflowfields import STEP, WORKFLOW

_HEAD = Path(__file__).with_name("configuration.head.md")
_TITLES = (
    (DAEMON, "[daemon]"),
    (CONTROL, "[control]"),
    (ROLE, "[control.roles.ROLE]"),
    (RETENTION, "[retention]"),
    (POOL, "[pools.NAME]"),
    (LOCKS, "[locks]"),
    (SECRETS, "[secrets]"),
    (CHANNEL, "[channels.NAME]"),
    (HOOK, "[[hooks]]"),
    (JOB, "[jobs.NAME]"),
    (RESTART, "[jobs.NAME.restart]"),
    (DEDUP, "[jobs.NAME.dedup]"),
    (READY, "[jobs.NAME.ready]"),
    (HEALTH, "[jobs.NAME.health]"),
    (LOG, "[jobs.NAME.log]"),
    (OUTPUT, "[jobs.NAME.output]"),
    (RESOURCES, "[jobs.NAME.resources]"),
    (ALERTS, "[jobs.NAME.alerts]"),
    (DELIVERY, "[jobs.NAME.delivery]"),
    (SLA, "[jobs.NAME.sla]"),
    (RETRY, "[jobs.NAME.retry]"),
    (RATE_LIMIT, "[jobs.NAME.retry.rate_limit]"),
    (TRIGGER, "[jobs.NAME.trigger]"),
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
