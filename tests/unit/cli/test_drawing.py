"""What needs what, drawn in layers."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claw.cli.drawing import Box, draw


def _drawn(*boxes: tuple[str, str], is_unicode: bool = True, width: int = 0) -> str | None:
    made = [Box(name, name, needs.split()) for name, needs in boxes]
    lines = draw(made, is_unicode=is_unicode, width=width)
    return None if lines is None else "\n".join(lines)


DIAMOND = (("dump", ""), ("check", "dump"), ("upload", "dump"), ("end", "check upload"))


def test_a_diamond() -> None:
    assert _drawn(*DIAMOND) == (
        "    dump\n"
        "  ┌───┴────┐\n"
        "check   upload\n"
        "  └───┬────┘\n"
        "     end"
    )  # fmt: skip


def test_where_there_are_no_such_letters_others_do() -> None:
    assert _drawn(*DIAMOND, is_unicode=False) == (
        "    dump\n"
        "  +---+----+\n"
        "check   upload\n"
        "  +---+----+\n"
        "     end"
    )  # fmt: skip


def test_a_chain_is_a_straight_line() -> None:
    assert _drawn(("a", ""), ("bbb", "a"), ("c", "bbb")) == " a\n │\nbbb\n │\n c"


def test_a_need_passes_the_layers_between() -> None:
    assert _drawn(("a", ""), ("b", "a"), ("c", "a b")) == "  a\n┌─┴─┐\nb   │\n└─┬─┘\n  c"


def test_what_is_too_wide_is_not_drawn() -> None:
    assert _drawn(*DIAMOND, width=14) is not None
    assert _drawn(*DIAMOND, width=13) is None


@given(st.data(), st.integers(1, 9))
def test_every_step_is_there_once_and_every_line_leads_somewhere(
    data: st.DataObject, count: int
) -> None:
    boxes = []
    for no in range(count):
        needs = data.draw(st.lists(st.integers(0, no - 1), unique=True)) if no else []
        boxes.append(Box(f"s{no}", f"s{no}", [f"s{need}" for need in needs]))
    lines = draw(boxes)
    assert lines is not None
    found = re.findall(r"s\d", "\n".join(lines))
    assert sorted(found) == sorted(box.name for box in boxes)
    for above, below in pairwise(lines):
        for column, letter in enumerate(above):
            if letter in "│┌┐├┤┬┼":
                assert below[column : column + 1].strip(), (above, below)
