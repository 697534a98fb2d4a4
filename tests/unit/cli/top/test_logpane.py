"""Output that is followed: what is kept, seen and found."""

import pytest

from claw.cli.top import logpane
from claw.cli.top.logpane import LogPane


@pytest.fixture(name="pane")
def _pane() -> LogPane:
    pane = LogPane()
    pane.show("web", "web")
    pane.add("".join(f"line {number}\n" for number in range(20)))
    return pane


def test_the_end_is_shown_and_what_comes(pane: LogPane) -> None:
    assert pane.visible(80, 2) == ["line 18", "line 19"]

    pane.add("line 20\nhalf")
    assert pane.visible(80, 2) == ["line 19", "line 20"]
    pane.add(" a line\n")
    assert pane.visible(80, 1) == ["half a line"]


def test_whoever_scrolls_up_stays_there_until_the_end(pane: LogPane) -> None:
    pane.visible(80, 5)
    pane.scroll(-3)
    pane.add("more\n")

    assert pane.visible(80, 5)[0] == "line 12"
    assert (pane.is_following, pane.unseen) == (False, 1)
    pane.scroll(100)
    assert pane.is_following
    assert pane.visible(80, 5)[-1] == "more"


def test_lines_that_are_dropped_do_not_move_what_is_looked_at(
    pane: LogPane,
) -> None:
    pane.visible(80, 3)
    pane.scroll(-7)
    pane.add("".join(f"more {number}\n" for number in range(logpane.MOST_LINES - 15)))

    assert len(pane.lines) == logpane.MOST_LINES
    assert pane.visible(80, 3) == ["line 10", "line 11", "line 12"]


def test_a_search_goes_on_from_where_it_was(pane: LogPane) -> None:
    pane.visible(80, 4)
    pane.needle = "LINE 1"

    assert pane.search(-1)
    assert pane.visible(80, 4)[-1] == "line 19"
    for _ in range(9):
        assert pane.search(-1)
    assert pane.visible(80, 4)[0] == "line 10"
    assert pane.search(-1)
    assert pane.visible(80, 4)[0] == "line 1"
    assert not pane.search(-1)
    assert pane.search(1)
    assert pane.visible(80, 4)[0] == "line 10"


def test_only_lines_with_a_text_are_shown_when_that_is_asked_for(pane: LogPane) -> None:
    pane.choose("5")
    assert pane.visible(80, 9) == ["line 5", "line 15"]

    pane.add("no\nyes 5\n")
    assert pane.visible(80, 9) == ["line 5", "line 15", "yes 5"]
    pane.choose("")
    assert pane.visible(80, 1) == ["yes 5"]


def test_what_would_steer_the_terminal_is_not_shown() -> None:
    pane = LogPane()

    pane.add("\x1b[31mred\x1b[0m \x1b]0;title\x07a\tb\x07\n10%\r50%\r100%\r\n")

    assert pane.visible(80, 2) == ["red a   b ", "100%"]


def test_long_lines_are_cut_moved_or_wrapped() -> None:
    pane = LogPane()
    pane.add(f"{'日' * 30}\n{'abcdefghij' * 5}\n")

    assert pane.visible(20, 2) == [f"{'日' * 9}…", "abcdefghijabcdefghi…"]
    pane.shift(1)
    assert pane.visible(20, 2) == [f"{'日' * 9}…", "abcdefghijabcdefghi…"]
    pane.shift(1)
    assert pane.visible(20, 2)[1] == "abcdefghij"
    pane.is_wrapped = True
    assert pane.visible(20, 9) == [
        "日" * 10, "日" * 10, "日" * 10, "abcdefghij" * 2, "abcdefghij" * 2, "abcdefghij",
    ]  # fmt: skip
