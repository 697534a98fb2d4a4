"""A pass of the gates: exact about who goes, and cheap however many wait."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import dispatch, intake, intents, transients
from claw.model.job import Daemon, Job
from claw.model.pool import PoolUse
from claw.model.run import Origin, Priority, Run, State
from claw.model.timing import Hours, Outside
from tests.kit.chance import examples
from tests.kit.desk import Desk, a_run, job


def _fill(desk: Desk, *runs: Run) -> None:
    """Store queued runs as they are."""

    def put(turn: object) -> None:
        for run in runs:
            turn.tx.insert_run(run)  # type: ignore[attr-defined]

    desk.do(put)


def _queued(no: int, name: str, **values: object) -> Run:
    return a_run(id=f"r{no:026}", job=name, origin_key=f"k{no}", **values)


def _statements(desk: Desk, act: Callable[[], object]) -> int:
    """Count the statements that something has executed, triggers not among them."""
    seen: list[str] = []
    connection = desk.database._writer
    connection.set_trace_callback(seen.append)
    try:
        act()
    finally:
        connection.set_trace_callback(None)
    return len([text for text in seen if not text.startswith("--")])


def _work(desk: Desk, act: Callable[[], object]) -> int:
    """Measure what SQLite does for something, in thousands of its instructions."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    desk.database._writer.set_progress_handler(step, 1000)
    try:
        act()
    finally:
        desk.database._writer.set_progress_handler(None, 0)
    return steps


WAITING = 10_000


def _one_job() -> tuple[list[Job], list[Run]]:
    runs = [_queued(no, "many") for no in range(WAITING)]
    return [job("many")], runs


def _many_jobs() -> tuple[list[Job], list[Run]]:
    jobs = [job(f"j{no:05}") for no in range(WAITING)]
    return jobs, [_queued(no, one.name) for no, one in enumerate(jobs)]


@pytest.mark.parametrize("make", [_one_job, _many_jobs])
def test_a_pass_costs_the_same_however_many_wait_for_what_is_not_free(
    make: Callable[[], tuple[list[Job], list[Run]]],
) -> None:
    jobs, runs = make()
    desk = Desk(*jobs, job("long"), daemon=Daemon(max_parallel=1, max_queue=10**6))
    busy = desk.begin("long")
    idle = _statements(desk, desk.dispatch)
    _fill(desk, *runs)
    desk.dispatch()  # looks at each of them, once
    assert _statements(desk, desk.dispatch) <= idle + 5
    assert _work(desk, desk.dispatch) <= 2
    desk.end(busy)
    spent: list[int] = []
    claimed: list[str] = []
    for _ in range(3):
        spent.append(
            _statements(desk, lambda: claimed.extend(c.run.id for c in desk.dispatch()))
        )
        desk.end(desk.launch(_claim_of(desk, claimed[-1])))
    assert claimed == [run.id for run in runs[:3]]
    assert max(spent) <= 60


def _followers(desk: Desk) -> None:
    first = desk.run_of(desk.begin("long")).id
    for no in range(200):
        wish = transients.Wish(table={"argv": ["/bin/true"], "cwd": "/"}, after=first)
        ask = intake.Ask(job="", origin=Origin.MANUAL, key=f"t{no}")
        first = desk.do(partial(transients.submit, wish=wish, ask=ask)).id


def _outside(desk: Desk) -> None:
    desk.begin("long")
    closed = Hours(begin=(14, 30), end=(18, 0), outside=Outside.WAIT)  # it is noon
    jobs = [job(f"j{no:05}", hours=closed) for no in range(200)]
    desk.set_config(*desk.config.jobs, *jobs)
    _fill(desk, *(_queued(no, one.name) for no, one in enumerate(jobs)))


@pytest.mark.parametrize("fill", [_followers, _outside])
def test_a_pass_costs_the_same_however_many_wait_for_a_run_or_a_time(
    fill: Callable[[Desk], None],
) -> None:
    desk = Desk(job("long"), daemon=Daemon(max_queue=10**6))
    idle = _statements(desk, desk.dispatch)
    fill(desk)
    desk.dispatch()
    assert _statements(desk, desk.dispatch) <= idle + 5


def _claim_of(desk: Desk, run_id: str) -> dispatch.Claim:
    run = desk.run(run_id)
    assert run.sid is not None
    found = desk.config.job(run.job)
    assert found is not None
    return dispatch.Claim(run, run.attempt, run.sid, found)


def test_who_waits_behind_a_paused_job_is_found_however_long_its_queue() -> None:
    desk = Desk(job("p"), job("q"), daemon=Daemon(max_queue=10**6))
    desk.do(lambda turn: intents.pause_job(turn, "p", by="bob"))
    _fill(desk, *(_queued(no, "p") for no in range(2000)))
    desk.dispatch()
    late = desk.ask("q")
    assert _statements(desk, lambda: [c.run.id for c in desk.dispatch()]) < 40
    assert desk.run(late.id).state is State.CLAIMED
    desk.do(lambda turn: intents.resume_job(turn, "p", by="bob"))
    assert [claim.run.job for claim in desk.dispatch()] == ["p"]


def test_the_first_of_a_job_that_is_canceled_leaves_its_place_to_the_next() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=1))
    busy = desk.begin("a")
    first, second = desk.ask("b"), desk.ask("b")
    desk.dispatch()
    desk.do(lambda turn: turn.end(turn.run(first.id), why="cancel", by="eve"))
    desk.end(busy)
    assert [claim.run.id for claim in desk.dispatch()] == [second.id]


def test_a_pool_is_passed_in_order_by_the_runs_of_all_its_jobs() -> None:
    pool = PoolUse("db")
    names = ("a", "b", "c")
    desk = Desk(*(job(name, pool=pool) for name in names), pools=(("db", 1),))
    waiting = [desk.ask(name).id for name in ("b", "a", "b", "c", "a")]
    for expected in waiting:
        (claim,) = desk.dispatch()
        assert claim.run.id == expected
        desk.end(desk.launch(claim))


def test_a_heavy_run_is_not_starved_by_light_ones() -> None:
    heavy = job("heavy", pool=PoolUse("gpu", 2))
    light = job("light", pool=PoolUse("gpu"), max_instances=9)
    desk = Desk(heavy, light, pools=(("gpu", 2),))
    busy = [desk.begin("light"), desk.begin("light")]
    wanted = desk.ask("heavy")
    while busy:
        desk.ask("light")
        assert desk.dispatch() == ()
        desk.end(busy.pop())
    assert [claim.run.id for claim in desk.dispatch()] == [wanted.id]


def test_a_low_run_that_has_waited_long_goes_before_a_critical_one() -> None:
    aging = Daemon(max_parallel=1, priority_aging_s=60)
    desk = Desk(job("a"), job("b", priority=Priority.LOW), job("c"), daemon=aging)
    busy = desk.begin("a")
    low = desk.ask("b")
    desk.dispatch()
    desk.pass_s(181)
    desk.ask("c", priority=Priority.CRITICAL)
    desk.end(busy)
    assert [claim.run.id for claim in desk.dispatch()] == [low.id]


names = st.sampled_from(["a", "b", "c", "d"])
asked = st.tuples(names, st.sampled_from(list(Priority)), st.integers(0, 90))
acts = st.one_of(
    asked, st.sampled_from(["pass", "end", "end", "pause b", "resume b", "cancel", "wait"])
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(acts, max_size=40), st.data())
def test_a_pass_finds_just_those_that_a_look_at_all_would(
    history: list[object], data: st.DataObject
) -> None:
    desk = _small_desk()
    running: list[dispatch.Claim] = []
    for no, act in enumerate([*history, "pass"]):
        desk.pass_s(1)
        if isinstance(act, tuple):
            name, priority, back = act
            due = desk.now - timedelta(seconds=back)
            _fill(desk, _queued(no, name, priority=priority, due_at=due, queued_at=due))
        elif act == "pass":
            expected = _by_a_look_at_all(desk)
            claims = desk.dispatch()
            assert [claim.run.id for claim in claims] == expected
            running += claims
        elif act != "end":
            _ACTS[str(act)](desk)
        elif running:
            at = data.draw(st.integers(0, len(running) - 1))
            desk.end(desk.launch(running.pop(at)))


def _cancel_newest(desk: Desk) -> None:
    newest = desk.runs(state=State.QUEUED)
    if newest:
        desk.do(lambda turn: turn.end(newest[0], why="cancel", by="eve"))


_ACTS: dict[str, Callable[[Desk], object]] = {
    "wait": lambda desk: desk.pass_s(45),
    "cancel": _cancel_newest,
    "pause b": lambda desk: desk.do(lambda turn: intents.pause_job(turn, "b", by="bob")),
    "resume b": lambda desk: desk.do(lambda turn: intents.resume_job(turn, "b", by="bob")),
}


def _small_desk() -> Desk:
    return Desk(
        job("a", pool=PoolUse("x", 2)),
        job("b", max_instances=2, pool=PoolUse("x")),
        job("c", max_instances=3),
        job("d", pool=PoolUse("y")),
        pools=(("x", 2), ("y", 1)),
        daemon=Daemon(max_parallel=3, priority_aging_s=30),
    )


def _wants(desk: Desk, run: Run) -> list[tuple[str, int]]:
    pool = desk.config.job(run.job).pool  # type: ignore[union-attr]
    shared = [] if pool is None else [(f"pool {pool.name}", pool.slots)]
    return [(run.job, 1), *shared, ("all", 1)]


def _serve(free: dict[str, int], wants: list[tuple[str, int]]) -> bool:
    for name, count in wants:
        if count > free[name]:
            free[name] = 0
            return False
        free[name] -= count
    return True


def _by_a_look_at_all(desk: Desk) -> list[str]:
    """Say who goes, by the rules as they are written and all rows."""
    runs, aging = desk.runs(), desk.config.daemon.priority_aging_s
    free = {"pool x": 2, "pool y": 1, "all": desk.config.daemon.max_parallel}
    free |= {one.name: one.max_instances for one in desk.config.jobs}
    if desk.standing("b").paused_by is not None:
        free["b"] = 0

    def key(run: Run) -> tuple[float, object, str]:
        raised = (desk.now - run.due_at).total_seconds() // aging
        return max(run.priority - raised, 0), run.due_at, run.id

    for run in runs:
        for name, count in _wants(desk, run) if run.is_active else ():
            free[name] -= count
    queued = sorted((run for run in runs if run.state is State.QUEUED), key=key)
    return [run.id for run in queued if _serve(free, _wants(desk, run))]


def test_the_words_of_a_wait_follow_what_holds_it() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=1))
    first = desk.begin("a")
    second = desk.ask("a")
    desk.dispatch()
    assert "max_instances" in (desk.run(second.id).waiting_for or "")
    desk.ask("b", due_at=desk.now - timedelta(seconds=5))
    desk.end(first)
    (claim,) = desk.dispatch()
    assert claim.job.name == "b"
    assert "max_parallel" in (desk.run(second.id).waiting_for or "")


def test_a_run_keeps_its_priority_and_has_its_jobs_when_nobody_says_one() -> None:
    desk = Desk(job("a", priority=Priority.HIGH, max_instances=9))
    assert desk.ask("a").priority is Priority.HIGH
    asked_for = desk.ask("a", priority=Priority.LOW)
    assert desk.run(asked_for.id).priority is Priority.LOW


def test_a_run_put_back_is_looked_at_when_it_is_due_again() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a")
    desk.dispatch()
    later = replace(
        desk.run(run.id), state=State.QUEUED, due_at=desk.now + timedelta(seconds=9)
    )
    desk.do(lambda turn: turn.tx.update_run(later))
    assert desk.dispatch() == ()
    assert desk.database.view(lambda tx: tx.next_due(desk.now)) == later.due_at
    desk.pass_s(9)
    assert len(desk.dispatch()) == 1
