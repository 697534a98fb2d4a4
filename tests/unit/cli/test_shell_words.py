import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.cli.shell import words


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("status web", ["status", "web"]),
        ("  run   one  ", ["run", "one"]),
        ("run 'a b' \"c 'd'\"", ["run", "a b", "c 'd'"]),
        (r"run a\ b \'c", ["run", "a b", "'c"]),
        (r'run "a\"b\\c\d"', ["run", r"a\"b\c\d".replace(r"\"", '"')]),
        ("run a # and b", ["run", "a"]),
        ("run a#b", ["run", "a#b"]),
        ("run \\\n  one", ["run", "one"]),
        ("run on\\\ne", ["run", "one"]),
        ("run 'a\nb'", ["run", "a\nb"]),
        ("status etl-* $HOME", ["status", "etl-*", "$HOME"]),
        ("run ''", ["run", ""]),
        ("# only words", []),
        ("", []),
    ],
)
def test_a_line_is_split_as_a_shell_splits_it(text: str, whole: list[str]) -> None:
    assert words.split(text) == whole


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))))
def test_what_is_quoted_is_read_as_it_was(whole: list[str]) -> None:
    assert words.split(shlex.join(whole)) == whole


@pytest.mark.parametrize("text", ["run 'a", 'run "a', "run \\", "run 'a\n", 'x "\\"'])
def test_a_line_that_goes_on_is_open(text: str) -> None:
    assert words.is_open(text)
    with pytest.raises(ValueError, match="is missing"):
        words.split(text)


@pytest.mark.parametrize("text", ["run a", "run 'a'", "# don't", "run \\\n one", ""])
def test_a_whole_line_is_not(text: str) -> None:
    assert not words.is_open(text)


@pytest.mark.parametrize(
    ("text", "last", "begins"),
    [
        ("status we", "we", 7),
        ("status ", "", 7),
        ("status 'we", "we", 7),
        ("", "", 0),
        ("st", "st", 0),
    ],
)
def test_the_word_at_the_end_is_told_apart(text: str, last: str, begins: int) -> None:
    reading = words.read(text)

    assert (reading.last, reading.begins) == (last, begins)
