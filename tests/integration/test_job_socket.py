"""The socket for the children of runs: a token says whose child it is, and what it may do."""

import contextlib
import os
import stat
from pathlib import Path

import pytest
import trio

from claw.master.control.limits import Limits
from claw.master.control.peers import user_name
from claw.master.engine import dispatch
from claw.master.engine.turn import Turn
from claw.master.tokens import Tokens
from claw.model import machine
from claw.model.approval import Approval
from tests.kit.control import Client, Desk, job, serving


async def a_run(desk: Desk) -> tuple[str, str]:
    """Return a claimed run of job ``j`` and its token."""
    client = await desk.connect()
    run = (await client.call("run.submit", job="j"))["run"]
    await desk.decide(dispatch.dispatch)
    return run, Tokens(desk.home.token_key).of(run)


async def child(desk: Desk, token: str | None = None) -> Client:
    client = Client(await trio.open_unix_socket(desk.home.job_socket))
    desk._clients.append(client)
    if token is not None:
        assert (await client.call("hello", token=token))["role"] == "child"
    return client


async def test_a_child_claims_for_its_run(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j", max_instances=2)) as desk:
        run, token = await a_run(desk)
        other_run, other_token = await a_run(desk)
        client, other = await child(desk, token), await child(desk, other_token)

        mine = await client.call("idem.claim", key="k")
        taken = await other.call("idem.claim", key="k")
        checked = await other.call("idem.check", key="k")
        refused = await other.refusal("idem.release", key="k")
        shown = await client.call("run.show", run=run)
        secret = await other.refusal("run.show", run=run)

        assert (mine["claimed"], mine["run"]) == (True, run)
        assert (taken["claimed"], taken["run"]) == (False, run)
        assert (checked["state"], checked["run"]) == ("claimed", run)
        assert refused["data"]["name"] == "conflict"
        assert shown["id"] == run
        assert secret["data"]["name"] == "denied"
        assert other_run in secret["message"]


async def test_nothing_is_done_for_a_child_without_a_token(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j")) as desk:
        run, token = await a_run(desk)
        client = await child(desk)

        before = await client.refusal("idem.claim", key="k")
        forged = await client.refusal("hello", token=token[:-1] + "x")
        none = await client.refusal("hello")
        after = await client.refusal("idem.claim", key="k")

        refusals = (before, forged, none, after)
        assert {one["data"]["name"] for one in refusals} == {"denied"}
        assert run not in forged["message"]


async def test_a_child_hands_back_a_result(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j")) as desk:
        run, token = await a_run(desk)
        client, admin = await child(desk, token), await desk.connect()

        await client.call("run.set_result", value={"rows": [1, None]})
        refused = await admin.refusal("run.set_result", value=1)

        assert (await admin.call("run.result", run=run))["result"] == {"rows": [1, None]}
        assert refused["data"]["name"] == "denied"


async def test_a_child_may_do_nothing_else(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j")) as desk:
        _, token = await a_run(desk)
        client = await child(desk, token)

        for method in ("job.status", "run.list", "run.cancel", "idem.prune", "daemon.stop"):
            assert (await client.refusal(method))["data"]["name"] == "denied"
        assert (await client.refusal("no.such"))["data"]["name"] == "unknown_method"


async def test_a_token_ends_with_its_run(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j")) as desk:
        run_id, token = await a_run(desk)
        client = await child(desk, token)

        def end(turn: Turn) -> None:
            run = turn.run(run_id)
            turn.take(run, machine.lose(run, None, why="gone", at=turn.now))

        await desk.decide(end)

        assert "is over" in (await client.refusal("idem.claim", key="k"))["message"]
        assert "is over" in (await client.refusal("run.submit", job="j"))["message"]
        assert "is over" in (await (await child(desk)).refusal("hello", token=token))["message"]


async def test_a_request_id_is_a_runs_own_and_has_one_effect(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j", max_instances=2), job("b")) as desk:
        run, token = await a_run(desk)
        other_run, other_token = await a_run(desk)
        client, other = await child(desk, token), await child(desk, other_token)

        first = await client.call("run.submit", job="b", request_id="one")
        again = await (await child(desk, token)).call("run.submit", job="b", request_id="one")
        others = await other.call("run.submit", job="b", request_id="one")
        twisted = await client.refusal("run.submit", job="j", request_id="one")

        assert again == first != others
        shown = [await client.call("run.show", run=first["run"]),
                 await other.call("run.show", run=others["run"])]  # fmt: skip
        assert [one["parent"] for one in shown] == [run, other_run]
        assert [one["origin"] for one in shown] == ["child", "child"]
        assert twisted["data"]["name"] == "conflict"
        assert (await client.refusal("run.show", run=others["run"]))["data"]["name"] == "denied"


async def test_all_users_can_reach_the_socket_and_nobody_looks_around(tmp_path: Path) -> None:
    async with serving(tmp_path, job("j")) as desk:
        await child(desk)

        assert mode_of(f"{desk.home.run}/job") == 0o711
        assert mode_of(desk.home.job_socket) == 0o666
        assert mode_of(desk.home.control_socket) == 0o600


async def test_whoever_shows_no_token_in_time_is_cut_off_whatever_else_it_says(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, job("j"), limits=Limits(hello_s=1.0)) as desk:
        _, token = await a_run(desk)
        known, silent, loud = await child(desk, token), await child(desk), await child(desk)
        admin = await desk.connect()

        async def talk() -> None:
            with contextlib.suppress(trio.BrokenResourceError):
                while True:  # and reads no answer
                    await loud.send(b'{"jsonrpc":"2.0","id":1,"method":"job.status"}\n' * 100)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk)
            with pytest.raises(EOFError):
                await silent.line()
        assert (await known.call("idem.check", key="k"))["state"] == "free"
        assert await admin.call("job.status")  # no token, and stays


def mode_of(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def test_a_guest_does_not_learn_which_jobs_and_runs_there_are(tmp_path: Path) -> None:
    rule = Approval(by=("nobody",))
    async with serving(tmp_path, job("j"), job("gated", approval=rule)) as desk:
        run, _ = await a_run(desk)
        gated = (await (await desk.connect()).call("run.submit", job="gated"))["run"]
        client = await child(desk)

        assert (await client.call("approval.list", job="gatde"))["approvals"] == []
        assert (await client.call("approval.list", job="gated"))["approvals"] == []
        for method in ("approval.approve", "approval.reject"):
            for text in ("r" + "0" * 26, "abcdef", run[:8], run, gated):
                refused = await client.refusal(method, run=text)
                me = user_name(os.geteuid())
                assert refused["data"]["name"] == "denied"
                assert refused["message"] == f"no run {text!r} waits for {me} to decide"
