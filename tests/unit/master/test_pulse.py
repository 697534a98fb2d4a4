"""Pieces of journals that come while a decision is under way share the next one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import trio
import trio.testing

from claw.errors import ConflictError, InternalError, StoreError
from claw.master.engine import dispatch, intake, journal, slots
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.master.supervision.pulse import Passed, Piece, Pulse
from claw.model.effect import Dispatch
from claw.model.job import JobType
from claw.model.run import Origin, State
from tests.kit.desk import Desk, Journal, job

PATIENCE_S = 30.0


class Decider:
    """Makes decisions of a desk, each when it is let; or fails as it is told."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.count = 0
        self.gate = trio.Event()
        self.error: Exception | None = None

    async def __call__(self, decide: Callable[[Turn], Any]) -> Any:
        await self.gate.wait()
        self.count += 1
        if self.error is not None:
            raise self.error
        return self.desk.do(decide)


def _make(desk: Desk) -> tuple[Decider, Pulse]:
    decider = Decider(desk)
    return decider, Pulse(decider)  # type: ignore[arg-type]


def _ended(found: Journal) -> Journal:
    """Have a journal hold an end that nobody has read."""
    found.exit(1, 0)
    found.add("ended", run="", attempt=1, why="exit", by="")
    return found


def test_what_comes_while_a_decision_is_made_is_decided_about_together() -> None:
    desk = Desk(job("a", max_instances=8))
    journals = [_ended(desk.begin("a")) for _ in range(6)]
    waiting = desk.ask("a")
    desk.ask("a")
    passes: list[Passed] = []

    async def main() -> None:
        decider, pulse = _make(desk)
        pulse.on_passed = passes.append
        reached: dict[str, int] = {}

        async def apply(one: Journal) -> None:
            reached[one.sid] = await pulse.apply(one.sid, one.data, 0, journal.NO_EVIDENCE)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for one in journals:
                    nursery.start_soon(apply, one)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()
        assert reached == {one.sid: len(one.data) for one in journals}
        assert decider.count <= 2  # the first, and all others

    trio.run(main)

    assert {desk.run_of(one).state for one in journals} == {State.SUCCEEDED}
    claims = [claim for passed in passes for claim in passed.claims]
    assert len(claims) == 2
    assert claims[0].run.id == waiting.id


def test_a_piece_that_cannot_be_applied_fails_alone() -> None:
    desk = Desk(job("a", max_instances=8))
    journals = [_ended(desk.begin("a")) for _ in range(3)]
    failed = []

    async def main() -> None:
        decider, pulse = _make(desk)

        async def apply(one: Journal, offset: int) -> None:
            try:
                await pulse.apply(one.sid, one.data[offset:], offset, journal.NO_EVIDENCE)
            except ValueError:
                failed.append(one.sid)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for number, one in enumerate(journals):  # of one some bytes would be lost
                    nursery.start_soon(apply, one, len(one.data) - 1 if number == 1 else 0)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()

    trio.run(main)

    assert failed == [journals[1].sid]
    states = [desk.run_of(one).state for one in journals]
    assert states == [State.SUCCEEDED, State.RUNNING, State.SUCCEEDED]


def test_a_store_that_fails_is_told_to_all_who_asked() -> None:
    desk = Desk(job("a"))
    found = _ended(desk.begin("a"))

    async def main() -> None:
        decider, pulse = _make(desk)
        decider.error = StoreError("no room")
        decider.gate.set()
        with pytest.raises(StoreError):
            await pulse.apply(found.sid, found.data, 0, journal.NO_EVIDENCE)
        with pytest.raises(StoreError):
            await pulse.pass_gates()

    trio.run(main)

    assert desk.run_of(found).state is State.RUNNING


def test_a_mistake_at_the_gates_of_one_job_keeps_no_journal_from_being_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(job("a", max_instances=8), job("bad"))
    journals = [_ended(desk.begin("a")) for _ in range(3)]
    desk.ask("bad")
    lines = dispatch._lines

    def mistaken(turn: Turn, name: str, *others: Any) -> Any:
        if name == "bad":
            raise ZeroDivisionError
        return lines(turn, name, *others)

    monkeypatch.setattr(dispatch, "_lines", mistaken)
    errors: list[BaseException] = []
    passes: list[Passed] = []

    async def main() -> None:
        decider, pulse = _make(desk)
        pulse.on_passed = passes.append

        async def pass_gates() -> None:
            try:
                await pulse.pass_gates()
            except ZeroDivisionError as error:
                errors.append(error)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for one in journals:
                    nursery.start_soon(pulse.apply, one.sid, one.data, 0, journal.NO_EVIDENCE)
                nursery.start_soon(pass_gates)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()
        desk.effects.clear()
        await pulse.apply(journals[0].sid, journals[0].data, 0, journal.NO_EVIDENCE)

    trio.run(main)

    assert {desk.run_of(one).state for one in journals} == {State.SUCCEEDED}
    assert len(errors) == 1  # who asked for the pass is told
    assert not passes


def test_what_a_journal_has_set_free_is_looked_at_again_when_the_pass_with_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(job("a"))
    found = _ended(desk.begin("a"))
    waiting = desk.ask("a")
    passes: list[Passed] = []
    mistakes = [ZeroDivisionError()]
    pass_gates = dispatch.dispatch

    def mistaken(turn: Turn) -> Any:
        if mistakes:
            raise mistakes.pop()
        return pass_gates(turn)

    monkeypatch.setattr(dispatch, "dispatch", mistaken)
    desk.effects.clear()

    async def main() -> None:
        decider, pulse = _make(desk)
        decider.gate.set()
        pulse.on_passed = passes.append
        await pulse.apply(found.sid, found.data, 0, journal.NO_EVIDENCE)
        assert Dispatch() in desk.effects  # which wakes who asks for a pass
        await pulse.pass_gates()

    trio.run(main)

    assert [claim.run.id for passed in passes for claim in passed.claims] == [waiting.id]


def _scheduled() -> Desk:
    """Return a desk at the time of a slot."""
    desk = Desk(job("a"), job("tick", JobType.SCHEDULED, schedule=("* * * * *",)))
    desk.pass_s(60)
    return desk


def _tick(turn: Turn) -> datetime | None:
    return slots.tick(turn, ["tick"])["tick"]


def test_a_slot_is_written_and_its_run_claimed_in_one_decision() -> None:
    desk = _scheduled()
    passes: list[Passed] = []

    async def main() -> None:
        decider, pulse = _make(desk)
        decider.gate.set()
        pulse.on_passed = passes.append
        assert await pulse(_tick) == desk.now + timedelta(minutes=1)
        assert decider.count == 1

    trio.run(main)

    [claim] = [claim for passed in passes for claim in passed.claims]
    assert claim.run.slot_at == desk.now
    assert desk.run(claim.run.id).state is State.CLAIMED


def test_a_slot_is_written_though_the_gates_have_a_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = _scheduled()
    passes: list[Passed] = []
    desk.effects.clear()

    def mistaken(_turn: Turn) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(dispatch, "dispatch", mistaken)

    async def main() -> None:
        decider, pulse = _make(desk)
        decider.gate.set()
        pulse.on_passed = passes.append
        assert await pulse(_tick) == desk.now + timedelta(minutes=1)

    trio.run(main)

    assert [run.slot_at for run in desk.runs("tick")] == [desk.now]
    assert Dispatch() in desk.effects  # which wakes who asks for a pass
    assert not passes


def test_a_decision_that_is_refused_keeps_no_journal_from_being_applied() -> None:
    desk = Desk(job("a", max_instances=8))
    journals = [_ended(desk.begin("a")) for _ in range(3)]

    def refused(_turn: Turn) -> None:
        raise ConflictError("no")

    async def main() -> None:
        decider, pulse = _make(desk)

        async def ask() -> None:
            with pytest.raises(ConflictError):
                await pulse(refused)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for one in journals:
                    nursery.start_soon(pulse.apply, one.sid, one.data, 0, journal.NO_EVIDENCE)
                    nursery.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()

    trio.run(main)

    assert {desk.run_of(one).state for one in journals} == {State.SUCCEEDED}


def test_a_request_that_is_refused_takes_back_its_own_part_alone() -> None:
    desk = Desk(job("a", max_instances=8), job("b"))
    passes: list[Passed] = []

    def ask(turn: Turn, name: str, *, is_refused: bool = False) -> str:
        wanted = Ask(job=name, origin=Origin.MANUAL, key=f"key-{name}", by="tester")
        run = intake.submit(turn, wanted)
        if is_refused:
            raise ConflictError("no")
        return run.id

    async def main() -> None:
        decider, pulse = _make(desk)
        pulse.on_passed = passes.append
        made: list[str] = []

        async def put(name: str) -> None:
            [answer] = await pulse.ask([lambda turn: ask(turn, name)])
            made.append(answer.unwrap())

        async def refuse() -> None:
            [answer] = await pulse.ask([lambda turn: ask(turn, "b", is_refused=True)])
            with pytest.raises(ConflictError, match="no"):
                answer.unwrap()

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(put, "a")
                nursery.start_soon(refuse)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()
        assert decider.count <= 2
        assert [desk.run(run).state for run in made] == [State.CLAIMED]

    trio.run(main)

    assert not desk.runs("b")
    assert {event.type for event in desk.events(job="b")} == {"job.added"}
    assert [claim.run.job for passed in passes for claim in passed.claims] == ["a"]


def test_requests_beside_a_mistake_are_answered_nevertheless() -> None:
    desk = Desk(job("a", max_instances=8))

    def fail(_turn: Turn) -> None:
        raise RuntimeError("a mistake")

    async def main() -> None:
        decider, pulse = _make(desk)
        pulse.on_passed = lambda _passed: None
        answers: list[object] = []

        async def ask(decide: Callable[[Turn], object]) -> None:
            [answer] = await pulse.ask([decide])
            answers.append(answer.value or answer.error)

        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                for decide in (lambda turn: turn.config.job("a").name, fail):
                    nursery.start_soon(ask, decide)
                await trio.testing.wait_all_tasks_blocked()
                decider.gate.set()
        assert sorted(map(str, answers)) == ["a", "a mistake"]

    trio.run(main)


def test_what_one_asks_for_at_once_is_decided_in_order_and_each_refused_on_its_own() -> None:
    desk = Desk(job("a", max_instances=8))
    passes: list[Passed] = []

    def refuse(turn: Turn) -> str:
        submit(turn)
        raise ConflictError("no")

    def submit(turn: Turn) -> str:
        key = f"key-{turn.new_run_id()}"
        return intake.submit(turn, Ask(job="a", origin=Origin.MANUAL, key=key)).id

    async def main() -> list[Any]:
        decider, pulse = _make(desk)
        pulse.on_passed = passes.append
        decider.gate.set()
        with trio.fail_after(PATIENCE_S):
            answers = await pulse.ask([submit, refuse, submit, submit])
        assert decider.count == 1
        return [answer.value or str(answer.error) for answer in answers]

    first, refused, *others = trio.run(main)

    assert refused == "no"
    assert [claim.run.id for passed in passes for claim in passed.claims] == [first, *others]
    assert sorted([first, *others]) == [first, *others]


@pytest.mark.parametrize("name", ["grown", "free", "on_passed"])
def test_a_mistake_beside_a_decision_is_logged_and_leaves_nobody_waiting(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(job("a", max_instances=8))
    journals = [_ended(desk.begin("a")) for _ in range(2)]

    def mistaken(*_args: object) -> Any:
        raise ZeroDivisionError

    async def main() -> None:
        decider, pulse = _make(desk)
        decider.gate.set()
        pulse.on_passed = lambda _passed: None
        monkeypatch.setattr(pulse, name, mistaken)
        with trio.fail_after(PATIENCE_S):
            for one in journals:
                reached = await pulse.apply(one.sid, one.data, 0, journal.NO_EVIDENCE)
                assert reached == len(one.data)

    trio.run(main)

    assert {desk.run_of(one).state for one in journals} == {State.SUCCEEDED}
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("is_mistaken", [False, True])
def test_whatever_ends_a_decision_all_that_it_took_are_told(*, is_mistaken: bool) -> None:
    class Ended(BaseException):
        """No mistake of a decision: somebody ends the program."""

    told: list[BaseException | None] = []

    def on_decided(piece: Piece) -> None:
        told.append(piece.error)
        if is_mistaken:
            raise ZeroDivisionError

    async def main() -> None:
        decider, pulse = _make(Desk(job("a")))
        decider.gate.set()
        decider.error = Ended()  # type: ignore[assignment]
        pulse.grown = lambda _room: [Piece("s1", on_decided=on_decided) for _ in range(2)]
        with pytest.raises(Ended):
            await pulse.pass_gates()

    trio.run(main)

    assert [type(error) for error in told] == [InternalError, InternalError]
