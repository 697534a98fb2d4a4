"""The idempotency ledger, as people and children use it."""

import os
from collections.abc import Iterator

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, master

JOBS = """
[jobs.plain]
command = "true"
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("idem"), JOBS) as found:
        yield found


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def test_a_key_is_claimed_once_and_again_when_it_was_released(ctl: Shell) -> None:
    assert "free" in ctl("idem", "check", "k").out
    first = ctl("idem", "claim", "k", "--ttl", "1h").out
    again = ctl("idem", "claim", "k", status=1).out
    taken = ctl("idem", "check", "k", status=1).out
    [listed] = ctl("idem", "status", "--json").json["keys"]
    table = ctl("idem", "status", "k").out
    ctl("idem", "release", "k")
    ctl("idem", "claim", "k")

    assert "claimed, expires in" in first
    assert "claimed by" in again
    assert "claimed by" in taken
    assert (listed["key"], listed["state"], listed["run"]) == ("k", "claimed", None)
    assert "59m" in table
    assert "nobody has claimed" in ctl("idem", "release", "other", status=4).fault


def test_what_has_expired_is_pruned(ctl: Shell) -> None:
    ctl("idem", "claim", "short", "--ttl", "1s")
    while ctl("idem", "check", "short", status=None).status:
        pass

    shown = ctl("idem", "prune").out

    assert "expired key" in shown
    assert "short" not in ctl("idem", "status").out
