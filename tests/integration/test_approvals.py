"""Approvals as people use them: asked for, decided, expired, over kills, by other users."""

import grp
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from claw.client.client import Client
from tests.kit import users
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster, master
from tests.kit.witness import Witness

GATED = """
[jobs.deploy]
{command}
[jobs.deploy.approval]
{rule}
"""


def gated(witness: Witness, rule: str = "") -> str:
    return GATED.format(command=witness.command(), rule=rule)


@pytest.fixture(name="witness")
def _witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def test_a_run_waits_and_says_for_what_until_somebody_approves_it(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(gated(witness))
    ctl = Shell(claw.environment)

    asked = ctl("run", "deploy", "--arg", "0")
    run = asked.out.strip()
    assert "waits for approval by an operator; rejected at" in asked.err
    assert f"clawctl approve {run[-6:]}" in asked.err
    assert claw.job("deploy")["state"] == "waiting"
    assert f"clawctl reject {run[-6:]}" in ctl("why", "deploy").out
    assert f"clawctl approve {run[-6:]}" in ctl("why", run).out
    assert ctl("alerts", "list").out.count("approval") == 2
    [listed] = ctl("approvals", "list", "--json").json["approvals"]
    assert (listed["run"], listed["job"], listed["origin"]) == (run, "deploy", "manual")
    assert (listed["by"], listed["self"], listed["on_timeout"]) == ([], True, "reject")
    table = ctl("approvals", "list").lines
    assert table[0].split()[:4] == ["RUN", "JOB", "SINCE", "UNTIL"]
    assert "any operator" in table[1]

    said = ctl("approve", run[-6:], "tested", "on", "staging")
    assert said.out == f"run {run[-6:]} of deploy: queued\n"
    assert claw.ended(run)["state"] == "succeeded"
    assert [one.run for one in witness.lines()] == [run]
    approval = ctl("runs", "show", run, "--json").json["approval"]
    assert (approval["decision"], approval["reason"]) == ("approved", "tested on staging")
    assert f"approved by {approval['decided_by']}" in ctl("runs", "show", run).out
    assert "tested on staging" in ctl("why", run).out
    assert "was approved by" in ctl("reject", run, status=1).fault


def test_a_rejected_run_keeps_by_whom_and_why_and_all_is_audited(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(gated(witness))
    ctl = Shell(claw.environment)
    ctl("approve", ctl("run", "deploy").out.strip())
    other = ctl("run", "deploy").out.strip()
    ctl("reject", other, "not", "today")
    told = ctl("approvals", "list", "--all", "--json").json["approvals"]
    ended = claw.ended(other)
    assert ended["state"] == "canceled"
    assert ended["reason"] == f"rejected by {told[0]['decided_by']}: not today"
    assert ctl("approvals", "list").out == "nothing waits for approval\n"
    assert [one["decision"] for one in told] == ["rejected", "approved"]

    assert "no alerts" in ctl("alerts", "list").out
    audited = Path(claw.home.audit_log).read_text().splitlines()
    assert sum('"approval.approve"' in line for line in audited) == 1
    assert sum('"approval.reject"' in line for line in audited) == 1


def test_a_batch_is_approved_by_its_id_and_bounded_by_the_limit(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(
        '[jobs.deploy]\ncommand = "true"\napproval = {}\nmax_pending_approvals = 3\n'
    )
    ctl = Shell(claw.environment)
    lines = tmp_path / "lines"
    lines.write_text("a\nb\nc\n")
    batch = ctl("run", "deploy", "--each", str(lines)).out.strip().splitlines()[-1].split()[-1]
    assert "3 runs of deploy may wait" in ctl("run", "deploy", status=None).fault
    budgets = ctl("status", "--budgets").out
    assert "deploy: max_pending_approvals: 3 of 3" in budgets
    ctl("approve", batch)
    assert ctl("wait", batch, "--json").json["states"] == {"succeeded": 3}


def test_what_was_decided_holds_over_a_kill_before_the_launch(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(gated(witness))
    asked, held, rejected = (claw.submit("deploy") for _ in range(3))
    claw.call("queue.pause")
    claw.call("approval.approve", run=held, reason="go")
    claw.call("approval.reject", run=rejected)
    claw.restart()

    states = {run["id"]: run["state"] for run in claw.runs("deploy")}
    assert states == {asked: "awaiting_approval", held: "queued", rejected: "canceled"}
    claw.call("queue.resume")
    assert claw.ended(held)["state"] == "succeeded"
    claw.call("approval.approve", run=asked)
    claw.restart()
    assert claw.ended(asked)["state"] == "succeeded"
    assert sorted(one.run for one in witness.lines()) == sorted([held, asked])


@pytest.mark.parametrize(
    ("on_timeout", "state"), [("reject", "canceled"), ("approve", "succeeded")]
)
def test_what_nobody_has_decided_expires_with_a_master_and_without(
    start_master: StartMaster, witness: Witness, on_timeout: str, state: str
) -> None:
    rule = f'timeout = "1s"\non_timeout = "{on_timeout}"'
    claw = start_master(gated(witness, rule))
    first = claw.ended(claw.submit("deploy"))
    assert first["state"] == state
    run = claw.submit("deploy")
    claw.kill()
    until = time.time() + 1.1
    while time.time() < until:
        time.sleep(0.05)
    claw.start()
    ended = claw.ended(run)
    assert ended["state"] == state
    assert (ended["reason"] == "approval expired") is (state == "canceled")


BY_HAND = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as door:
    door.connect(sys.argv[1])
    door.sendall(json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": sys.argv[2], "params": json.loads(sys.argv[3])}
    ).encode() + b"\\n")
    print(door.makefile().readline())
"""
PYTHON = Path("/usr/bin/python3")  # that any user can run
STRANGER = 65533


def ask_as(
    claw: MasterUnderTest, uid: int, method: str, groups: Collection[int] = (), **params: Any
) -> dict[str, Any]:
    """Ask the master as another user, at the socket that all users can reach."""
    done = subprocess.run(
        [PYTHON, "-c", BY_HAND, claw.home.job_socket, method, json.dumps(params)],
        user=uid,
        group=uid,
        extra_groups=groups,
        cwd="/",
        capture_output=True,
        timeout=30,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone() or "-")
@pytest.mark.skipif(not PYTHON.exists(), reason=f"needs {PYTHON}")
def test_users_who_are_named_decide_about_roots_runs_and_nobody_else_does() -> None:
    group = grp.getgrgid(users.NOBODY).gr_name
    jobs = f"""
[defaults]
command = "true"
[jobs.user.approval]
by = ["{users.NOBODY}"]
[jobs.group.approval]
by = ["group:{group}"]
[jobs.root.approval]
by = ["root"]
self = true
[jobs.any.approval]
"""
    with tempfile.TemporaryDirectory() as folder, master(Path(folder) / "h", jobs) as claw:
        Path(folder).chmod(0o755)
        (Path(folder) / "h").chmod(0o755)
        runs = {name: claw.submit(name) for name in ("user", "group", "root", "any")}
        ctl = Shell(claw.environment)
        denied = ctl("approve", runs["user"], status=None)
        assert denied.status
        assert "root is none of those who may decide" in denied.fault

        listed = ask_as(claw, users.NOBODY, "approval.list")["result"]["approvals"]
        assert sorted(one["job"] for one in listed) == ["group", "user"]
        assert ask_as(claw, STRANGER, "approval.list")["result"]["approvals"] == []
        for name in ("root", "any"):
            said = ask_as(claw, users.NOBODY, "approval.approve", run=runs[name])
            assert said["error"]["data"]["name"] == "denied", said
        for run in runs.values():
            said = ask_as(claw, STRANGER, "approval.reject", run=run)
            assert said["error"]["data"]["name"] == "denied", said
        assert "error" in ask_as(claw, users.NOBODY, "run.cancel", targets=[runs["any"]])

        said = ask_as(claw, users.NOBODY, "approval.approve", run=runs["user"], reason="ok")
        assert said["result"]["runs"][0]["state"] == "queued"
        said = ask_as(claw, STRANGER, "approval.reject", [users.NOBODY], run=runs["group"])
        assert said.get("result", said)["runs"][0]["state"] == "canceled", said
        assert claw.ended(runs["user"])["state"] == "succeeded"
        shown = claw.call("run.show", run=runs["user"])["approval"]
        assert (shown["decided_by"], shown["reason"]) == ("nobody", "ok")
        assert claw.ended(runs["group"])["reason"] == f"rejected by uid {STRANGER}"
        ctl("approve", runs["root"])
        audited = Path(claw.home.audit_log).read_text()
        assert f'"uid":{users.NOBODY}' in audited.replace(" ", "")


MANY = """
import json, socket, sys
with socket.socket(socket.AF_UNIX) as door:
    door.connect(sys.argv[1])
    answers = door.makefile()
    for no in range(60):
        asked = {"method": "approval.approve", "params": {"run": "a" * 50}}
        door.sendall(json.dumps(
            {"jsonrpc": "2.0", "id": no, **asked}
        ).encode() + b"\\n")
        answers.readline()
"""


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone() or "-")
@pytest.mark.skipif(not PYTHON.exists(), reason=f"needs {PYTHON}")
def test_users_who_have_no_say_do_not_fill_the_audit_log() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        master(Path(folder) / "h", '[jobs.a]\ncommand = "true"\n') as claw,
    ):
        Path(folder).chmod(0o755)
        (Path(folder) / "h").chmod(0o755)
        subprocess.run(
            [PYTHON, "-c", MANY, claw.home.job_socket],
            user=STRANGER,
            group=STRANGER,
            extra_groups=[],
            cwd="/",
            timeout=60,
            check=True,
        )
        lines = [json.loads(one) for one in Path(claw.home.audit_log).read_text().splitlines()]
        refused = [one for one in lines if one["uid"] == STRANGER]
        assert 20 <= len(refused) < 30
        assert {one["outcome"] for one in refused} == {"denied"}


def test_a_user_who_is_neither_root_nor_the_owner_asks_at_the_socket_of_all(
    tmp_path: Path,
) -> None:
    with master(tmp_path / "h", '[jobs.a]\ncommand = "true"\n') as claw:
        for uid, place in (
            (0, claw.home.control_socket),
            (os.geteuid(), claw.home.control_socket),
            (STRANGER, claw.home.job_socket),
        ):
            with Client.of_peer(claw.home, uid) as client:
                assert client._path == place
