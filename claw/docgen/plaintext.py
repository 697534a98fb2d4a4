"""Pages as plain text, for where neither man(1) nor mandoc(1) is to be had."""

import textwrap

from claw.docgen.document import (
    Block,
    Code,
    Heading,
    Page,
    Paragraph,
    Points,
    Table,
    Terms,
    plain,
)

_INDENT = " " * 4


def render(page: Page, width: int = 80) -> str:
    """Return a page, its lines at most so long where they can be."""
    about = plain(page.summary)
    parts = [f"{page.name.upper()}({page.section})", f"NAME\n{_INDENT}{page.name} - {about}"]
    parts += [_block(block, width) for block in page.blocks]
    if page.others:
        parts.append("SEE ALSO\n" + _filled(", ".join(page.see_also), width))
    return "\n\n".join(parts) + "\n"


def _block(block: Block, width: int) -> str:
    match block:
        case Heading(level, text):
            return plain(text).upper() if level == 2 else f"  {plain(text)}"  # noqa: PLR2004
        case Paragraph(text):
            return _filled(text, width)
        case Code(text):
            return textwrap.indent(text, _INDENT * 2)
        case Points(items, is_numbered):
            marks = [f"{no}. " if is_numbered else "- " for no in range(1, len(items) + 1)]
            pairs = zip(items, marks, strict=True)
            return "\n".join(_filled(item, width, mark) for item, mark in pairs)
        case Terms(items):
            return "\n".join(_term(term, says, width) for term, says in items)
        case Table():
            return _block(block.terms(), width)


def _term(term: str, says: str, width: int) -> str:
    return f"{_INDENT}{plain(term)}\n{textwrap.indent(_filled(says, width), _INDENT)}"


def _filled(text: str, width: int, mark: str = "") -> str:
    return textwrap.fill(
        plain(text),
        width,
        initial_indent=_INDENT + mark,
        subsequent_indent=_INDENT + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
