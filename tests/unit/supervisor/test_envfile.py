"""Environment files mean what systemd, docker and dotenv users expect of them."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.supervisor import envfile

CASES = [
    ("A=1\nB=two words \n", {"A": "1", "B": "two words"}),
    ("# no\n; no\n\n  A = 1  \n", {"A": "1"}),
    ("export A=1\nexport\tB=2", {"A": "1", "B": "2"}),
    ("A=", {"A": ""}),
    ("A=b # comment\nB=b#none\nC=#all\n", {"A": "b", "B": "b#none", "C": ""}),
    ("A=$HOME ${X} `x`\n", {"A": "$HOME ${X} `x`"}),
    ("A='a \"b\" \\n $c'\n", {"A": 'a "b" \\n $c'}),
    ('A="a \'b\'\\n\\t\\"\\$\\\\ \\d" # comment\n', {"A": "a 'b'\n\t\"$\\ \\d"}),
    ("A='one\ntwo'\nB=3\n", {"A": "one\ntwo", "B": "3"}),
    ('A="one\\\ntwo"\n', {"A": "onetwo"}),
    ("A=one\\\ntwo\nB=c:\\path\n", {"A": "onetwo", "B": "c:\\path"}),
    ("A=1\nA=2\n", {"A": "2"}),
    ("CLAW_RUN_ID=x\nA=1\n", {"A": "1"}),
    ("A=a=b\n", {"A": "a=b"}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "found"), CASES)
def test_a_file_sets_what_its_lines_say(text: str, found: dict[str, str]) -> None:
    assert envfile.parse(text) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nB\n", "line 2: NAME=value is expected"),
        ("1A=x\n", "line 1: what is before = is no name of a variable"),
        ("A B=x\n", "line 1: what is before = is no name of a variable"),
        ("=x\n", "line 1: what is before = is no name of a variable"),
        ("\n\nA='x\n", "line 3: the quote is not closed"),
        ('A="x" y\n', "line 1: nothing may follow a closing quote"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_number(text: str, line: str) -> None:
    with pytest.raises(ValueError, match=r"^line \d") as caught:
        envfile.parse(text)

    assert str(caught.value) == line


@given(st.text(max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    found: dict[str, str] = {}
    with contextlib.suppress(ValueError):
        found = envfile.parse(text)

    assert all(name.replace("_", "a").isalnum() for name in found)


@given(st.text(st.characters(codec="utf-8", exclude_characters="'\0\r"), max_size=40))
def test_what_stands_in_single_quotes_comes_back(value: str) -> None:
    assert envfile.parse(f"A='{value}'\nB=1\n") == {"A": value, "B": "1"}


def test_bytes_that_are_no_text_reach_the_program_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"\xef\xbb\xbfA=caf\xe9\r\nB=2\r\n")

    assert envfile.read(str(path)) == {"A": "caf\udce9", "B": "2"}


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            envfile.read(str(path))


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "env").write_bytes(b"A=" + b"x" * envfile.MOST_BYTES)

    with pytest.raises(OSError, match="larger"):
        envfile.read(str(tmp_path / "env"))
