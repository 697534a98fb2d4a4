"""Pages are one tree of blocks, whatever they are shown as."""

import pytest

from claw.docgen import markdown, mdoc, plaintext
from claw.docgen.document import (
    Code,
    Heading,
    Page,
    Paragraph,
    Points,
    Span,
    Table,
    Terms,
    plain,
    spans,
)

TEXT = """\
# Title

<!-- a comment
over lines -->

First `code` line
and **more**.

## Part

- a point
  that goes on
- another

1. one
2. two

| key | value | meaning | default |
| --- | --- | --- | --- |
| `a` | text | what a is | `x\\|y` |

```sh
run  this
# and this
```
"""


def test_markdown_is_read_as_blocks() -> None:
    assert markdown.read(TEXT) == (
        Paragraph("First `code` line and **more**."),
        Heading(2, "Part"),
        Points(("a point that goes on", "another")),
        Points(("one", "two"), is_numbered=True),
        Table(("key", "value", "meaning", "default"), (("`a`", "text", "what a is", "`x|y`"),)),
        Code("run  this\n# and this", "sh"),
    )


def test_what_is_rendered_as_markdown_is_read_as_it_was() -> None:
    blocks = markdown.read(TEXT)

    assert markdown.read(markdown.render(blocks)) == blocks


def test_a_table_is_shown_as_terms_in_a_manual() -> None:
    table = markdown.read(TEXT)[4]

    assert isinstance(table, Table)
    assert table.terms() == Terms((("`a` (text)", "what a is. Default: `x|y`."),))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("plain", [("text", "plain")]),
        ("a `b*c*` d", [("text", "a "), ("code", "b*c*"), ("text", " d")]),
        ("**b** and *i*", [("strong", "b"), ("text", " and "), ("stress", "i")]),
        ("2 * 3 * 4", [("text", "2 * 3 * 4")]),
        ("[a `b`](x.md)", [("text", "a "), ("code", "b")]),
        ("[a](https://x)", [("text", "a"), ("text", " <https://x>")]),
    ],
)
def test_marks_within_a_text(text: str, pieces: list[tuple[str, str]]) -> None:
    assert list(spans(text)) == [Span(kind, inner) for kind, inner in pieces]


def test_a_text_without_its_marks() -> None:
    assert plain("run `clawctl` **now**") == "run clawctl now"


def _page(*blocks: Paragraph | Code | Terms) -> Page:
    return Page(("a-page", "other"), 1, "a test", blocks, ("z(1)", "clawd(8)", "b(1)"))


@pytest.mark.parametrize(
    ("block", "line"),
    [
        (Paragraph(".dot 'quote' a\\b --option"), r"\&.dot \(aqquote\(aq a\eb \-\-option"),
        (Code(".Sh no macro"), r"\&.Sh no macro"),
        (Terms((("In `It` words", "x"),)), r".It \&In \fBIt\fR words"),
        (Paragraph("e.g. one. Two `code`. *Three*."), "\\fIThree\\fR."),
    ],
)  # fmt: skip
def test_mdoc_takes_no_text_for_a_command(block: Paragraph | Code | Terms, line: str) -> None:
    assert line in mdoc.render(_page(block)).splitlines()


def test_other_pages_are_named_in_the_order_of_sections_and_names() -> None:
    assert mdoc.render(_page()).endswith(".Sh SEE ALSO\n.Xr b 1 ,\n.Xr z 1 ,\n.Xr clawd 8\n")
    assert plaintext.render(_page()).endswith("SEE ALSO\n    b(1), z(1), clawd(8)\n")


def test_plain_text_keeps_to_a_width_but_for_code() -> None:
    long = "word " * 40
    text = plaintext.render(_page(Paragraph(long), Code(long.strip())), 60)

    lines = text.splitlines()
    assert [len(line) > 60 for line in lines].count(True) == 1
