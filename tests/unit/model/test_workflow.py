"""What follows in a workflow from how its steps stand."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import stored
from claw.model.approval import Approval
from claw.model.condition import parse
from claw.model.retry import Retry
from claw.model.run import State
from claw.model.workflow import (
    Decision,
    On,
    OnBadEnd,
    Stand,
    Step,
    Workflow,
    chain,
    chord,
    conditions_by_job,
    decide,
    group,
    in_order,
    layers,
)

OK, BAD, BUSY = Stand(State.SUCCEEDED), Stand(State.FAILED), Stand(State.RUNNING)
LEFT = Stand(State.SKIPPED, is_left_out=True)
TURNED_AWAY = Stand(State.SKIPPED)


def flow(*steps: Step, **values: object) -> Workflow:
    return Workflow(steps=steps, **values)  # type: ignore[arg-type]


def step(name: str, *needs: str, **values: object) -> Step:
    return Step(name=name, job=name, needs=needs, **values)  # type: ignore[arg-type]


def names(decision: Decision) -> tuple[list[str], list[str]]:
    begin = [one.name for one in decision.begin]
    return begin, [one.name for one, _why in decision.leave_out]


def after(definition: Workflow, known: Mapping[str, Stand], **more: str) -> Decision:
    return decide(definition, known, **more)


DIAMOND = flow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))


def test_a_step_begins_once_all_that_it_needs_has_succeeded() -> None:
    assert names(after(DIAMOND, {})) == (["a"], [])
    assert names(after(DIAMOND, {"a": BUSY})) == ([], [])
    assert names(after(DIAMOND, {"a": OK})) == (["b", "c"], [])
    assert names(after(DIAMOND, {"a": OK, "b": OK, "c": BUSY})) == ([], [])
    assert names(after(DIAMOND, {"a": OK, "b": OK, "c": OK})) == (["d"], [])
    done = after(DIAMOND, dict.fromkeys("abcd", OK))
    assert done.verdict is not None
    assert done.verdict.is_success


def test_what_needs_a_failed_step_is_left_out_once_its_other_needs_have_ended() -> None:
    waiting = after(DIAMOND, {"a": OK, "b": BAD, "c": BUSY})
    assert (names(waiting), waiting.verdict) == (([], []), None)
    decision = after(DIAMOND, {"a": OK, "b": BAD, "c": OK})
    assert names(decision) == ([], ["d"])
    [(_step, why)] = decision.leave_out
    assert why == "b, which it needs to succeed, has failed"
    assert decision.verdict is not None
    assert decision.verdict.reason == "step b has failed"


def test_all_that_follows_a_step_left_out_is_decided_at_once() -> None:
    definition = flow(step("a"), step("b", "a"), step("c", "b"), step("d", "c", on=On.COMPLETE))
    assert names(after(definition, {"a": BAD})) == (["d"], ["b", "c"])


def test_after_a_bad_end_only_those_begin_that_are_there_for_it() -> None:
    steps = (
        step("a"), step("b"), step("next", "b"), step("mend", "a", on=On.FAILURE),
        step("sweep", "b", on=On.COMPLETE), step("cheer", "b", on=On.FAILURE),
    )  # fmt: skip
    known = {"a": BAD, "b": OK}
    stop = after(flow(*steps), known)
    assert names(stop) == (["mend", "sweep"], ["next", "cheer"])
    assert {one.name: why for one, why in stop.leave_out} == {
        "next": "step a has failed, and on_failure = stop",
        "cheer": "on = failure, and b did not fail",
    }
    goes_on = after(flow(*steps, on_failure=OnBadEnd.CONTINUE), known)
    assert names(goes_on) == (["next", "mend", "sweep"], ["cheer"])


@pytest.mark.parametrize(
    "stand",
    [
        BAD,
        TURNED_AWAY,
        Stand(State.TIMED_OUT),
        Stand(State.CRASHED),
        Stand(State.CANCELED),
        Stand(State.MISSED),
    ],
)
def test_whatever_has_not_done_its_work_is_a_bad_end(stand: Stand) -> None:
    decision = after(flow(step("a"), step("b", "a", on=On.FAILURE)), {"a": stand})
    assert names(decision) == (["b"], [])


def test_being_left_out_is_no_bad_end() -> None:
    definition = flow(
        step("a"), step("b", "a", on=On.FAILURE), step("c", "b", on=On.FAILURE),
        step("d", "b", on=On.COMPLETE),
    )  # fmt: skip
    assert names(after(definition, {"a": OK})) == (["d"], ["b", "c"])
    done = after(definition, {"a": OK, "b": LEFT, "c": LEFT, "d": OK})
    assert done.verdict is not None
    assert done.verdict.is_success


def test_when_has_to_hold_of_each_need() -> None:
    alarm = parse("contains:ALERT")
    definition = flow(step("a"), step("b"), step("c", "a", "b", when=alarm))
    met = Stand(State.SUCCEEDED, met=frozenset({alarm.text}))
    assert names(after(definition, {"a": met, "b": met})) == (["c"], [])
    decision = after(definition, {"a": met, "b": OK})
    assert [why for _step, why in decision.leave_out] == ["contains:ALERT does not hold of b"]
    assert conditions_by_job([definition]) == {"a": (alarm,), "b": (alarm,)}


def test_so_many_run_at_once_and_those_written_first_go_first() -> None:
    definition = flow(*(step(name) for name in "abcd"), max_parallel=2)
    assert names(after(definition, {})) == (["a", "b"], [])
    assert names(after(definition, {"b": BUSY})) == (["a"], [])
    assert names(after(definition, {"a": OK, "b": BUSY})) == (["c"], [])


def test_nothing_begins_of_a_workflow_that_is_to_end() -> None:
    decision = after(DIAMOND, {"a": OK, "b": BUSY}, ending="cancel")
    assert names(decision) == ([], ["c", "d"])
    assert decision.verdict is None
    assert after(DIAMOND, {"a": OK, "b": BAD, "c": LEFT, "d": LEFT}, ending="x").verdict


def test_layers_are_as_deep_as_what_they_need() -> None:
    assert [[one.name for one in layer] for layer in layers(DIAMOND)] == [
        ["a"], ["b", "c"], ["d"],
    ]  # fmt: skip
    assert DIAMOND.after("b") == {"b", "d"}
    with pytest.raises(ValueError, match="circle"):
        layers(flow(step("a", "b"), step("b", "a")))


def test_jobs_are_made_a_chain_a_group_or_a_chord_and_may_come_twice() -> None:
    assert [(one.name, one.needs) for one in chain(["a", "b", "a"]).steps] == [
        ("a", ()), ("b", ("a",)), ("a-2", ("b",)),
    ]  # fmt: skip
    assert [one.name for one in group(["a", "a-2", "a", "a"]).steps] == [
        "a", "a-2", "a-3", "a-4",
    ]  # fmt: skip
    last = chord(["a", "b"], "c").steps[-1]
    assert (last.needs, last.on) == (("a", "b"), On.COMPLETE)
    goes_on = chain(["a", "b"], OnBadEnd.CONTINUE)
    assert names(after(goes_on, {"a": BAD})) == (["b"], [])
    assert not decide(goes_on, {"a": BAD, "b": OK}).verdict.is_success  # type: ignore[union-attr]


def test_a_definition_is_kept_as_plain_values_and_known_again() -> None:
    whole = flow(
        step("a", retry=Retry(delays_s=(1.0, 2.0), max_attempts=3), env=(("A", "1"),)),
        step("b", "a", on=On.FAILURE, when=parse("exit:3"), approval=Approval(by=("root",))),
        params=(("REGION", "eu"),),
        max_parallel=3,
        on_failure=OnBadEnd.CONTINUE,
    )
    plain = stored.plain(whole)
    assert stored.known_again(Workflow, plain) == whole
    assert isinstance(plain, dict)
    assert stored.known_again(Workflow, {**plain, "of a later version": 1}) == whole
    with pytest.raises(ValueError, match="no Workflow"):
        stored.known_again(Workflow, {"steps": [{}]})


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Return a workflow whose steps need some of those before them, written in any order."""
    count = draw(st.integers(1, 7))
    made = []
    for no in range(count):
        needs = draw(st.lists(st.integers(0, no - 1), unique=True, max_size=3)) if no else []
        on = draw(st.sampled_from(On)) if needs else On.SUCCESS
        made.append(step(f"s{no}", *(f"s{need}" for need in needs), on=on))
    order = draw(st.permutations(made))
    return flow(
        *order,
        on_failure=draw(st.sampled_from(OnBadEnd)),
        max_parallel=draw(st.integers(0, 3)),
    )


@given(workflows(), st.data())
def test_every_workflow_ends_with_each_step_decided_once(
    definition: Workflow, data: st.DataObject
) -> None:
    known: dict[str, Stand] = {}
    decision = decide(definition, known)
    for _ in range(3 * len(definition.steps) + 1):
        begun = [one.name for one in decision.begin]
        left = [one.name for one, _why in decision.leave_out]
        assert len({*begun, *left}) == len(begun) + len(left)
        assert known.keys().isdisjoint((*begun, *left))
        known |= dict.fromkeys(begun, BUSY) | dict.fromkeys(left, LEFT)
        again = decide(definition, known)
        assert not again.begin or not definition.max_parallel
        assert not again.leave_out
        busy = [name for name, stand in known.items() if stand is BUSY]
        assert not definition.max_parallel or len(busy) <= definition.max_parallel
        if decision.verdict is not None:
            break
        assert busy, "nothing runs, and it has not ended"
        known[data.draw(st.sampled_from(busy))] = data.draw(st.sampled_from([OK, BAD]))
        decision = decide(definition, known)
    assert decision.verdict is not None
    assert known.keys() == {one.name for one in definition.steps}
    assert decision.verdict.is_success == (BAD not in known.values())
    for one in in_order(definition):
        if known[one.name] is not LEFT and one.on is On.SUCCESS:
            assert all(known[name] is OK for name in one.needs)
