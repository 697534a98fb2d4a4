"""Files of sections as supervisord reads them, with the line of each key.

What Python's configparser does of them is done: keys in lower case, ``=`` or ``:``, values that
go on in indented lines, and comments after `` ;`` and `` #`` within a line, quotes or not.
"""

import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]")
_KEY = re.compile(r"(?P<key>[^:=\s][^:=]*)(?P<mark>[:=])\s*(?P<value>.*)$")
_INLINE = re.compile(r"(?:^|\s)[;#].*$")


@dataclass(slots=True)
class Value:
    """What a key says, and where."""

    text: str
    line: int


@dataclass(slots=True)
class Section:
    """One section.

    Attributes:
        name: In its brackets.
        line: Where it begins.
        values: By key, in lower case; what is said last counts.
    """

    name: str
    line: int
    values: dict[str, Value] = field(default_factory=dict)

    def get(self, key: str, default: str = "") -> str:
        """Return what a key says."""
        found = self.values.get(key)
        return default if found is None else found.text

    def line_of(self, key: str) -> int:
        """Return where a key stands."""
        found = self.values.get(key)
        return self.line if found is None else found.line


@dataclass(slots=True)
class Sections:
    """A whole file: its sections, the lines that were not understood, keys said twice."""

    found: list[Section] = field(default_factory=list)
    unread: list[tuple[int, str]] = field(default_factory=list)
    twice: list[tuple[int, str, str]] = field(default_factory=list)


def read(text: str) -> Sections:
    """Return the sections of a text."""
    sections = Sections()
    section: Section | None = None
    last: Value | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        bare = raw.strip()
        if not bare or bare[0] in ";#":
            continue
        value = _INLINE.sub("", raw).strip()
        head = _SECTION.match(bare)
        if raw[0].isspace() and last is not None:
            last.text = f"{last.text}\n{value}" if value else last.text
        elif head:
            section, last = _section(sections, head["name"], number), None
        else:
            last = _take(sections, section, number, raw)
    return sections


def _section(sections: Sections, name: str, number: int) -> Section:
    known = next((one for one in sections.found if one.name == name), None)
    if known is None:
        known = Section(name, number)
        sections.found.append(known)
    return known


def _take(sections: Sections, section: Section | None, number: int, raw: str) -> Value | None:
    bare = _INLINE.sub("", raw).strip()
    found = _KEY.match(bare)
    if section is None or found is None or bare.startswith(("{%", "{{", "{#")):
        sections.unread.append((number, bare))
        return None
    key, value = found["key"].strip().lower(), Value(found["value"], number)
    if key in section.values and section.values[key].text != value.text:
        sections.twice.append((number, section.name, key))
    section.values[key] = value
    return value
