"""Rolling restarts, as pure decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import rollout
from claw.model.rollout import Fate, Renewal, Rollout
from claw.model.run import Attempt, Run, State
from tests.kit.desk import T0, a_run

ASKED = Renewal(2, "r1", 3, "s1")


def _attempt(no: int = 4, sid: str = "s2", **values: object) -> Attempt:
    return Attempt(run="r1", no=no, sid=sid, cause="restart", **values)  # type: ignore[arg-type]


def _rollout(*todo: int, batch: int = 1, busy: tuple[Renewal, ...] = ()) -> Rollout:
    return Rollout(job="web", at=T0, by="eve", why="restart", batch=batch, todo=todo, busy=busy)


@pytest.mark.parametrize(
    ("run", "attempts", "fate"),
    [
        (a_run(state=State.RUNNING), [_attempt(3, "s1", ready_at=T0)], Fate.WAITS),
        (a_run(state=State.RUNNING), [_attempt()], Fate.WAITS),
        (a_run(state=State.RUNNING), [_attempt(ready_at=T0)], Fate.READY),
        (a_run(state=State.RUNNING), [_attempt(ready_at=T0, ended_at=T0)], Fate.READY),
        (a_run(state=State.RUNNING), [_attempt(4, "s1", ended_at=T0, exit_code=1)], Fate.WAITS),
        (a_run(state=State.CANCELED), [], Fate.GONE),
        (None, [], Fate.GONE),
    ],
)
def test_an_instance_is_ready_once_its_next_child_is(
    run: Run | None, attempts: list[Attempt], fate: Fate
) -> None:
    assert rollout.fate(ASKED, run, attempts) is fate


def test_a_child_that_ends_before_it_is_ready_is_a_failure_and_says_how() -> None:
    running = a_run(state=State.RUNNING)
    ended = _attempt(ended_at=T0, exit_code=7)
    assert rollout.fate(ASKED, running, [ended]) == "exit 7, before it was ready"
    unborn = _attempt(ended_at=T0, error="exec: no such file")
    assert rollout.fate(ASKED, running, [unborn]) == "exec: no such file, before it was ready"
    failed = a_run(state=State.FAILED, reason="spawn_failed")
    assert rollout.fate(ASKED, failed, []) == "spawn_failed"


def test_it_stops_at_the_first_failure_and_keeps_what_was_to_come() -> None:
    rolling = _rollout(3, 4, busy=(Renewal(1, "r1", 1, ""), Renewal(2, "r2", 1, "")), batch=2)
    after, free = rollout.proceed(rolling, {1: "exit 1", 2: Fate.READY})
    assert (after.failed, after.todo, free) == ("web@1: exit 1", (3, 4), 0)
    assert after.is_over


@given(
    st.integers(1, 9),
    st.integers(1, 4),
    st.lists(st.sampled_from([Fate.WAITS, Fate.READY, Fate.GONE]), min_size=60),
)
def test_never_more_than_a_batch_is_away_and_everyone_has_a_turn(
    count: int, batch: int, fates: list[Fate]
) -> None:
    rolling = _rollout(*range(1, count + 1), batch=batch)
    seen: list[int] = []
    for found in (*fates, *[Fate.READY] * count):
        after, free = rollout.proceed(rolling, {one.instance: found for one in rolling.busy})
        begun = after.todo[:free]
        seen += begun
        busy = (*after.busy, *(Renewal(no, f"r{no}", 1, "") for no in begun))
        rolling = Rollout(
            job="web", at=T0, by="eve", why="restart", batch=batch,
            todo=after.todo[free:], busy=busy, done=after.done,
        )  # fmt: skip
        assert len(rolling.busy) <= batch
    assert seen == [*range(1, count + 1)]
    assert rolling.is_over
