"""Roles at the control socket: every method for every role, and what operators may set.

The peers are what the kernel would say of other users; that it does, test_other_users.py tries
with real ones.
"""

import os
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.testing

from claw.commands.method import ADMIN, OPERATOR, ROLES, VIEWER
from claw.commands.methods import METHODS
from claw.master.control import peers, server
from claw.model.access import ARGUMENTS, Members, Roles
from claw.model.job import Config, Daemon
from claw.model.workflow import Step, Workflow
from tests.kit.control import Client, Desk, job, serving

UIDS = {VIEWER: 990001, OPERATOR: 990002, ADMIN: 990003, "": 990004}
GIDS = {VIEWER: 880001, OPERATOR: 880002}
TABLE = Roles(
    viewer=Members((str(UIDS[VIEWER]),), (str(GIDS[VIEWER]),)),
    operator=Members((str(UIDS[OPERATOR]),), (str(GIDS[OPERATOR]),)),
    admin=Members((str(UIDS[ADMIN]),)),
)
WEB = job("web", params=("REGION",), env=(("MODE", "hunter2"),))
ETL = job("etl", params=("REGION", ARGUMENTS))
WHOLE = job(
    "whole",
    workflow=Workflow(steps=(Step(name="one", job="web"),), params=(("DAY", "secret"),)),
)
VIEWERS = frozenset(
    {
        "hello", "rpc.discover", "job.status", "job.search", "job.why", "job.sla",
        "job.list", "job.definition", "job.tree", "job.next", "incident.subject",
        "incident.journals", "incident.journal", "queue.list", "queue.budgets",
        "pool.list", "run.stale", "run.batch", "run.show", "run.list", "run.wait",
        "daemon.metrics", "doctor.check", "name.list", "run.result", "run.output",
        "log.read", "log.follow", "event.subscribe",
        "event.unsubscribe", "event.list", "bridge.list", "daemon.status", "dlq.list",
        "approval.list", "alert.list", "delivery.list", "alias.list", "lock.list",
        "workflow.list", "workflow.show", "idem.list", "idem.check",
    }
)  # fmt: skip
OPERATORS = VIEWERS | frozenset(
    {
        "job.start", "job.stop", "job.restart", "job.scale", "job.pause", "job.resume",
        "job.signal", "job.reload", "run.submit", "run.submit_batch", "run.transient",
        "run.cancel", "run.retry", "run.set_result", "queue.pause", "queue.resume",
        "queue.clear", "event.emit", "dlq.reinject", "approval.approve",
        "approval.reject", "alert.ack", "delivery.retry", "delivery.test",
        "workflow.compose", "workflow.retry", "idem.claim",
    }
)  # fmt: skip
"""Beside what these two have, everything is for admins: a method must be put here by hand."""


class Caller:
    """Who the next connections are of, in the place of what the kernel says."""

    def __init__(self) -> None:
        self.uid = os.getuid()
        self.groups: tuple[int, ...] = ()
        self.is_forwarded = False

    def identify(self, connection: object) -> peers.Peer:
        """Return who connects, as `peers.identify` would."""
        known = peers.identify(connection)  # type: ignore[arg-type]
        is_owner = self.uid in (0, peers.owner())
        return replace(
            known,
            uid=self.uid,
            gid=self.uid,
            role=ADMIN if is_owner else "",
            groups=self.groups,
            name=peers.user_name(self.uid),
            is_forwarded=self.is_forwarded,
        )


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> Caller:
    found = Caller()
    monkeypatch.setattr(server, "identify", found.identify)
    return found


@pytest.fixture
async def desk(tmp_path: Path, caller: Caller) -> AsyncIterator[Desk]:
    caller.groups = ()
    config = Config(jobs=(WEB, ETL, WHOLE), daemon=Daemon(roles=TABLE, control_mode=0o666))
    async with serving(tmp_path, config=config) as found:
        yield found


async def come(desk: Desk, caller: Caller, role: str) -> Client:
    caller.uid = UIDS[role]
    client = await desk.connect()
    if role:  # the next one may be another user's once this one was let in
        assert (await client.call("hello"))["role"]
    return client


def allowed(role: str) -> frozenset[str]:
    return {VIEWER: VIEWERS, OPERATOR: OPERATORS, ADMIN: frozenset(METHODS)}[role]


def test_each_method_is_for_the_role_that_is_written_here() -> None:
    found = {
        role: {one.name for one in METHODS.values() if ROLES.index(one.role) <= rank}
        for rank, role in enumerate(ROLES)
    }

    assert found == {role: allowed(role) for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_call_its_methods_and_no_other(
    role: str, desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, role)
    denied = set()

    for name in METHODS:
        # No method knows such a parameter: who may call it is told that, and nothing is done.
        error = await client.refusal(name, no_such_thing=1)
        assert error["data"]["name"] in {"denied", "usage"}, (name, error)
        if error["data"]["name"] == "denied":
            assert f"needs the role {METHODS[name].role}" in error["message"]
            denied.add(name)

    assert denied == METHODS.keys() - allowed(role)


async def test_who_has_a_name_that_nobody_tells_holds_up_nobody_else(
    desk: Desk, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, told = threading.Event(), threading.Event()

    def name_of(uid: int) -> str:
        if uid == UIDS[OPERATOR]:
            asked.set()
            told.wait()
        return peers.user_name(uid)

    monkeypatch.setattr(server, "user_name", name_of)
    try:
        caller.uid = UIDS[OPERATOR]
        waiting = await desk.connect()
        assert await trio.to_thread.run_sync(asked.wait, 30.0)
        await come(desk, caller, ADMIN)
    finally:
        told.set()
    assert (await waiting.call("hello"))["role"] == OPERATOR


async def test_hello_tells_the_role_and_discover_that_of_each_method(
    desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, OPERATOR)

    assert (await client.call("hello"))["role"] == OPERATOR
    found = (await client.call("rpc.discover"))["methods"]
    assert {one["name"]: one["role"] for one in found} == {
        one.name: one.role for one in METHODS.values()
    }


@pytest.mark.parametrize(("role", "gid"), GIDS.items())
async def test_a_group_of_the_process_gives_its_role(
    role: str, gid: int, desk: Desk, caller: Caller
) -> None:
    caller.groups = (7, gid)
    caller.uid = UIDS[""]
    client = await desk.connect()

    assert (await client.call("hello"))["role"] == role


async def test_the_highest_role_counts(desk: Desk, caller: Caller) -> None:
    caller.groups = (GIDS[VIEWER], GIDS[OPERATOR])
    client = await come(desk, caller, VIEWER)

    assert (await client.call("hello"))["role"] == OPERATOR


async def test_who_has_no_role_is_refused_and_that_is_on_record(
    desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, "")

    answer = await client.line()

    assert (answer["id"], answer["error"]["data"]["name"]) == (None, "denied")
    assert "uid 990004 may not use the master of" in answer["error"]["message"]
    assert "[control.roles]" in answer["error"]["data"]["hint"]
    with pytest.raises(EOFError):
        await client.line()
    [line] = desk.audit_lines()
    assert (line["uid"], line["user"], line["role"]) == (990004, "uid 990004", "")
    assert (line["method"], line["outcome"]) == ("connect", "denied")


async def test_what_is_denied_is_on_record_with_who_asked(desk: Desk, caller: Caller) -> None:
    client = await come(desk, caller, VIEWER)

    await client.refusal("job.stop", targets=["web"])
    await client.refusal("job.validate", jobs={})

    lines = desk.audit_lines()
    assert [(one["user"], one["role"], one["method"], one["outcome"]) for one in lines] == [
        ("uid 990001", VIEWER, "job.stop", "denied"),
        ("uid 990001", VIEWER, "job.validate", "denied"),
    ]


# -- reloads -------------------------------------------------------------------------------


async def reload(desk: Desk, roles: Roles) -> None:
    config = desk.config.current
    desk.config.current = replace(config, daemon=replace(config.daemon, roles=roles))
    desk.config.reloads.announce()
    await trio.testing.wait_all_tasks_blocked()


async def test_a_reload_takes_a_role_from_who_is_there_already(
    desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, OPERATOR)
    await client.call("job.stop", targets=["web"])
    await reload(desk, replace(TABLE, operator=Members(), viewer=TABLE.operator))

    assert (await client.call("hello"))["role"] == VIEWER
    error = await client.refusal("job.stop", targets=["web"])
    assert "needs the role operator; uid 990002 is viewer" in error["message"]


async def test_a_reload_ends_the_streams_of_who_has_no_role_any_more(
    desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, VIEWER)
    stays = await come(desk, caller, OPERATOR)
    await client.call("event.subscribe")
    await stays.call("event.subscribe")
    await reload(desk, replace(TABLE, viewer=Members()))

    with pytest.raises(EOFError):
        await client.line()
    await desk.happen("test.thing")
    assert (await stays.notification("event"))["type"] == "test.thing"


async def test_the_socket_is_open_to_others_while_there_are_roles(
    tmp_path: Path, caller: Caller
) -> None:
    def modes() -> tuple[int, int]:
        run = tmp_path / "run"
        return run.stat().st_mode & 0o777, (run / "control.sock").stat().st_mode & 0o777

    async with serving(tmp_path, WEB) as desk:
        assert modes()[1] == 0o600
        daemon = Daemon(roles=TABLE, control_mode=0o666)
        desk.config.current = replace(desk.config.current, daemon=daemon)
        desk.config.reloads.announce()
        await trio.testing.wait_all_tasks_blocked()
        assert modes() == (0o755, 0o666)
        client = await come(desk, caller, VIEWER)
        assert (await client.call("hello"))["role"] == VIEWER

        desk.config.current = replace(desk.config.current, daemon=Daemon())
        desk.config.reloads.announce()
        await trio.testing.wait_all_tasks_blocked()
        assert modes() == (0o711 if os.geteuid() == 0 else 0o700, 0o600)
        with pytest.raises(EOFError):
            await client.line()


# -- what a viewer sees, and what an operator may set --------------------------------------


async def test_a_viewer_sees_no_values_of_variables(desk: Desk, caller: Caller) -> None:
    client = await come(desk, caller, VIEWER)

    shown = await client.call("workflow.show", workflow="whole")

    assert shown["params"] == {"DAY": "****"}
    operator = await come(desk, caller, OPERATOR)
    assert (await operator.call("workflow.show", workflow="whole"))["params"] == {
        "DAY": "secret"
    }


async def test_a_viewer_sees_no_values_of_a_command_that_ran_once(
    desk: Desk, caller: Caller
) -> None:
    owner = await desk.connect()
    table = {"argv": ["true"], "cwd": "/"}
    job = (await owner.call("run.transient", table=table, env={"TOKEN": "hunter2"}))["job"]
    client = await come(desk, caller, VIEWER)

    shown = await client.call("job.definition", job=job)

    assert "hunter2" not in str(shown)
    assert "hunter2" not in str(await client.call("run.list"))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("run.submit", {"job": "web", "env": {"OTHER": "x"}}),
        ("run.submit", {"job": "web", "env": {"REGION": "x", "LD_PRELOAD": "/tmp/x.so"}}),
        ("run.submit", {"job": "web", "args": ["-x"]}),
        (
            "run.submit_batch",
            {"job": "web", "runs": [{"env": {"REGION": "x"}}, {"args": ["x"]}]},
        ),
        ("run.submit_batch", {"job": "web", "runs": [{}], "env": {"PATH": "/tmp"}}),
        ("workflow.compose", {"kind": "chain", "jobs": ["etl", "web"], "env": {"A": "b"}}),
        ("run.transient", {"table": {"argv": ["id"], "cwd": "/"}, "user": "root"}),
    ],
)
async def test_an_operator_may_set_only_what_a_job_allows(
    method: str, params: dict[str, object], desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, OPERATOR)

    error = await client.refusal(method, **params)

    assert error["data"]["name"] == "denied"
    assert (await client.call("run.list"))["runs"] == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("run.submit", {"job": "web", "env": {"REGION": "x"}}),
        ("run.submit", {"job": "etl", "args": ["-x"]}),
        ("run.submit_batch", {"job": "etl", "runs": [{"args": ["x"], "env": {"REGION": "x"}}]}),
        ("workflow.compose", {"kind": "chain", "jobs": ["etl", "web"], "env": {"REGION": "b"}}),
    ],
)
async def test_an_operator_may_set_what_a_job_allows(
    method: str, params: dict[str, object], desk: Desk, caller: Caller
) -> None:
    client = await come(desk, caller, OPERATOR)

    await client.call(method, **params)

    assert (await client.call("run.list"))["runs"]


async def test_an_operator_may_repeat_what_an_admin_has_set(desk: Desk, caller: Caller) -> None:
    admin = await come(desk, caller, ADMIN)
    run = (await admin.call("run.submit", job="web", env={"OTHER": "x"}))["run"]
    await admin.call("run.cancel", targets=[run])
    operator = await come(desk, caller, OPERATOR)

    again = await operator.call("run.retry", targets=[run])

    assert again


# -- tokens of forwarded connections -------------------------------------------------------


@pytest.fixture
async def guarded(tmp_path: Path, caller: Caller) -> AsyncIterator[Desk]:
    token = tmp_path / "token"
    token.write_text("correct horse\n")
    token.chmod(0o600)
    caller.is_forwarded = True
    config = Config(jobs=(WEB,), daemon=Daemon(roles=TABLE, token_file=str(token)))
    async with serving(tmp_path, config=config) as found:
        yield found


@pytest.mark.parametrize("role", ["owner", ADMIN, VIEWER])
async def test_a_forwarded_connection_has_to_show_the_token(
    role: str, guarded: Desk, caller: Caller
) -> None:
    caller.uid = UIDS.get(role, os.getuid())
    client = await guarded.connect()

    first = await client.refusal("job.status")
    wrong = await client.refusal("hello", token="correct hors")
    missing = await client.refusal("hello")
    still = await client.refusal("job.status")
    await client.call("hello", token="correct horse")

    assert "forwarded socket, where a token is required" in first["message"]
    assert "--token-file" in first["data"]["hint"]
    assert wrong["message"] == "that is not the token of this daemon"
    assert missing["message"] == "a token is required"
    assert still == first
    assert [one["name"] for one in (await client.call("job.status"))["jobs"]] == ["web"]
    said = guarded.audit_lines()
    assert "correct" not in str(said)
    assert [one["method"] for one in said] == ["job.status", "hello", "hello", "job.status"]


async def test_a_connection_of_this_host_needs_no_token(guarded: Desk, caller: Caller) -> None:
    caller.is_forwarded = False
    client = await guarded.connect()

    assert (await client.call("job.status"))["jobs"]


async def test_a_token_gives_no_role(guarded: Desk, caller: Caller) -> None:
    client = await come(guarded, caller, "")

    assert (await client.line())["error"]["data"]["name"] == "denied"


async def test_a_token_file_that_others_can_read_is_none(guarded: Desk) -> None:
    path = trio.Path(guarded.config.current.daemon.token_file)
    await path.chmod(0o640)
    client = await guarded.connect()

    error = await client.refusal("hello", token="correct horse")

    assert "others may read or write it: chmod 600" in error["message"]
    await path.unlink()
    error = await client.refusal("hello", token="correct horse")
    assert "No such file" in error["message"]


def test_what_streams_is_for_viewers() -> None:
    """So a reload that leaves somebody a role, be it a lower one, leaves them their streams."""
    assert {one.role for one in METHODS.values() if one.sends} == {VIEWER}
