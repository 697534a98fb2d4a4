"""Which runs follow the end of a run, and what is told of those that do not."""

from itertools import pairwise

import pytest

from claw.master.engine import descent, intents, services
from claw.model import condition
from claw.model.evidence import Evidence
from claw.model.job import Daemon, Job
from claw.model.lineage import MAX_DEPTH
from claw.model.retry import Retry
from claw.model.run import Origin, Run, State
from claw.model.trigger import Join, On, Trigger
from tests.kit.desk import BOOT, Desk, job


def after(*names: str, **values: object) -> Trigger:
    """Return what follows some jobs."""
    return Trigger(after=names, **values)  # type: ignore[arg-type]


def child(name: str, *parents: str, **values: object) -> Job:
    """Return a job that follows others."""
    return job(name, trigger=after(*parents, **values))


def ended(desk: Desk, name: str, code: int = 0, **values: object) -> Run:
    """Have a run of a job begin and end."""
    return desk.end(desk.begin(name), code, **values)  # type: ignore[arg-type]


def follow(desk: Desk, name: str, code: int = 0) -> Run:
    """Have the run of a job that waits begin and end."""
    (claim,) = [claim for claim in desk.dispatch() if claim.run.job == name]
    return desk.end(desk.launch(claim), code)


# -- which ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "begun"), [(0, ["on-complete", "on-success"]), (1, ["on-complete", "on-failure"])]
)
def test_an_end_begins_the_jobs_that_are_about_it(code: int, begun: list[str]) -> None:
    children = [child(f"on-{on}", "a", on=on) for on in On]
    desk = Desk(job("a"), *children)
    run = ended(desk, "a", code)
    found = {one.job: one for one in desk.runs() if one.job != "a"}
    assert sorted(found) == begun
    for one in found.values():
        assert (one.state, one.origin) == (State.QUEUED, Origin.TRIGGER)
        assert one.origin_key == f"{run.id}:{one.job}"
        assert (one.lineage.parent, one.lineage.root, one.lineage.depth) == (run.id, run.id, 1)


def test_a_run_that_timed_out_has_failed() -> None:
    desk = Desk(job("a"), child("b", "a", on=On.FAILURE))
    found = desk.begin("a")
    run = desk.end(found, None, signal=15, why="timeout")
    assert run.state is State.TIMED_OUT
    assert [one.state for one in desk.runs("b")] == [State.QUEUED]


def test_failures_follow_the_last_attempt_alone() -> None:
    policy = Retry(delays_s=(0,), max_attempts=3)
    desk = Desk(job("a", retry=policy), child("b", "a", on=On.FAILURE))
    found = desk.begin("a")
    for _ in range(2):
        assert desk.end(found, 1).state is State.RETRY_WAIT
        assert not desk.runs("b")
        (claim,) = desk.dispatch()
        found = desk.launch(claim)
    assert desk.end(found, 1).state is State.FAILED
    assert len(desk.runs("b")) == 1


def test_a_canceled_run_is_followed_on_complete_if_it_had_begun() -> None:
    desk = Desk(job("a"), *(child(f"on-{on}", "a", on=on) for on in On))
    found = desk.begin("a")
    run = desk.run_of(found)
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="me"))
    assert desk.end(found, None, signal=15, why="cancel").state is State.CANCELED
    assert {one.job for one in desk.runs()} == {"a", "on-complete"}


def test_what_never_began_is_followed_by_nothing() -> None:
    desk = Desk(job("a"), *(child(f"on-{on}", "a", on=on) for on in On))
    run = desk.ask("a")
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="me"))
    assert desk.run(run.id).state is State.CANCELED
    assert {one.job for one in desk.runs()} == {"a"}


def test_a_skipped_run_is_followed_by_nothing() -> None:
    desk = Desk(job("a"), child("b", "a", on=On.COMPLETE), child("c", "b", on=On.COMPLETE))
    desk.do(lambda turn: intents.pause_job(turn, "b", by="me"))
    ended(desk, "a")
    assert [one.state for one in desk.runs("b")] == [State.SKIPPED]
    assert not desk.runs("c")


# -- when ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["contains:x", "exit:3", "json:a=1"])
def test_a_condition_that_holds_lets_it_follow(text: str) -> None:
    desk = Desk(job("a"), child("b", "a", on=On.COMPLETE, when=condition.parse(text)))
    ended(desk, "a", 3, evidence=Evidence(met=("contains:x",), result='{"a":1}'))
    assert len(desk.runs("b")) == 1


@pytest.mark.parametrize("text", ["contains:y", "regex:x", "exit:4", "json:a=2"])
def test_a_condition_that_does_not_hold_lets_nothing_follow(text: str) -> None:
    desk = Desk(job("a"), child("b", "a", on=On.COMPLETE, when=condition.parse(text)))
    ended(desk, "a", 3, evidence=Evidence(met=("contains:x",), result='{"a":1}'))
    assert not desk.runs("b")


def test_a_delay_counts_from_the_end() -> None:
    desk = Desk(job("a"), child("b", "a", delay_s=60.0))
    run = ended(desk, "a")
    assert run.ended_at is not None
    (waiting,) = desk.runs("b")
    assert (waiting.due_at - run.ended_at).total_seconds() == 60
    assert not desk.dispatch()
    desk.pass_s(60)
    assert [claim.run.id for claim in desk.dispatch()] == [waiting.id]


# -- what cannot be begun --------------------------------------------------------------------


def test_of_those_that_follow_one_end_the_last_in_order_are_too_many() -> None:
    when = condition.parse("contains:x")
    children = [child(f"c{no}", "a", max_fanout=3) for no in range(5)]
    desk = Desk(job("a"), child("b", "a", when=when), *children)
    ended(desk, "a")
    found = {one.job: one for one in desk.runs() if one.job != "a"}
    # What b is about did not happen: it takes no place.
    assert {name: one.state for name, one in found.items()} == {
        **dict.fromkeys(("c0", "c1", "c2"), State.QUEUED),
        **dict.fromkeys(("c3", "c4"), State.SKIPPED),
    }
    assert found["c3"].reason is not None
    assert found["c3"].reason.startswith("trigger.max_fanout = 3: it is number 4 of the jobs")


@pytest.mark.parametrize("how", ["paused", "stopped", "disabled"])
def test_a_job_that_may_not_begin_is_skipped_with_a_word(how: str) -> None:
    desk = Desk(job("a"), job("b", trigger=after("a"), enabled=how != "disabled"))
    if how == "paused":
        desk.do(lambda turn: intents.pause_job(turn, "b", by="me"))
    elif how == "stopped":
        desk.do(lambda turn: intents.stop_job(turn, "b", by="me"))
    ended(desk, "a")
    (one,) = desk.runs("b")
    assert one.state is State.SKIPPED
    assert one.reason is not None
    assert how in one.reason


def test_a_full_queue_is_said_in_a_row() -> None:
    desk = Desk(job("a"), child("b", "a"), job("c"), daemon=Daemon(max_queue=1))
    found = desk.begin("a")
    run = desk.end(found)
    assert run.state is State.SUCCEEDED
    assert [one.state for one in desk.runs("b")] == [State.QUEUED]
    other = desk.end(desk.launch(desk.dispatch()[0]))
    assert other.job == "b"
    desk.ask("c")
    (c,) = desk.dispatch()
    begun = desk.launch(c)
    desk.set_config(*desk.config.jobs, child("d", "c"), child("e", "c"))
    desk.end(begun)
    assert [one.state for one in desk.runs("d")] == [State.QUEUED]
    (late,) = desk.runs("e")
    assert late.state is State.SKIPPED
    assert late.reason is not None
    assert "daemon.max_queue" in late.reason


def test_only_so_many_runs_come_of_each_other() -> None:
    names = [f"j{no:02}" for no in range(MAX_DEPTH + 2)]
    jobs = [child(name, before) for before, name in pairwise(names)]  # no file may say so
    desk = Desk(job(names[0]), *jobs)
    ended(desk, names[0])
    for name in names[1:-1]:
        assert follow(desk, name).state is State.SUCCEEDED
    (last,) = desk.runs(names[-1])
    assert (last.state, last.lineage.depth) == (State.SKIPPED, MAX_DEPTH + 1)
    assert last.reason is not None
    assert last.reason.startswith("too deep")


def test_a_way_back_that_a_reload_has_made_is_not_gone() -> None:
    desk = Desk(job("a"), child("b", "a"))
    ended(desk, "a")
    desk.set_config(child("a", "b"), job("b"))
    assert follow(desk, "b").state is State.SUCCEEDED
    again, _first = desk.runs("a")
    assert (again.state, again.reason) == (State.SKIPPED, "cycle: a > b > a")
    assert not desk.runs("c")


# -- several ---------------------------------------------------------------------------------


def test_with_any_each_of_several_ends_begins_a_run() -> None:
    desk = Desk(job("a"), job("b"), child("c", "a", "b", join=Join.ANY))
    ended(desk, "a")
    ended(desk, "b")
    assert [one.origin for one in desk.runs("c")] == [Origin.TRIGGER] * 2


def test_jobs_with_nothing_in_common_are_joined_by_their_last_ends() -> None:
    desk = Desk(job("a"), job("b"), child("c", "a", "b"))
    ended(desk, "a")
    newer = ended(desk, "a")
    assert not desk.runs("c")
    ended(desk, "b", 1)
    assert not desk.runs("c")
    last = ended(desk, "b")
    (one,) = desk.runs("c")
    assert one.origin is Origin.JOIN
    assert one.origin_key == f"{newer.id}+{last.id}:c"
    assert one.lineage.parent == last.id
    assert descent.parents_of(one) == (newer.id, last.id)
    ended(desk, "b")
    assert len(desk.runs("c")) == 1  # it takes a new end of both
    ended(desk, "a")
    assert len(desk.runs("c")) == 2


def test_jobs_that_come_of_one_are_joined_by_that_ones_run() -> None:
    a = job("a", max_instances=2)
    b, c = (job(name, trigger=after("a"), max_instances=2) for name in "bc")
    desk = Desk(a, b, c, child("d", "b", "c"))
    for _ in range(2):
        desk.ask("a")
    first, second = (desk.end(desk.launch(claim)) for claim in desk.dispatch())
    begun = {
        (claim.run.job, claim.run.lineage.root): desk.launch(claim) for claim in desk.dispatch()
    }
    assert len(begun) == 4
    ends = [desk.end(begun[pair]) for pair in (("b", first.id), ("c", second.id))]
    assert not desk.runs("d")
    last = desk.end(begun["b", second.id])
    (one,) = desk.runs("d")
    assert (one.lineage.root, one.lineage.parent) == (second.id, last.id)
    assert set(descent.parents_of(one)) == {ends[1].id, last.id}
    desk.end(begun["c", first.id])
    assert {one.lineage.root for one in desk.runs("d")} == {first.id, second.id}


def test_ends_that_another_rule_has_gathered_do_not_count() -> None:
    desk = Desk(job("a"), job("b"), child("c", "a", "b", on=On.FAILURE))
    ended(desk, "a", 1)
    desk.set_config(job("a"), job("b"), child("c", "a", "b"))
    ended(desk, "b")
    assert not desk.runs("c")
    ended(desk, "a")
    assert len(desk.runs("c")) == 1


# -- once ------------------------------------------------------------------------------------


def test_a_journal_that_is_read_again_begins_nothing_again() -> None:
    desk = Desk(job("a"), child("b", "a"))
    found = desk.begin("a")
    desk.end(found)
    desk.read(found, 0)
    assert len(desk.runs("b")) == 1


def test_what_follows_a_run_that_a_shutdown_ended_waits_for_the_next_daemon() -> None:
    desk = Desk(job("a"), child("b", "a", on=On.COMPLETE), child("c", "a", on=On.FAILURE))
    desk.ask("a")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    desk.end(found, None, signal=15, why="shutdown")
    assert desk.run(claim.run.id).state is State.CANCELED
    assert [run.state for run in desk.runs("b")] == [State.QUEUED]
    assert desk.runs("c") == ()
    assert desk.dispatch() == ()
    desk.do(lambda turn: services.begin(turn, BOOT))
    (follower,) = desk.dispatch()
    assert follower.run.job == "b"
