"""Markdown to blocks, as far as claw's own pages go, and back."""

import re
from collections.abc import Iterator

from claw.docgen.document import Block, Code, Heading, Paragraph, Points, Table, Terms

_POINT = re.compile(r"(?P<mark>[-*]|\d+\.) +")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")


def read(text: str) -> tuple[Block, ...]:
    """Return the blocks of a page, its title and comments left out."""
    lines = _COMMENT.sub("", text).splitlines()
    return tuple(_Reader(lines).blocks())


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0

    def _here(self) -> str:
        return self._lines[self._at]

    def _take_while(self, *, begins: str = "", first: str = "") -> list[str]:
        """Take the lines of a paragraph after its first, or all that begin with a text."""
        taken = [first] if first else []
        while self._at < len(self._lines):
            line = self._here()
            if begins and not line.startswith(begins):
                break
            if not begins and (not line.strip() or (taken and _begins_other(line))):
                break
            taken.append(line)
            self._at += 1
        return taken

    def blocks(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line = self._here()
            if not line.strip() or line.startswith("# "):
                self._at += 1
            elif line.startswith("#"):
                self._at += 1
                marks, _, text = line.partition(" ")
                yield Heading(len(marks), text.strip())
            elif line.startswith("```"):
                yield self._code()
            elif line.startswith("|"):
                yield _table(self._take_while(begins="|"))
            elif _POINT.match(line):
                yield self._points()
            else:
                yield Paragraph(_joined(self._take_while()))

    def _code(self) -> Code:
        language = self._here()[3:].strip()
        self._at += 1
        lines: list[str] = []
        while not self._here().startswith("```"):
            lines.append(self._here())
            self._at += 1
        self._at += 1
        return Code("\n".join(lines), language)

    def _points(self) -> Points:
        is_numbered = self._here()[0].isdigit()
        items: list[str] = []
        while self._at < len(self._lines) and (match := _POINT.match(self._here())):
            first = self._here()[match.end() :]
            self._at += 1
            items.append(_joined(self._take_while(first=first)))
        return Points(tuple(items), is_numbered)


def _begins_other(line: str) -> bool:
    return line.startswith(("```", "#", "|")) or _POINT.match(line) is not None


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


def _table(lines: list[str]) -> Table:
    rows = [
        tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip()[1:-1]))
        for line in lines
    ]
    return Table(rows[0], tuple(rows[2:]))


def render(blocks: tuple[Block, ...]) -> str:
    """Return blocks as Markdown, with an empty line between them."""
    return "\n\n".join(_rendered(block) for block in blocks) + "\n"


def _rendered(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Code(text, language):
            return f"```{language}\n{text}\n```"
        case Points(items, is_numbered):
            return "\n".join(f"{'1.' if is_numbered else '-'} {item}" for item in items)
        case Terms(items):
            return "\n".join(
                f"- {term}: {says}" if says else f"- {term}" for term, says in items
            )
        case Table(head, rows):
            lines = [head, tuple("---" for _ in head), *rows]
            return "\n".join(_row(cells) for cells in lines)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
