"""The idempotency ledger, as people and children use it."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import users
from tests.kit.clawctl import ROOT, Shell
from tests.kit.master import MasterUnderTest, master

JOBS = f"""
[defaults]
env = {{ PYTHONPATH = "{ROOT}" }}
[jobs.once]
command = '{sys.executable} -m claw idem claim "$1" || exit 9; exit "$2"'
[jobs.own]
command = 'k=$CLAW_IDEMPOTENCY_KEY; echo $k; {sys.executable} -m claw idem claim $k'
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
    keys = ctl("idem", "status", "--json").json["keys"]
    [listed] = [one for one in keys if one["key"] == "k"]
    table = ctl("idem", "status", "k").out
    ctl("idem", "release", "k")
    ctl("idem", "claim", "k")

    assert "claimed, expires in" in first
    assert "claimed by" in again
    assert "claimed by" in taken
    assert (listed["key"], listed["state"], listed["run"]) == ("k", "claimed", None)
    assert "59m" in table
    assert "nobody has claimed" in ctl("idem", "release", "other", status=4).fault


@pytest.mark.parametrize("key", ["", " ", "\n\t"])
def test_an_empty_key_is_no_key(ctl: Shell, key: str) -> None:
    for verb in ("check", "claim"):
        said = ctl("idem", verb, key, status=2)
        assert "is empty" in said.fault
        assert "variable that is not set" in said.err
    keys = ctl("idem", "status", "--json").json["keys"]
    assert key not in [one["key"] for one in keys]


def test_what_has_expired_is_pruned(ctl: Shell) -> None:
    ctl("idem", "claim", "short", "--ttl", "1s")
    while ctl("idem", "check", "short", status=None).status:
        pass

    shown = ctl("idem", "prune").out

    assert "expired key" in shown
    assert "short" not in ctl("idem", "status").out


def test_a_child_claims_for_its_run_which_does_it_once(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    def once(status: int) -> str:
        run = claw.submit("once", args=["bill", str(status)])
        return str(claw.ended(run)["exit_code"])

    failed, free = once(3), ctl("idem", "check", "bill").out
    done, taken = once(0), ctl("idem", "check", "bill", status=1).out
    again = once(0)

    assert (failed, done, again) == ("3", "0", "9")
    assert free == "bill: free\n"
    assert "done by run" in taken


def test_a_run_claims_the_key_of_its_own_work(claw: MasterUnderTest, ctl: Shell) -> None:
    run = claw.submit("own")

    assert claw.ended(run)["state"] == "succeeded"
    [entry] = [one for one in ctl("idem", "status", "--json").json["keys"] if one["run"] == run]
    assert (entry["state"], len(entry["key"])) == ("done", 32)
    assert claw.output(f"own/{run}.out").decode().startswith(entry["key"])


BY_HAND = """
import json, os, socket
with socket.socket(socket.AF_UNIX) as door:
    door.connect(os.environ["CLAW_SOCKET"])
    for id_, method, params in (
        (1, "hello", {"token": os.environ["CLAW_TOKEN"]}),
        (2, "idem.claim", {"key": "nobodys"}),
    ):
        call = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
        door.sendall(json.dumps(call).encode() + b"\\n")
    for _, line in zip(range(2), door.makefile()):
        print(os.getuid(), line, end="")
"""
PYTHON = Path("/usr/bin/python3")  # that any user can run


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone() or "-")
@pytest.mark.skipif(not PYTHON.exists(), reason=f"needs {PYTHON}")
def test_a_child_of_another_user_claims_too() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place, script = Path(folder), Path(folder) / "claims.py"
        place.chmod(0o755)
        script.write_text(BY_HAND)
        jobs = f'[jobs.j]\nargv = ["{PYTHON}", "{script}"]\nuser = "nobody"\ncwd = "/"\n'
        with master(place / "home", jobs) as claw:
            (place / "home").chmod(0o755)
            run = claw.submit("j")
            ended = claw.ended(run)
            said = claw.output(f"j/{run}.out").decode()

    assert ended["state"] == "succeeded", said
    assert said.startswith(f"{users.NOBODY} ")
    answers = [json.loads(line.partition(" ")[2])["result"] for line in said.splitlines()]
    assert (answers[0]["role"], answers[0]["run"]) == ("child", run)
    assert (answers[1]["claimed"], answers[1]["run"], answers[1]["by"]) == (True, run, "nobody")
