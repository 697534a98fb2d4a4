"""What was imported as a file of TOML, with what it could not carry over beside each job."""

import re
import textwrap
import tomllib
from collections.abc import Iterator

from claw.config.importers.imported import Draft, Harvest, Note
from claw.config.managed import as_toml
from claw.config.report import printable

_WIDTH = 92
_ORDER = (
    "enabled", "name", "description", "type", "command", "argv", "shell", "schedule", "run_at",
    "timezone", "jitter", "catch_up", "autostart", "instances", "cwd", "user", "group",
)  # fmt: skip
"""Of keys; the others follow as they come."""
_LIST = re.compile(r"^(?P<key>\S+) = \[\n(?P<items>(?:    [^\n\[\]{}]+,\n)+)\]$", re.MULTILINE)


def text_of(harvest: Harvest) -> str:
    """Return the jobs as tables, each below what is to be said of it."""
    head = [line for text in harvest.head for line in _comment(text)]
    head += [line for note in harvest.notes for line in _comment(note.as_line(), "! ")]
    parts = ["\n".join(head)] if head else []
    parts += ["\n".join((*_remarks(job), _table(job)))
              for job in harvest.jobs]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(job: Draft) -> str:
    """Return a job's table; short lists stand on one line, where that says the same."""
    ordered = sorted(job.table, key=lambda key: _ORDER.index(key) if key in _ORDER else 99)
    table = {key: job.table[key] for key in ordered}
    tall = as_toml({"jobs": {job.name: table}}, is_tall=True).rstrip()
    short = _LIST.sub(_on_one_line, tall)
    return short if tomllib.loads(short) == tomllib.loads(tall) else tall


def _on_one_line(found: re.Match[str]) -> str:
    items = [line.strip().removesuffix(",") for line in found["items"].splitlines()]
    line = f"{found['key']} = [{', '.join(items)}]"
    return line if len(line) <= _WIDTH else found[0]


def _remarks(job: Draft) -> Iterator[str]:
    place = printable(job.file)
    yield from _comment(f"{place}:{job.line}" if job.line else place)
    for remark in job.remarks:
        yield from _comment(remark)
    for note in job.notes:
        yield from _comment(_shortened(note, job), "! ")


def _shortened(note: Note, job: Draft) -> str:
    """Return a note without what the line above says already."""
    if (note.file, note.line) != (job.file, job.line):
        return note.as_line()
    return ": ".join(part for part in (note.key, note.text) if part)


def _comment(text: str, mark: str = "") -> Iterator[str]:
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    for line in textwrap.wrap(
        clean,
        _WIDTH,
        initial_indent=f"# {mark}",
        subsequent_indent=f"# {' ' * len(mark)}",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield line.rstrip()
