"""docs/metrics.md: a hand-written head, and tables out of `claw.model.metrics`."""

from collections.abc import Sequence
from pathlib import Path

from claw.model.metrics import GROUPS, Metric

_HEAD = Path(__file__).with_name("metrics.head.md")


def metrics_page() -> str:
    """Return the page."""
    parts = [_HEAD.read_text(encoding="utf-8").rstrip()]
    for title, group in GROUPS.items():
        parts += [f"### {title}", _table(group)]
    return "\n\n".join(parts) + "\n"


def _table(group: Sequence[Metric]) -> str:
    lines = ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    for one in group:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(f"| `{one.name}` | {one.kind} | {labels} | {one.help} |")
    return "\n".join(lines)
