"""The gates between queued and claimed."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.model import gates
from claw.model.gates import Standing
from claw.model.job import Job, JobType
from claw.model.run import Run
from tests.kit.desk import T0, a_run


def _standing(**values: object) -> Standing:
    return Standing(name="j", added_at=T0, active_since=T0, **values)  # type: ignore[arg-type]


def _job(name: str, **values: object) -> Job:
    return Job(name=name, argv=("x",), max_instances=100, **values)  # type: ignore[arg-type]


def _lane(job: Job, *seconds: int) -> tuple[Job, Standing, list[Run]]:
    runs = [
        a_run(id=f"r{job.name}{n}", job=job.name, due_at=T0 + timedelta(seconds=n))
        for n in seconds
    ]
    return job, _standing(), runs


def test_a_closed_job_says_who_closed_it_and_what_to_type() -> None:
    assert gates.closed(_standing()) is None
    stopped = gates.closed(_standing(stopped_by="eve", paused_by="bob", enabled=False))
    assert stopped == "stopped by eve: clawctl start j"
    assert gates.closed(_standing(paused_by="bob")) == "paused by bob: clawctl resume j"
    assert "enabled = true" in (gates.closed(_standing(enabled=False)) or "")


def test_only_forced_runs_pass_a_closed_job() -> None:
    runs = [a_run(id="r1"), a_run(id="r2", forced=True)]
    lane = (_job("j"), _standing(paused_by="bob"), runs)
    plan = gates.decide([lane], {}, parallel=0, max_parallel=9)
    assert [run.id for run in plan.go] == ["r2"]
    assert [run.id for run, _ in plan.wait] == ["r1"]


def test_what_is_due_first_goes_first_over_all_jobs() -> None:
    lanes = [_lane(_job("b"), 3, 5), _lane(_job("a"), 2, 4)]
    plan = gates.decide(lanes, {}, parallel=1, max_parallel=4)
    assert [run.id for run in plan.go] == ["ra2", "rb3", "ra4"]
    assert [(run.id, why.partition(":")[0]) for run, why in plan.wait] == [
        ("rb5", "max_parallel")
    ]


def test_services_pass_a_full_daemon() -> None:
    lanes = [_lane(_job("a"), 1), _lane(_job("s", type=JobType.CONTINUOUS), 2)]
    plan = gates.decide(lanes, {}, parallel=4, max_parallel=4)
    assert [run.id for run in plan.go] == ["rs2"]


def test_a_closed_job_holds_up_no_other() -> None:
    closed = _job("a")
    lanes = [
        (closed, _standing(stopped_by="eve"), [a_run(id="ra", job="a")]),
        _lane(_job("b"), 9),
    ]
    plan = gates.decide(lanes, {}, parallel=0, max_parallel=1)
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
    lanes = [
        _lane(jobs[name], *sorted(n for other, n in due if other == name)) for name in "abc"
    ]
    plan = gates.decide(lanes, {}, parallel=parallel, max_parallel=max_parallel)
    assert len(plan.go) == min(len(due), max(max_parallel - parallel, 0))
    waiting = [run for run, _ in plan.wait]
    everything = sorted([*plan.go, *waiting], key=gates.order)
    assert everything[: len(plan.go)] == list(plan.go)
