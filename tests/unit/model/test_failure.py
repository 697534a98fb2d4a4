"""Failures that are alike, and those that are not."""

import pytest

from claw.model.failure import LINES, fingerprint, normalize


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12:03:07 cannot connect", "12:04:55 cannot connect"),
        ("object at 0x7f3a2c", "object at 0x55d0ff"),
        ("job 6f1d2c3b4a5e failed", "job 0a9b8c7d6e5f failed"),
        ("  Disk   full ", "disk full"),
    ],
)
def test_what_differs_from_time_to_time_makes_no_other_failure(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)
    assert fingerprint("exit_code", 1, one) == fingerprint("exit_code", 1, other)


def test_another_exit_reason_or_message_is_another_failure() -> None:
    known = fingerprint("exit_code", 1, "disk full")
    assert fingerprint("exit_code", 2, "disk full") != known
    assert fingerprint("timeout", 1, "disk full") != known
    assert fingerprint("exit_code", 1, "no such table") != known


def test_only_the_last_lines_that_say_something_count() -> None:
    last = "\n\n".join(f"line {letter}" for letter in "abcdefgh"[:LINES])
    assert fingerprint("x", 1, f"begins so\n{last}\n\n") == fingerprint(
        "x", 1, f"or so\n{last}"
    )
