"""What is not UTF-8 is told with its place."""

import pytest

from claw.cli import utf8
from claw.errors import UsageError


def test_a_file_that_is_not_utf8_is_told_with_its_line() -> None:
    assert utf8.text_of("caf\u00e9\n".encode(), "--each x") == "caf\u00e9\n"
    with pytest.raises(UsageError, match="--each x: line 3 is not UTF-8"):
        utf8.text_of(b"a\nb\ncaf\xe9\n", "--each x")


def test_a_word_that_is_not_utf8_is_told_with_its_number() -> None:
    utf8.check(["a", "caf\u00e9"], "argument {}")
    with pytest.raises(UsageError, match=r"argument 2 is not UTF-8: 'b\\xff'"):
        utf8.check(["a", "b\udcff"], "argument {}")
