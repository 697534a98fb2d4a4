"""docs/reference/events.md: a head, and the types of `claw.model.eventtypes`."""

from pathlib import Path

from claw.docgen import markdown
from claw.docgen.document import Block, Heading, Table
from claw.model.eventtypes import TYPES

_HEAD = Path(__file__).with_name("events.head.md")
_TITLES = {
    "run": "Runs",
    "attempt": "Attempts of runs",
    "job": "Jobs",
    "alert": "Alerts",
    "event": "Events of your own",
    "secret": "Secrets",
    "queue": "Queue, pools and locks",
    "daemon": "The daemon",
}
_WITH = {"pool": "queue", "lock": "queue"}


def events_page() -> str:
    """Return the page."""
    parts: list[Block] = []
    for noun in dict.fromkeys(_noun(one) for one in TYPES):
        rows = tuple((f"`{one}`", says) for one, says in TYPES.items() if _noun(one) == noun)
        parts += [Heading(2, _TITLES.get(noun, noun)), Table(("type", "says"), rows)]
    return f"{_HEAD.read_text(encoding='utf-8')}\n{markdown.render(tuple(parts))}"


def _noun(name: str) -> str:
    noun = name.partition(".")[0]
    return _WITH.get(noun, noun)
