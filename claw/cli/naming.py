"""Names for completion: those of the master, and those that clawctl knows by itself.

``clawctl _complete KINDS PREFIX`` prints them, one ``name<TAB>says`` a line. It is typed by
shells between two keys, so it is short of everything: it imports what a kind needs and no
more, and has nothing to say, least of all an error, when the master is away.
"""

from __future__ import annotations

import importlib
import os

from claw.cli import homes, terminal
from claw.cli.render.table import clean
from claw.client.connection import Connection
from claw.errors import ClawError
from claw.kernel import ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from claw.config.table import Section
    from claw.model.home import Home

    Name = tuple[str, str]

COMMAND = "_complete"
PATIENCE_S = 2.0
"""How long a shell that completes is held up at most."""


def complete(words: list[str], home: Home | None = None, *, is_of_many: bool = False) -> int:
    """Print names, and return 0.

    Args:
        words: Kinds, split by spaces, and what the names begin with.
        home: Whose names; None: of the home that the environment names.
        is_of_many: Whether that is one of several, whose names are not good for all of them.
    """
    kinds, prefix = [*words, "", ""][:2]
    is_of_many = is_of_many or (home is None and "," in os.environ.get(homes.HOST, ""))
    wanted = [kind for kind in kinds.split() if kind in OWN or not is_of_many]
    for name, says in names_of(wanted, prefix, home):
        terminal.say(f"{name}\t{says}" if says else name)
    return 0


def names_of(kinds: Iterable[str], prefix: str, home: Home | None = None) -> list[Name]:
    """Return the names of some kinds that begin with a text; none of what cannot be had."""
    found: list[Name] = []
    of_master: list[str] = []
    for kind in kinds:
        if kind in OWN:
            found += [one for one in OWN[kind](prefix, home) if one[0].startswith(prefix)]
        else:
            of_master.append(kind)
    return [*found, *_of_master(of_master, prefix, home)] if of_master else found


def _of_master(kinds: list[str], prefix: str, home: Home | None) -> list[Name]:
    deadline = ticks.monotonic() + PATIENCE_S
    try:
        place = home or homes.choose(os.environ, os.geteuid(), homes.here())
        path = place.control_socket
        with Connection(path, patience_s=PATIENCE_S, may_ask=False) as connection:
            return [
                name
                for kind in kinds
                for name in _asked(connection, kind, prefix, deadline - ticks.monotonic())
            ]
    except (ClawError, OSError):
        return []


def _asked(connection: Connection, kind: str, prefix: str, patience_s: float) -> list[Name]:
    asked = {"kind": kind, "prefix": prefix}
    reply = connection.ask("name.list", asked, patience_s)
    named = [(one["name"], one["says"]) for one in reply["names"]]
    # What somebody has called a key or an event may be meant for the terminal.
    return [(name, clean(says)) for name, says in named if name.isprintable()]


def _signals(_prefix: str, _home: Home | None) -> list[Name]:
    names = importlib.import_module("claw.commands.kinds").SIGNAL_NAMES
    return [(name, "") for name in names]


def _zones(_prefix: str, _home: Home | None) -> list[Name]:
    zones = importlib.import_module("zoneinfo").available_timezones()
    return [(name, "") for name in sorted(zones)]


def _methods(_prefix: str, _home: Home | None) -> list[Name]:
    methods = importlib.import_module("claw.commands.methods").METHODS
    return [(name, one.summary) for name, one in methods.items()]


def _pages(_prefix: str, _home: Home | None) -> list[Name]:
    return [(name, "") for name in importlib.import_module("claw.docgen.manual").names()]


def _types(_prefix: str, _home: Home | None) -> list[Name]:
    return list(importlib.import_module("claw.model.eventtypes").TYPES.items())


def _fields(_prefix: str, _home: Home | None) -> list[Name]:
    job = importlib.import_module("claw.config.fields").JOB
    return list(_keys_of(job, ""))


def _keys_of(section: Section, above: str) -> Iterator[Name]:
    for name, field in section.fields.items():
        yield above + name, _first_sentence(field.doc)
    for name, table in section.tables.items():
        yield from _keys_of(table, f"{above}{name}.")


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".").replace("`", "")


def _settings(prefix: str, home: Home | None) -> list[Name]:
    """Return ``KEY=``, and where the key is written already ``KEY=VALUE``."""
    key, equals, _value = prefix.partition("=")
    if not equals:
        return [(f"{name}=", says) for name, says in _fields(prefix, home)]
    section = importlib.import_module("claw.config.fields").JOB
    *tables, name = key.rstrip("+-").split(".")
    for table in tables:
        section = section.tables.get(table)
        if section is None:
            return []
    field = section.fields.get(name)
    words = _words_of(field.kind.schema) if field is not None else ()
    return [(f"{key}={word}", "") for word in words]


def _words_of(schema: Mapping[str, Any]) -> Iterable[str]:
    if schema.get("type") == "boolean":
        return ("true", "false")
    return (word for word in schema.get("enum", ()) if isinstance(word, str))


def _backups(_prefix: str, home: Home | None) -> list[Name]:
    """Return those in the home's place: a backup is restored while no master is there."""
    model = importlib.import_module("claw.model.backups")
    place = home or homes.choose(os.environ, os.geteuid(), homes.here())
    if place.remote:
        return []
    try:
        known = [model.read_name(name, 0) for name in os.listdir(_place_of_backups(place))]  # noqa: PTH208
    except OSError:
        return []
    found = sorted((one for one in known if one is not None), reverse=True)
    latest = [(model.LATEST, "the newest")] if found else []
    return [*latest, *((one.id, f"by claw {one.version}") for one in found)]


def _place_of_backups(home: Home) -> str:
    try:
        with open(f"{home.config}/claw.toml", "rb") as file:  # noqa: PTH123
            to = importlib.import_module("tomllib").load(file)["backup"]["to"]
    except (OSError, ValueError, LookupError, TypeError):
        return home.backups
    return to if isinstance(to, str) and to.startswith("/") else home.backups


OWN: dict[str, Callable[[str, Home | None], list[Name]]] = {
    "signals": _signals,
    "zones": _zones,
    "methods": _methods,
    "pages": _pages,
    "types": _types,
    "fields": _fields,
    "settings": _settings,
    "backups": _backups,
}
"""The kinds that need no master."""
