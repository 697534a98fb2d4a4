"""The gates between queued and claimed."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.model import capacity, gates
from claw.model.capacity import Room
from claw.model.gates import InstanceStanding, Line, Order, Standing
from claw.model.job import Job, JobType, Overlap
from claw.model.pool import OnPoolBusy, PoolUse
from claw.model.run import Priority, Run
from tests.kit.desk import T0, a_run

ORDER = Order(T0)


def _room(parallel: int, max_parallel: int) -> Room:
    names = [capacity.MAX_PARALLEL]
    return Room(dict.fromkeys(names, max_parallel), dict.fromkeys(names, parallel))


def _standing(**values: object) -> Standing:
    return Standing(name="j", added_at=T0, active_since=T0, **values)  # type: ignore[arg-type]


def _job(name: str, **values: object) -> Job:
    return Job(name=name, argv=("x",), max_instances=100, **values)  # type: ignore[arg-type]


def _line(job: Job, *seconds: int) -> Line:
    due = [
        a_run(id=f"r{job.name}{n}", job=job.name, due_at=T0 + timedelta(seconds=n))
        for n in seconds
    ]
    return Line(job=job, due=due)


def test_a_closed_job_says_who_closed_it_and_what_to_type() -> None:
    assert gates.closed(_standing()) is None
    stopped = gates.closed(_standing(stopped_by="eve", paused_by="bob", enabled=False))
    assert stopped == "stopped by eve: clawctl start j"
    assert gates.closed(_standing(paused_by="bob")) == "paused by bob: clawctl resume j"
    assert gates.closed(_standing(enabled=False)) == "disabled: clawctl enable j"


def test_an_instance_that_is_stopped_alone_says_so() -> None:
    alone = InstanceStanding(job="j", no=2, stopped_by="eve")
    assert gates.closed(_standing(), alone) == "stopped by eve: clawctl start j@2"
    assert gates.closed(_standing(paused_by="bob"), alone) == "paused by bob: clawctl resume j"


def test_what_a_dependency_holds_takes_no_place_and_makes_nobody_leave() -> None:
    held = {"r1": "waits for redis"}
    runs = [a_run(id="r1"), a_run(id="r2", job="k")]
    lines = [Line(job=_job("j"), due=runs[:1], held=held), Line(job=_job("k"), due=runs[1:])]
    plan = gates.decide(lines, _room(0, 1), ORDER)
    assert ([run.id for run in plan.go], [(one.run, one.why) for one in plan.wait]) == (
        ["r2"],
        [(runs[0], "waits for redis")],
    )
    job = Job(name="j", argv=("x",), on_overlap=Overlap.KILL_RESTART)
    active = [a_run(id="r0")]
    assert gates.decide(
        [Line(job=job, due=runs[:1], active=active)], _room(1, 9), ORDER
    ).end == tuple(active)
    line = Line(job=job, due=runs[:1], active=active, held=held)
    assert gates.decide([line], _room(1, 9), ORDER).end == ()


def test_only_forced_runs_pass_a_closed_job() -> None:
    runs = [a_run(id="r1"), a_run(id="r2", forced=True)]
    line = Line(job=_job("j"), due=runs, closed="paused by bob")
    plan = gates.decide([line], _room(0, 9), ORDER)
    assert [run.id for run in plan.go] == ["r2"]
    assert [one.run.id for one in plan.wait] == ["r1"]


def test_what_is_due_first_goes_first_over_all_jobs() -> None:
    lines = [_line(_job("b"), 3, 5), _line(_job("a"), 2, 4)]
    plan = gates.decide(lines, _room(1, 4), ORDER)
    assert [run.id for run in plan.go] == ["ra2", "rb3", "ra4"]
    assert [(one.run.id, one.gate) for one in plan.wait] == [("rb5", "max_parallel")]


def test_services_pass_a_full_daemon() -> None:
    lines = [_line(_job("a"), 1), _line(_job("s", type=JobType.CONTINUOUS), 2)]
    plan = gates.decide(lines, _room(4, 4), ORDER)
    assert [run.id for run in plan.go] == ["rs2"]


def test_a_closed_job_holds_up_no_other() -> None:
    closed = _job("a")
    lines = [
        Line(job=closed, due=[a_run(id="ra", job="a")], closed="stopped by eve"),
        _line(_job("b"), 9),
    ]
    plan = gates.decide(lines, _room(0, 1), ORDER)
    assert [run.id for run in plan.go] == ["rb9"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), unique=True, max_size=12),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_nothing_goes_before_what_was_due_earlier_and_could_go_too(
    due: list[tuple[str, int]], parallel: int, max_parallel: int
) -> None:
    jobs = {name: _job(name) for name in "abc"}
    lines = [
        _line(jobs[name], *sorted(n for other, n in due if other == name)) for name in "abc"
    ]
    plan = gates.decide(lines, _room(parallel, max_parallel), ORDER)
    assert len(plan.go) == min(len(due), max(max_parallel - parallel, 0))
    waiting = [one.run for one in plan.wait]
    everything = sorted([*plan.go, *waiting], key=ORDER)
    assert everything[: len(plan.go)] == list(plan.go)


def test_the_more_urgent_goes_first_and_waiting_makes_urgent() -> None:
    order = Order(T0 + timedelta(seconds=100), aging_s=30)
    fresh = a_run(id="r3", due_at=T0 + timedelta(seconds=95), priority=Priority.HIGH)
    aged = a_run(id="r1", due_at=T0, priority=Priority.LOW)
    newer = a_run(id="r2", due_at=T0 + timedelta(seconds=95), priority=Priority.LOW)
    assert [order(run)[0] for run in (fresh, aged, newer)] == [1, 0, 3]
    assert sorted([newer, fresh, aged], key=order) == [aged, fresh, newer]
    assert sorted([newer, aged, fresh], key=Order(order.now)) == [fresh, aged, newer]


runs = st.builds(
    lambda no, due, level: a_run(
        id=f"r{no:02}", due_at=T0 + timedelta(seconds=due), priority=Priority(level)
    ),
    st.integers(0, 99),
    st.integers(0, 100),
    st.integers(0, 3),
)


@given(st.lists(runs, unique_by=lambda run: run.id), st.integers(0, 60), st.integers(0, 200))
def test_the_runs_of_one_priority_never_change_places(
    found: list[Run], aging_s: int, now_s: int
) -> None:
    order = Order(T0 + timedelta(seconds=now_s), aging_s)
    ranked = sorted(found, key=order)
    for priority in Priority:
        same = [run for run in ranked if run.priority is priority]
        assert same == sorted(same, key=lambda run: (run.due_at, run.id))


@given(st.lists(runs, max_size=8, unique_by=lambda run: run.id), st.integers(1, 60))
def test_whoever_waits_is_first_in_the_end_however_many_more_urgent_come(
    later: list[Run], aging_s: int
) -> None:
    waits = a_run(id="rw", due_at=T0, priority=Priority.LOW)
    end = T0 + timedelta(seconds=3 * aging_s)
    came_then = [replace(run, due_at=end, priority=Priority.CRITICAL) for run in later]
    assert min([*came_then, waits], key=Order(end, aging_s)) is waits


def test_a_pool_is_shared_by_jobs_and_skips_whom_it_is_told_to() -> None:
    pool = PoolUse("db")
    jobs = [
        _job("a", pool=pool),
        _job("b", pool=pool),
        _job("c", pool=pool, on_pool_busy=OnPoolBusy.SKIP),
        _job("d"),
    ]
    room = Room({"pool db": 1, "max_parallel": 9}, {})
    plan = gates.decide([_line(job, no) for no, job in enumerate(jobs)], room, ORDER)
    assert [run.job for run in plan.go] == ["a", "d"]
    assert [one.run.job for one in plan.wait] == ["b"]
    ((skipped, why),) = plan.skip
    assert skipped.job == "c"
    assert why == "on_pool_busy = skip: pool db: its only slot is taken"


def test_what_was_missed_or_begun_is_never_turned_away_by_a_pool() -> None:
    job = _job("c", pool=PoolUse("db"), on_pool_busy=OnPoolBusy.SKIP)
    due = [a_run(id="r1", job="c", cause="catch_up"), a_run(id="r2", job="c", attempt=1)]
    room = Room({"pool db": 1, "max_parallel": 9}, {"pool db": 1})
    plan = gates.decide([Line(job=job, due=due)], room, ORDER)
    assert ([one.run.id for one in plan.wait], plan.skip) == (["r1", "r2"], ())
