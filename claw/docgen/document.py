"""A page as a tree of blocks: written once, shown as Markdown, as mdoc(7) and as plain text.

Texts within blocks are Markdown as far as `code`, **strong**, *stressed* and [links](to) go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a part; ``level`` is 2 for the largest below the page's own title."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Lines as they stand."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences that are of one rank; numbered, if their order matters."""

    items: tuple[str, ...]
    is_numbered: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """Words, each with what it means."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; manual pages and plain text show them as terms."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def terms(self) -> Terms:
        """Return the first column as terms, with what the others say about each."""
        return Terms(tuple(self._term(row) for row in self.rows))

    def _term(self, row: tuple[str, ...]) -> tuple[str, str]:
        first, *others = zip(self.head, row, strict=True)
        kinds = [f"({text})" for head, text in others if text and head in _OF_THE_TERM]
        says = [text for head, text in others if text and head in _SAYS]
        more = [
            f"{head[:1].upper()}{head[1:]}: {text}"
            for head, text in others
            if text and head not in _OF_THE_TERM | _SAYS
        ]
        if says and says[-1][-1] not in ".:":
            says[-1] += "."
        return " ".join([first[1], *kinds]), " ".join([*says, *(f"{one}." for one in more)])


_OF_THE_TERM = {"type", "value"}
_SAYS = {"meaning", "holds", "when", "what it is", "about"}

Block = Heading | Paragraph | Code | Points | Terms | Table


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the manual.

    Attributes:
        names: What the page is about, the first one the page's own name.
        section: Of the manual: 1, 5, 7 or 8.
        summary: A few words, no full stop.
        blocks: What it says, from its synopsis on.
        others: Other pages worth seeing, such as ``clawctl(1)``, in any order.
    """

    names: tuple[str, ...]
    section: int
    summary: str
    blocks: tuple[Block, ...]
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its own name."""
        return self.names[0]

    @property
    def file(self) -> str:
        """What its file is called."""
        return f"{self.name}.{self.section}"

    @property
    def see_also(self) -> list[str]:
        """Other pages, by section and name."""
        return sorted(self.others, key=lambda one: (one[-2], one))


_SPAN = re.compile(
    r"`` ?(?P<long>.+?) ?``|`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*"
    r"|(?<![\w*])\*(?P<stress>[^*\s][^*]*)\*(?!\w)"
    r"|\[(?P<label>[^\]]+)\]\((?P<link>[^)\s]+)\)|<(?P<address>https?://[^>]+)>",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: ``kind`` is ``text``, ``code``, ``strong`` or ``stress``."""

    kind: str
    text: str


def spans(text: str) -> Iterator[Span]:
    """Yield the pieces of a text; of a link what it is called, and where the web has it."""
    end = 0
    for match in _SPAN.finditer(text):
        if match.start() > end:
            yield Span("text", text[end : match.start()])
        yield from _spans_of(match)
        end = match.end()
    if end < len(text):
        yield Span("text", text[end:])


def _spans_of(match: re.Match[str]) -> Iterator[Span]:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    if "label" in found:
        yield from spans(found["label"])
        if found["link"].startswith("http"):
            yield Span("text", f" <{found['link']}>")
    elif "address" in found:
        yield Span("text", f"<{found['address']}>")
    else:
        ((kind, value),) = found.items()
        yield Span("code" if kind == "long" else kind, value)


def plain(text: str) -> str:
    """Return a text without its marks."""
    return "".join(span.text for span in spans(text))
