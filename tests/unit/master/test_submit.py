"""The one way in."""

import pytest

from claw.errors import ConflictError, NotFoundError, SaturatedError
from claw.master.engine import intake, intents, requests
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.model.effect import Dispatch
from claw.model.job import Daemon
from claw.model.lineage import MAX_DEPTH, Lineage, below
from claw.model.run import Origin, Run, State
from tests.kit.desk import T0, Desk, job, service


def test_i5_the_same_origin_key_answers_with_the_same_run() -> None:
    desk = Desk(job("a"), job("b"))
    first = desk.ask("a", "k")
    assert desk.ask("a", "k") == first
    assert desk.ask("b", "k") == first
    other = Ask(job="a", origin=Origin.AT, key="k")
    assert desk.do(lambda turn: intake.submit(turn, other)).id != first.id
    assert len(desk.runs()) == 2


def test_a_run_is_queued_with_one_event_and_wakes_the_dispatcher() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a", env=(("A", "b"),), args=("-x",))
    assert desk.moves(run.id) == [(None, "queued")]
    (event,) = desk.events(run=run.id)
    assert (event.type, event.by, event.why) == ("run.queued", "tester", "manual")
    assert Dispatch() in desk.effects
    assert (run.env, run.args, run.asked_by) == ((("A", "b"),), ("-x",), "tester")


def test_a_job_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFoundError, match="'zz'"):
        Desk(job("a")).ask("zz")


def test_a_full_queue_refuses_and_an_end_makes_room() -> None:
    desk = Desk(job("a"), daemon=Daemon(max_queue=2))
    first = desk.ask("a")
    desk.ask("a")
    with pytest.raises(SaturatedError, match="max_queue"):
        desk.ask("a")
    assert len(desk.runs()) == 2
    desk.do(lambda turn: intents.cancel_run(turn, first.id, by="me"))
    desk.ask("a")


def test_what_could_only_wait_for_good_is_refused_unless_forced() -> None:
    desk = Desk(job("a"), job("off", enabled=False))
    desk.do(lambda turn: intents.stop_job(turn, "a", by="eve"))
    with pytest.raises(ConflictError, match="stopped by eve: clawctl start a"):
        desk.ask("a")
    with pytest.raises(ConflictError, match="disabled"):
        desk.ask("off")
    assert desk.ask("a", forced=True).forced
    assert [claim.job.name for claim in desk.dispatch()] == ["a"]


def test_a_service_that_runs_is_not_run_twice() -> None:
    desk = Desk(service("web"))
    desk.begin("web")
    with pytest.raises(ConflictError, match="already") as found:
        desk.ask("web")
    assert found.value.hint == "clawctl restart web"


def test_a_request_id_has_one_effect_and_the_same_answer_for_a_day() -> None:
    desk = Desk(job("a"))

    def handle(method: str = "run.submit") -> object:
        def inside(turn: Turn) -> object:
            known = requests.recall(turn, "q1", method)
            if known is not None:
                return known
            ask = Ask(job="a", origin=Origin.MANUAL, key=turn.new_run_id())
            reply = {"run": intake.submit(turn, ask).id}
            requests.remember(turn, "q1", method, reply)
            return reply

        return desk.do(inside)

    first = handle()
    assert handle() == first
    assert len(desk.runs()) == 1
    with pytest.raises(ConflictError, match=r"used for run\.submit"):
        handle("run.cancel")
    desk.pass_s(86401)
    assert handle() != first
    assert len(desk.runs()) == 2


def test_a_request_without_an_id_is_never_remembered() -> None:
    desk = Desk(job("a"))
    desk.do(lambda turn: requests.remember(turn, None, "m", {}))
    assert desk.do(lambda turn: requests.recall(turn, None, "m")) is None


def test_a_function_that_raises_leaves_nothing_behind() -> None:
    desk = Desk(job("a"))
    before = desk.dump()

    def inside(turn: Turn) -> None:
        intake.submit(turn, Ask(job="a", origin=Origin.MANUAL, key="k"))
        raise KeyError

    with pytest.raises(KeyError):
        desk.do(inside)
    assert desk.dump() == before


def test_a_run_for_later_waits_for_its_time() -> None:
    desk = Desk(job("a"))
    at = T0.replace(hour=13)
    run = desk.ask("a", due_at=at)
    assert desk.dispatch() == ()
    assert desk.database.view(lambda tx: tx.next_due(desk.now)) == at
    desk.now = at
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]
    assert desk.run(run.id).state is State.CLAIMED


def _follow_up(desk: Desk, name: str, key: str, **values: object) -> Run:
    ask = Ask(job=name, origin=Origin.TRIGGER, key=key, **values)  # type: ignore[arg-type]
    return desk.do(lambda turn: intake.follow_up(turn, ask))


def test_what_follows_from_something_is_stored_as_skipped_when_it_cannot_be() -> None:
    desk = Desk(job("a"), job("off", enabled=False), daemon=Daemon(max_queue=1))
    assert _follow_up(desk, "off", "1").reason == "job 'off' is disabled: clawctl enable off"
    deep = Lineage(parent="r", root="r", depth=MAX_DEPTH + 1)
    assert "too deep" in (_follow_up(desk, "a", "2", lineage=deep).reason or "")
    queued = _follow_up(desk, "a", "3")
    assert queued.state is State.QUEUED
    assert "max_queue" in (_follow_up(desk, "a", "4").reason or "")
    assert _follow_up(desk, "a", "3") == queued  # I5
    states = [run.state for run in desk.runs()]
    assert sorted(states) == ["queued", "skipped", "skipped", "skipped"]


def test_a_run_that_comes_of_another_is_one_deeper_and_knows_the_first() -> None:
    desk = Desk(job("a"))
    first = desk.ask("a")
    second = _follow_up(desk, "a", "1", lineage=below(first))
    third = _follow_up(desk, "a", "2", lineage=below(second, event="e"))
    assert desk.run(third.id).lineage == Lineage(
        parent=second.id, root=first.id, depth=2, event="e"
    )
