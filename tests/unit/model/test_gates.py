"""The gates between queued and claimed."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.model import gates
from claw.model.gates import InstanceStanding, Line, Standing
from claw.model.job import Job, JobType, Overlap
from tests.kit.desk import T0, a_run


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
    assert "enabled = true" in (gates.closed(_standing(enabled=False)) or "")


def test_an_instance_that_is_stopped_alone_says_so() -> None:
    alone = InstanceStanding(job="j", no=2, stopped_by="eve")
    assert gates.closed(_standing(), alone) == "stopped by eve: clawctl start j@2"
    assert gates.closed(_standing(paused_by="bob"), alone) == "paused by bob: clawctl resume j"


def test_what_a_dependency_holds_takes_no_place_and_makes_nobody_leave() -> None:
    held = {"r1": "waits for redis"}
    runs = [a_run(id="r1"), a_run(id="r2", job="k")]
    lines = [Line(job=_job("j"), due=runs[:1], held=held), Line(job=_job("k"), due=runs[1:])]
    plan = gates.decide(lines, parallel=0, max_parallel=1)
    assert ([run.id for run in plan.go], plan.wait) == (["r2"], ((runs[0], "waits for redis"),))
    job = Job(name="j", argv=("x",), on_overlap=Overlap.KILL_RESTART)
    active = [a_run(id="r0")]
    assert gates.decide(
        [Line(job=job, due=runs[:1], active=active)], parallel=1, max_parallel=9
    ).end == tuple(active)
    line = Line(job=job, due=runs[:1], active=active, held=held)
    assert gates.decide([line], parallel=1, max_parallel=9).end == ()


def test_only_forced_runs_pass_a_closed_job() -> None:
    runs = [a_run(id="r1"), a_run(id="r2", forced=True)]
    line = Line(job=_job("j"), due=runs, closed="paused by bob")
    plan = gates.decide([line], parallel=0, max_parallel=9)
    assert [run.id for run in plan.go] == ["r2"]
    assert [run.id for run, _ in plan.wait] == ["r1"]


def test_what_is_due_first_goes_first_over_all_jobs() -> None:
    lines = [_line(_job("b"), 3, 5), _line(_job("a"), 2, 4)]
    plan = gates.decide(lines, parallel=1, max_parallel=4)
    assert [run.id for run in plan.go] == ["ra2", "rb3", "ra4"]
    assert [(run.id, why.partition(":")[0]) for run, why in plan.wait] == [
        ("rb5", "max_parallel")
    ]


def test_services_pass_a_full_daemon() -> None:
    lines = [_line(_job("a"), 1), _line(_job("s", type=JobType.CONTINUOUS), 2)]
    plan = gates.decide(lines, parallel=4, max_parallel=4)
    assert [run.id for run in plan.go] == ["rs2"]


def test_a_closed_job_holds_up_no_other() -> None:
    closed = _job("a")
    lines = [
        Line(job=closed, due=[a_run(id="ra", job="a")], closed="stopped by eve"),
        _line(_job("b"), 9),
    ]
    plan = gates.decide(lines, parallel=0, max_parallel=1)
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
    plan = gates.decide(lines, parallel=parallel, max_parallel=max_parallel)
    assert len(plan.go) == min(len(due), max(max_parallel - parallel, 0))
    waiting = [run for run, _ in plan.wait]
    everything = sorted([*plan.go, *waiting], key=gates.order)
    assert everything[: len(plan.go)] == list(plan.go)
