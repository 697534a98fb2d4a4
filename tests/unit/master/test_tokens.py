"""Tokens: whose child somebody is, in a text that nobody else can make."""

import stat
from pathlib import Path

import pytest

from claw.master.tokens import Tokens

RUN, OTHER = "r" + "0" * 26, "r" + "1" * 26


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Path:
    return tmp_path / "tokens.key"


def test_a_token_tells_its_run_also_to_the_next_master(key: Path) -> None:
    token = Tokens(str(key)).of(RUN)

    assert Tokens(str(key)).run_of(token) == RUN
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes().hex() not in token


def test_nobody_makes_the_token_of_another_run(key: Path) -> None:
    tokens = Tokens(str(key))
    token = tokens.of(RUN)

    forged = (OTHER + token[len(RUN) :], RUN, "", token[:-1], token + "0", "é" * 91, RUN + "é")
    assert [tokens.run_of(one) for one in forged] == [None] * len(forged)


def test_a_key_that_is_broken_is_made_anew_and_old_tokens_are_over(key: Path) -> None:
    old = Tokens(str(key)).of(RUN)
    key.write_bytes(b"half")

    tokens = Tokens(str(key))

    assert tokens.run_of(old) is None
    assert tokens.run_of(tokens.of(RUN)) == RUN
