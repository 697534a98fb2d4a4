"""Runs without a job of the configuration: found by name while there is history."""

import os
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from claw.config.transient import build_transient
from claw.errors import (
    ConflictError,
    DeniedError,
    NotFoundError,
    SaturatedError,
    UsageError,
)
from claw.master.asyncstore import AsyncStore
from claw.master.control.peers import Peer
from claw.master.control.targets import Aim
from claw.master.decider import Decider
from claw.master.engine import definitions, intake, intents, journal, sync, transients
from claw.master.engine.transients import Wish
from claw.master.engine.turn import Turn
from claw.master.handlers import transient
from claw.master.supervision.launches import Surroundings
from claw.master.views import statusview, whyview
from claw.model import ids
from claw.model.effect import Dispatch
from claw.model.job import Config, Daemon, Job
from claw.model.run import Origin, Run, State
from claw.model.transient import Transient
from tests.kit.desk import T0, Desk, job


def _submit(
    desk: Desk,
    *argv: str,
    name: str = "",
    after: str = "",
    key: str = "",
    due_at: datetime | None = None,
    **table: object,
) -> Run:
    wish = Wish(
        name=name,
        table={"argv": list(argv or ("/bin/true",)), "cwd": "/", **table},
        after=after,
    )
    ask = intake.Ask(
        job="",
        origin=Origin.MANUAL,
        key=key or f"k{desk._random(4).hex()}",
        due_at=due_at,
        env=(("A", "b"),),
    )
    return desk.do(lambda turn: transients.submit(turn, wish, ask))


def _job(desk: Desk, name: str) -> Job | None:
    return desk.do(lambda turn: definitions.recall(turn.tx, turn.config, name))


def test_it_is_named_after_the_program_and_the_run() -> None:
    desk = Desk()
    run = _submit(desk, "/usr/bin/pg_dump", "x")
    assert run.job == f"pg_dump-{run.id[-6:]}"
    odd = _submit(desk, "/x/.[odd] 'name'")
    assert odd.job == f"oddname-{odd.id[-6:]}"
    assert _submit(desk, "/x/€").job.startswith("run-")


def test_it_goes_through_the_gates_like_any_run_and_its_job_is_gone_from_the_open_ones() -> (
    None
):
    desk = Desk()
    run = _submit(desk, "a", "b", timeout="3s")
    assert [one.name for one in desk.config.known] == [run.job]
    [claim] = desk.dispatch()
    assert (claim.job.argv, claim.job.timeout_s, claim.run.env) == (
        ("a", "b"), 3, (("A", "b"),),
    )  # fmt: skip
    desk.launch(claim)
    desk.do(lambda turn: turn.end(turn.run(run.id), why="cancel", by="me"))
    found = _submit(desk)
    desk.do(lambda turn: intents.cancel_run(turn, found.id, by="me"))
    assert [one.name for one in desk.config.known] == [run.job]


def test_the_next_master_knows_the_open_ones_and_finds_the_others() -> None:
    desk = Desk()
    over = _submit(desk, name="over")
    desk.do(lambda turn: intents.cancel_run(turn, over.id, by="me"))
    _submit(desk, name="open", timeout="9s")

    desk.config = Config(daemon=desk.config.daemon)
    desk.do(lambda turn: definitions.load(turn.tx, turn.config))
    assert [one.name for one in desk.config.known] == ["open"]
    assert desk.config.job("over") is None
    assert _job(desk, "over") is not None
    assert desk.config.job("open").timeout_s == 9  # type: ignore[union-attr]
    assert _job(desk, "never") is None


def test_the_same_request_is_one_run() -> None:
    desk = Desk()
    first = _submit(desk, key="k")
    assert _submit(desk, key="k") == first


def test_a_name_is_free_when_no_job_and_no_open_run_has_it() -> None:
    desk = Desk(job("web"))
    with pytest.raises(ConflictError, match="there is a job 'web'"):
        _submit(desk, name="web")
    first = _submit(desk, "one", name="mine")
    with pytest.raises(ConflictError, match="has the name 'mine'"):
        _submit(desk, name="mine")
    desk.do(lambda turn: intents.stop_job(turn, "mine", by="me"))
    second = _submit(desk, "two", name="mine")
    assert second.id != first.id
    [claim] = desk.dispatch()
    assert claim.job.argv == ("two",)
    with pytest.raises(UsageError, match="no good name"):
        _submit(desk, name="all")


def test_what_is_refused_leaves_nothing() -> None:
    desk = Desk(daemon=Daemon(max_queue=1))
    _submit(desk)
    known = desk.config.known
    with pytest.raises(SaturatedError):
        _submit(desk, name="more")
    assert desk.config.known == known
    with pytest.raises(NotFoundError, match="no pool"):
        _submit(desk, pool="gpu")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"sockets": {"a": "tcp://:80"}}, "sockets: not for a run without a job"),
        ({"env": {}}, "env: not for"),
        ({"timeout": "soon"}, "timeout: "),
        ({"retry": {"preset": "x"}}, "retry.preset: "),
        ({"argv": []}, "argv"),
    ],
)
def test_keys_that_make_no_job_are_refused(table: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        build_transient("x", {"argv": ["a"], **table}, Transient())


def test_it_follows_a_run_that_ends_well() -> None:
    desk = Desk(job("web"))
    first = desk.ask("web")
    after = _submit(desk, name="then", after=first.id)
    [claim] = desk.dispatch()
    assert claim.run.id == first.id
    assert "to end well" in (desk.run(after.id).waiting_for or "")
    desk.end(desk.launch(claim))
    [claim] = desk.dispatch()
    assert claim.run.id == after.id


def test_it_is_skipped_when_the_run_that_it_follows_ends_otherwise() -> None:
    desk = Desk(job("web"))
    first = desk.ask("web")
    after = _submit(desk, name="then", after=first.id)
    desk.do(lambda turn: intents.cancel_run(turn, first.id, by="me"))
    assert not desk.dispatch()
    found = desk.run(after.id)
    assert found.state is State.SKIPPED
    assert "which it was to follow, has ended: canceled" in (found.reason or "")


def test_what_is_said_of_one_that_waits_for_its_time_can_be_typed() -> None:
    desk = Desk()
    run = _submit(desk, name="later", due_at=T0 + timedelta(hours=1))
    _job(desk, "later")
    live = statusview.Live(now=desk.now, next_at=lambda _job: None)
    lines = desk.database.view(
        lambda tx: whyview.explain_job(tx, desk.config, Aim("later"), live)
    )
    said = "\n".join(lines)
    assert "clawctl run " not in said  # it was there for one run
    assert f"clawctl cancel {ids.short(run.id)}" in said


def test_those_that_follow_a_bad_end_are_skipped_one_after_the_other() -> None:
    desk = Desk(job("web"))
    first = desk.ask("web")
    followers = [_submit(desk, after=first.id)]
    for _ in range(4):
        followers.append(_submit(desk, after=followers[-1].id))
    [claim] = desk.dispatch()
    desk.end(desk.launch(claim), 1)
    for _ in followers:
        assert Dispatch() in desk.effects  # nobody else wakes the gates
        desk.effects.clear()
        assert not desk.dispatch()
    assert {desk.run(run.id).state for run in followers} == {State.SKIPPED}


def test_its_rows_are_listed_newest_first_and_go_with_the_runs() -> None:
    desk = Desk(job("web"))
    runs = []
    for number in range(3):
        runs.append(_submit(desk, name=f"n{number}").id)
        desk.pass_s(60)
        desk.ask("web")

    def page(before: str | None = None, since: str = "", limit: int = 9) -> list[str]:
        found = desk.database.view(lambda tx: tx.transient_runs(before, since, limit))
        return [run.id for run in found]

    assert page() == runs[::-1]
    assert page(before=runs[2], limit=1) == [runs[1]]
    assert page(since=runs[1]) == [runs[2], runs[1]]
    with desk.database._writer as writer:
        writer.execute("DELETE FROM runs WHERE id = ?", (runs[0],))
    assert page() == [runs[2], runs[1]]
    assert desk.database.view(lambda tx: tx.transient("n0")) is None


def test_a_stop_of_it_does_not_close_the_next_of_that_name() -> None:
    desk = Desk()
    _submit(desk, name="mine")
    desk.do(lambda turn: intents.stop_job(turn, "mine", by="me"))
    _submit(desk, name="mine")
    assert [claim.run.job for claim in desk.dispatch()] == ["mine"]


def test_a_reload_leaves_it_alone() -> None:
    desk = Desk(job("web"))
    run = _submit(desk, name="mine")
    desk.do(lambda turn: intents.pause_job(turn, "mine", by="me"))
    desk.config = replace(desk.config, jobs=(job("new"),))
    desk.do(sync.sync)
    assert desk.run(run.id).is_open
    assert desk.standing("mine").paused_by == "me"


def _peer(uid: int, role: str = "admin") -> Peer:
    return Peer(pid=1, uid=uid, gid=uid + 1, role=role, name=f"u{uid}", groups=(7, 8))


def _as(monkeypatch: pytest.MonkeyPatch, owner: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: owner)


def test_who_asks_is_whom_it_runs_as(monkeypatch: pytest.MonkeyPatch) -> None:
    _as(monkeypatch, 0)
    assert transient.identity_of(_peer(0), None) == ({}, None)
    assert transient.identity_of(_peer(500, "operator"), None) == (
        {"user": "500", "group": "501"},
        (7, 8),
    )
    assert transient.identity_of(_peer(500, "operator"), "500") == (
        {"user": "500", "group": "501"},
        (7, 8),
    )


def test_another_user_needs_an_admin_and_roots_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    _as(monkeypatch, 0)
    assert transient.identity_of(_peer(500), "600") == ({"user": "600"}, None)
    with pytest.raises(DeniedError, match="needs the role admin"):
        transient.identity_of(_peer(500, "operator"), "600")
    with pytest.raises(NotFoundError, match="no user"):
        transient.identity_of(_peer(500), "nobody-of-that-name")
    _as(monkeypatch, 500)
    assert transient.identity_of(_peer(500), None) == ({}, None)
    assert transient.identity_of(_peer(0), "500") == ({}, None)
    with pytest.raises(DeniedError, match="can run nothing as"):
        transient.identity_of(_peer(0), None)


def test_the_groups_of_who_asks_are_taken_as_the_kernel_tells_them() -> None:
    around = Surroundings({}, 0)
    found = around._as("500", "501")
    job = build_transient("x", {"argv": ["a"]}, Transient(groups=(7, 8)))
    assert found.exactly(job).identity == (500, 501, [7, 8])
    assert found.identity != (500, 501, [7, 8])


async def test_a_definition_is_there_until_the_end_of_its_run_is_on_disk() -> None:
    desk = Desk()
    run = _submit(desk, success_codes=[0, 3])
    [claim] = desk.dispatch()
    found = desk.launch(claim)
    begin = len(found.data)
    found.exit(1, 3)
    found.add("ended", run=run.id, attempt=1, why="exit", by="")

    async def perform(_effects: object) -> None:
        return

    def apply(turn: Turn) -> None:
        journal.apply_journal(turn, found.sid, found.data[begin:], begin)

    def fail(turn: Turn) -> None:
        apply(turn)
        raise ZeroDivisionError

    decide = Decider(AsyncStore(desk.database), lambda: desk.config, perform)
    with pytest.raises(ZeroDivisionError):
        await decide(fail)
    for no in range(300):  # as many others are asked for meanwhile
        desk.config.transients.keep(replace(claim.job, name=f"other{no}"))
    assert [one.name for one in desk.config.known] == [run.job]
    await decide(apply)
    assert desk.run(run.id).state is State.SUCCEEDED
    assert desk.config.known == ()


def test_a_run_that_could_not_be_stored_leaves_no_job_behind() -> None:
    desk = Desk()
    wish = Wish(table={"argv": ["/bin/true"], "cwd": "/"})
    ask = intake.Ask(job="", origin=Origin.MANUAL, key="k")

    def fail(turn: Turn) -> None:
        transients.submit(turn, wish, ask)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        desk.do(fail)
    assert desk.config.known == ()
