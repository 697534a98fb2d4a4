"""References: what stands in a text of the configuration for a value that is kept elsewhere.

``${secret:NAME}`` is kept by claw, ``${env:NAME}`` in the daemon's environment,
``${credential:NAME}`` by its init system (systemd.exec(5), LoadCredential=), and
``${file:PATH}`` in a file. ``$${secret:`` and so on stand for themselves, without the first
dollar. A name may hold ``${instance}``, which is filled in before anything is looked up.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote


class Source(StrEnum):
    """Where a value is kept."""

    SECRET = "secret"  # noqa: S105  the word itself
    ENV = "env"
    CREDENTIAL = "credential"
    FILE = "file"


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One value that is kept elsewhere."""

    source: Source
    name: str

    @property
    def is_hidden(self) -> bool:
        """Whether claw never shows the value: what is in its own environment is no secret."""
        return self.source is not Source.ENV

    def __str__(self) -> str:
        return f"${{{self.source}:{self.name}}}"


NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
"""What a secret and a credential may be called."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_INSTANCE = "${instance}"
_FOUND = re.compile(
    r"(\$?)\$\{(secret|env|credential|file):((?:\$\{instance\}|[^{}])*)(\}?)", re.ASCII
)


def references(text: str) -> tuple[Reference, ...]:
    """Return what a text refers to, in its order."""
    found = [one for one in _FOUND.finditer(text) if not one[1]]
    return tuple(Reference(Source(one[2]), one[3]) for one in found)


def of_all(texts: Iterable[str]) -> tuple[Reference, ...]:
    """Return what several texts refer to, each thing once."""
    return tuple(dict.fromkeys(one for text in texts for one in references(text)))


def stands_in(text: str) -> bool:
    """Tell whether a text is more than it says: it refers to something, or says it does not."""
    return _FOUND.search(text) is not None


def fill(text: str, values: Mapping[Reference, str]) -> str:
    """Return a text with all that it refers to filled in; what is filled in is final.

    Raises:
        KeyError: A value is not given.
    """

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return values[Reference(Source(found[2]), found[3])]

    return _FOUND.sub(value, text)


def fill_url(text: str, values: Mapping[Reference, str]) -> str:
    """Return a URL with all that it refers to filled in, each value as a part of that place.

    It is percent-encoded, so that it changes nothing else of the address (RFC 3986, 2.4), but
    for a slash in a path. What the URL begins with, and a host, is as it is.

    Raises:
        KeyError: A value is not given.
    """

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return _encoded(values[Reference(Source(found[2]), found[3])], found)

    return _FOUND.sub(value, text)


def _encoded(value: str, found: re.Match[str]) -> str:
    before, behind = found.string[: found.start()], found.string[found.end() :]
    is_authority = _AUTHORITY.fullmatch(before) is not None
    is_user = is_authority and "@" in _END.split(behind, maxsplit=1)[0]
    if not before or (is_authority and not is_user):
        return value
    is_in_path = not is_user and not _QUERY.search(before)
    return quote(value, safe="/" if is_in_path else "")


_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_END, _QUERY = re.compile(r"[/?#]"), re.compile(r"[?#]")


def leads(text: str) -> bool:
    """Tell whether a text begins with a reference."""
    found = _FOUND.match(text)
    return found is not None and not found[1]


def blanked(text: str, by: str = "1") -> str:
    """Return a text with something harmless in place of each reference."""
    return _FOUND.sub(by, text)


def problem(text: str) -> str | None:
    """Return what is wrong with the references in a text, or None."""
    for found in _FOUND.finditer(text):
        if found[1]:
            continue
        if not found[4]:
            return f"{found[0]!r} is not closed: write ${{{found[2]}:NAME}}"
        wrong = _name_problem(Source(found[2]), found[3].replace(_INSTANCE, "1"))
        if wrong:
            return f"{found[0]}: {wrong}"
    return None


def _name_problem(source: Source, name: str) -> str | None:
    if source is Source.FILE:
        return None if name.startswith("/") else "write the whole path of the file, from / on"
    if source is Source.ENV:
        is_good = _VARIABLE.fullmatch(name)
        return None if is_good else "no name of an environment variable stands there"
    return name_problem(name)


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a secret, or None."""
    if NAME.fullmatch(name):
        return None
    return "a name has letters, digits and . _ - only, at most 128"
