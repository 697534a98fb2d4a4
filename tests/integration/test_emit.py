"""Events that come in, as people, children, and others with a token tell of them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import users
from tests.kit.clawctl import ROOT, Shell
from tests.kit.master import MasterUnderTest, master

JOBS = f"""
[defaults]
env = {{ PYTHONPATH = "{ROOT}" }}
[jobs.taker]
command = 'echo "$CLAW_EVENT"; cat "$CLAW_EVENT_FILE"'
events = ["orders.*"]
[jobs.teller]
command = '{sys.executable} -m claw emit told --data "[1, 2]"'
[jobs.hearer]
command = 'cat "$CLAW_EVENT_FILE"'
events = ["told"]
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("emit"), JOBS) as found:
        yield found


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def test_an_event_starts_a_job_that_reads_its_payload(
    claw: MasterUnderTest, ctl: Shell, tmp_path: Path
) -> None:
    data = tmp_path / "data.json"
    data.write_text('{"id": 7}')

    said = ctl("emit", "orders.new", "--data", f"@{data}", "--json").json
    [run] = said["runs"]
    claw.ended(run["run"])
    first, _, rest = ctl("runs", "output", run["run"]).out.partition("\n")

    assert (run["job"], run["state"]) == ("taker", "queued")
    assert first == "orders.new"
    assert json.loads(rest)["data"] == {"id": 7}
    assert json.loads(rest)["id"] == said["event"]


def test_a_repeated_request_is_one_event(ctl: Shell) -> None:
    first = ctl("emit", "orders.x", "--request-id", "r1", "--json").json
    again = ctl("emit", "orders.x", "--request-id", "r1", "--json").json
    assert first == again


def test_what_is_no_event_is_refused_in_one_line(ctl: Shell) -> None:
    assert "no job names it" in ctl("emit", "nobody").out
    assert "no JSON" in ctl("emit", "orders.x", "--data", "{oops", status=2).fault
    for beyond in ("NaN", "[1e999]"):
        assert "no JSON" in ctl("emit", "orders.x", "--data", beyond, status=2).fault
    assert "cannot be read" in ctl("emit", "e", "--data", "@/no/such", status=2).fault
    assert "no event can be called" in ctl("emit", "a b", status=2).fault
    assert "--ttl" in ctl("emit", "--new-token", "a", "--ttl", "0", status=2).fault
    assert "one event at a time" in ctl("emit", "a", "b", status=2).fault


def test_a_child_tells_of_an_event_for_its_run(claw: MasterUnderTest, ctl: Shell) -> None:
    teller = claw.submit("teller")
    ended = claw.ended(teller)
    assert ended["state"] == "succeeded", ctl("runs", "output", teller).out
    [heard] = ctl("runs", "list", "--job", "hearer", "--json").json["runs"]
    claw.ended(heard["id"])

    told = json.loads(ctl("runs", "output", heard["id"]).out)
    assert (told["source"], told["run"], told["data"]) == ("child", teller, [1, 2])
    assert ctl("runs", "show", heard["id"], "--json").json["parent"] == teller


BY_HAND = """
import json, os, socket, sys
path, token, *names = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as door:
    door.connect(path)
    calls = [("hello", {"token": token})]
    calls += [("event.emit", {"event": name, "data": os.getuid()}) for name in names]
    calls += [("run.submit", {"job": "teller"})]
    for id_, (method, params) in enumerate(calls, 1):
        call = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
        door.sendall(json.dumps(call).encode() + b"\\n")
    for _, line in zip(calls, door.makefile()):
        print(line, end="")
"""
PYTHON = Path("/usr/bin/python3")  # that any user can run


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone() or "-")
@pytest.mark.skipif(not PYTHON.exists(), reason=f"needs {PYTHON}")
def test_another_user_tells_of_what_its_token_is_for_and_of_nothing_else() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place, script = Path(folder), Path(folder) / "tells.py"
        place.chmod(0o755)
        script.write_text(BY_HAND)
        with master(place / "home", JOBS) as claw:
            (place / "home").chmod(0o755)
            ctl = Shell({"CLAW_HOME": os.fspath(claw.folder)})
            made = ctl("emit", "--new-token", "orders.*", "--json").json
            token = made["token"]

            def tell(token: str) -> list[Any]:
                done = subprocess.run(
                    [PYTHON, script, f"{claw.folder}/run/job/claw.sock", token,
                     "orders.web", "told"],
                    user=users.NOBODY, group=users.NOBODY, extra_groups=[], cwd="/",
                    stdout=subprocess.PIPE, timeout=30, check=True,
                )  # fmt: skip
                return [json.loads(line) for line in done.stdout.splitlines()]

            hello, good, wrong, other = tell(token)
            useless = token[:-1] + ("0" if token[-1] != "0" else "1"), made["id"] + "0" * 64
            forged, made_up = map(tell, useless)
            listed = ctl("emit", "--tokens").out
            ctl("emit", "--revoke-token", made["id"])
            late = tell(token)
            [shown] = ctl("runs", "list", "--job", "taker", "--json").json["runs"]
            claw.ended(shown["id"])
            payload = ctl("runs", "output", shown["id"]).out

    assert hello["result"]["role"] == "bridge"
    assert (set(good["result"]), shown["asked_by"]) == ({"event", "name"}, "nobody")
    assert f'"by": "nobody, token {made["id"]}"' in payload
    assert "not for told" in wrong["error"]["message"]
    assert other["error"]["data"]["name"] == "denied"
    for answers in (forged, made_up, late):
        assert {one["error"]["data"]["name"] for one in answers[1:]} == {"denied"}
    assert all("error" in one[0] for one in (forged, made_up))
    assert "revoked" in late[1]["error"]["message"]
    assert made["id"] in listed
    assert token not in listed


def test_an_expired_token_is_refused(ctl: Shell, claw: MasterUnderTest) -> None:
    made = ctl("emit", "--new-token", "orders.*", "--ttl", "1s", "--json").json
    path = claw.folder / "token"
    path.write_text(made["token"] + "\n")

    said = ctl("emit", "orders.x", "--token", f"@{path}", status=None)
    while said.status == 0:
        said = ctl("emit", "orders.x", "--token", f"@{path}", status=None)

    assert "expired" in said.fault
