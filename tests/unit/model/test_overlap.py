"""What becomes of due runs while others of the job are active."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.model import overlap
from claw.model.job import Job, Overlap
from claw.model.run import Run, State
from tests.kit.desk import T0, a_run


def _job(policy: Overlap, instances: int = 1, max_queued: int = 0) -> Job:
    return Job(
        name="j", argv=("x",), on_overlap=policy, max_instances=instances, max_queued=max_queued
    )


def _due(count: int, *, catch_up: bool = False) -> list[Run]:
    cause = overlap.CATCH_UP if catch_up else "start"
    return [
        a_run(id=f"rdue{n:023}", cause=cause, due_at=T0 + timedelta(seconds=n))
        for n in range(count)
    ]


def _active(count: int, stop_why: str | None = None) -> list[Run]:
    return [
        a_run(id=f"ract{n:023}", state=State.RUNNING, stop_why=stop_why) for n in range(count)
    ]


def test_skip_turns_away_a_run_that_finds_the_job_active() -> None:
    lane = overlap.decide(_job(Overlap.SKIP), _active(1), _due(2))
    assert not lane.go
    assert not lane.wait
    assert [run for run, _ in lane.skip] == _due(2)
    assert "skip" in lane.skip[0][1]


def test_skip_lets_one_of_two_simultaneous_runs_go() -> None:
    lane = overlap.decide(_job(Overlap.SKIP), [], _due(2))
    assert list(lane.go) == _due(2)[:1]
    assert [run for run, _ in lane.skip] == _due(2)[1:]


def test_runs_that_make_up_for_missed_slots_wait_their_turn_whatever_the_policy() -> None:
    for policy in Overlap:
        lane = overlap.decide(_job(policy, max_queued=1), [], _due(4, catch_up=True))
        assert len(lane.go) == 1
        assert len(lane.wait) == 3
        assert not lane.skip
        assert not lane.end


def test_queue_waits_up_to_max_queued_and_says_for_whom() -> None:
    lane = overlap.decide(_job(Overlap.QUEUE, max_queued=2), _active(1), _due(3))
    assert [run for run, _ in lane.wait] == _due(3)[:2]
    assert [run for run, _ in lane.skip] == _due(3)[2:]
    assert "max_queued" in lane.skip[0][1]
    assert "max_instances" in lane.wait[0][1]


def test_queue_without_a_bound_turns_nobody_away() -> None:
    lane = overlap.decide(_job(Overlap.QUEUE), _active(1), _due(50))
    assert len(lane.wait) == 50


def test_several_instances_may_run_at_once() -> None:
    for policy in Overlap:
        lane = overlap.decide(_job(policy, instances=3), _active(1), _due(2))
        assert list(lane.go) == _due(2)


def test_kill_restart_ends_the_oldest_and_keeps_the_newest_waiting() -> None:
    lane = overlap.decide(_job(Overlap.KILL_RESTART, instances=2), _active(2), _due(3))
    assert list(lane.end) == _active(2)[:1]
    assert [run for run, _ in lane.wait] == _due(3)[-1:]
    assert [run for run, _ in lane.skip] == _due(3)[:-1]


def test_kill_restart_ends_nobody_while_one_is_ending_already() -> None:
    active = [*_active(1, stop_why="overlap"), a_run(id="rother", state=State.RUNNING)]
    lane = overlap.decide(_job(Overlap.KILL_RESTART, instances=2), active, _due(1))
    assert lane.end == ()
    assert len(lane.wait) == 1


@given(
    st.sampled_from(Overlap),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 5),
    st.lists(st.booleans(), max_size=8),
)
def test_every_due_run_has_exactly_one_fate_and_instances_are_never_exceeded(
    policy: Overlap, instances: int, max_queued: int, active: int, kinds: list[bool]
) -> None:
    due = [
        a_run(id=f"rdue{n:023}", cause=overlap.CATCH_UP if kind else "start")
        for n, kind in enumerate(kinds)
    ]
    lane = overlap.decide(_job(policy, instances, max_queued), _active(active), due)
    fates = [*lane.go, *(run for run, _ in lane.wait), *(run for run, _ in lane.skip)]
    assert sorted(run.id for run in fates) == [run.id for run in due]
    assert len(lane.go) == min(len(due), max(instances - active, 0))
    assert list(lane.go) == due[: len(lane.go)]
    assert all(run.cause != overlap.CATCH_UP for run, _ in lane.skip)
    assert not lane.end or policy is Overlap.KILL_RESTART
