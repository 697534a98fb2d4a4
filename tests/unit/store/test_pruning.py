"""Which runs may be forgotten, and which never are."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from claw.master import forgetting
from claw.master.asyncstore import AsyncStore
from claw.master.engine import deadletters, workflows
from claw.master.engine.deadletters import Changes
from claw.model.alerts import Alerting, AlertKind
from claw.model.home import at_folder
from claw.model.run import Origin, Run, State
from claw.model.trigger import Join, Trigger
from claw.model.workflow import chain
from claw.store.pruning import Old, Spared
from claw.store.records import Tx
from tests.kit.desk import T0, Desk, job
from tests.kit.flows import flow

LATER = T0 + timedelta(days=100)
NOBODY = Spared(settled=LATER, slots=LATER)


def _done(desk: Desk, name: str, code: int = 0) -> Run:
    desk.pass_s(1)
    return desk.end(desk.begin(name), code)


def _surplus(desk: Desk, keep: int, spared: Spared = NOBODY) -> list[str]:
    found = desk.database.view(lambda tx: tx.surplus_of("a", keep, spared, "", 100))
    return [one.id for one in found]


def _aged(desk: Desk, state: State, before: datetime = LATER) -> list[str]:
    def look(tx: Tx) -> list[Old]:
        after, found = tx.aged_in(state, before, NOBODY, "", 1)
        whole = list(found)
        while after:
            after, found = tx.aged_in(state, before, NOBODY, after, 1)
            whole += found
        return whole

    found = desk.database.view(look)
    return [one.id for one in found]


def test_the_newest_successes_of_each_job_are_kept() -> None:
    desk = Desk(job("a"), job("b"))
    made = [_done(desk, "a").id for _ in range(5)]
    _done(desk, "b")
    assert _surplus(desk, 3) == made[:2]
    assert _surplus(desk, 5) == []
    assert _surplus(desk, 1) == made[:-1]


def test_failures_do_not_count_among_successes_and_go_by_their_age() -> None:
    desk = Desk(job("a"))
    failed = [_done(desk, "a", 1) for _ in range(3)]
    good = _done(desk, "a")
    assert _surplus(desk, 1) == []
    assert _aged(desk, State.FAILED) == [one.id for one in failed]
    assert _aged(desk, State.FAILED, T0) == []
    assert _aged(desk, State.SUCCEEDED) == []
    assert good.id not in _aged(desk, State.FAILED)


def test_the_last_run_of_a_job_is_kept_however_old_it_is() -> None:
    desk = Desk(job("a"))
    first = _done(desk, "a", 1)
    last = _done(desk, "a", 1)
    assert _aged(desk, State.FAILED) == [first.id]
    assert desk.run(last.id).state is State.FAILED


def test_the_runs_of_a_job_that_is_gone_go_by_their_age_to_the_last() -> None:
    desk = Desk(job("a"))
    made = [_done(desk, "a").id, _done(desk, "a").id]
    desk.set_config()
    assert _aged(desk, State.SUCCEEDED) == made


def test_a_dead_letter_is_kept() -> None:
    desk = Desk(job("a"))
    dead = _done(desk, "a", 1)
    _done(desk, "a")
    desk.do(lambda turn: turn.tx.update_run(replace(dead, dead_at=T0)))
    assert _aged(desk, State.FAILED) == []
    desk.do(lambda turn: turn.tx.update_run(dead))
    assert _aged(desk, State.FAILED) == [dead.id]


def test_a_run_for_a_slot_of_late_is_kept() -> None:
    desk = Desk(job("a"))
    made = [_done(desk, "a") for _ in range(2)]
    early = Spared(settled=LATER, slots=T0)
    desk.do(
        lambda turn: turn.add(
            replace(
                made[0],
                id="r" + "0" * 26,
                origin=Origin.SCHEDULE,
                origin_key="a slot",
                slot_at=T0 + timedelta(hours=1),
            )
        )
    )
    assert "r" + "0" * 26 in _surplus(desk, 1)
    assert "r" + "0" * 26 not in _surplus(desk, 1, early)


def test_what_has_just_ended_is_kept_for_a_moment() -> None:
    desk = Desk(job("a"))
    _done(desk, "a")
    _done(desk, "a")
    assert _surplus(desk, 1, Spared(settled=T0, slots=LATER)) == []


def test_an_open_run_is_never_deleted() -> None:
    desk = Desk(job("a"))
    active = desk.run_of(desk.begin("a"))
    waiting = desk.ask("a")
    ids = [active.id, waiting.id]
    assert desk.do(lambda turn: turn.tx.delete_runs(ids)) == 0
    assert [desk.run(one).state for one in ids] == [State.RUNNING, State.QUEUED]
    assert desk.database.view(lambda tx: tx.ended_of("a", "", "s", 10)) == ()


def test_with_a_run_goes_all_that_belongs_to_it() -> None:
    desk = Desk(job("a"))
    run = _done(desk, "a")
    desk.do(lambda turn: turn.tx.put_result(run.id, 1, "1"))
    assert desk.do(lambda turn: turn.tx.delete_runs([run.id])) == 1
    assert desk.database.view(lambda tx: tx.attempts(run.id)) == ()
    assert desk.database.view(lambda tx: tx.result(run.id)) is None
    assert desk.database.view(lambda tx: tx.sids_of(run.id)) == ()
    assert desk.database.view(lambda tx: tx.count_open()) == 0


def test_events_are_found_by_their_age_a_bounded_number_at_a_time() -> None:
    desk = Desk(job("a"))
    _done(desk, "a")
    middle = desk.now + timedelta(seconds=1)
    desk.pass_s(10)
    _done(desk, "a")
    whole = desk.events()
    old = [one.cursor for one in whole if one.at < middle]
    assert desk.database.view(lambda tx: tx.events_older_than(middle, 3)) == old[2]
    through = desk.database.view(lambda tx: tx.events_older_than(middle, 500))
    assert through == old[-1]
    assert desk.do(lambda turn: turn.tx.delete_events(through)) == len(old)
    assert [one.cursor for one in desk.events()] == [one.cursor for one in whole[len(old) :]]
    assert desk.database.view(lambda tx: tx.events_older_than(T0, 500)) is None
    assert desk.database.view(lambda tx: tx.last_cursor()) == whole[-1].cursor


def test_a_look_is_bounded_however_little_there_is_to_forget() -> None:
    desk = Desk(job("a"), job("b"), job("c"))
    made = [_done(desk, name).id for name in "abccb"]

    def aged(after: str) -> tuple[str, int]:
        until, found = desk.database.view(
            lambda tx: tx.aged_in(State.SUCCEEDED, LATER, NOBODY, after, 2)
        )
        return until, len(found)

    assert aged("") == (made[1], 0)
    assert aged(made[1]) == (made[3], 0)
    assert aged(made[4]) == ("", 0)

    def surplus(after: str) -> tuple[str, list[str]]:
        return desk.database.view(lambda tx: tx.jobs_with_surplus(after, 1, NOBODY, 2))

    assert surplus("") == ("b", ["b"])
    assert surplus("b") == ("", ["c"])


def test_alerts_that_are_over_are_forgotten_and_those_that_stand_never() -> None:
    desk = Desk(job("a", alerts=Alerting(on=frozenset({AlertKind.FAILED}))))
    for code in (1, 0, 1):
        _done(desk, "a", code)
    assert desk.do(lambda turn: turn.tx.prune_alerts(T0, 10)) == 0
    assert desk.do(lambda turn: turn.tx.prune_alerts(LATER, 10)) == 1
    [left] = desk.database.view(lambda tx: tx.alerts())
    assert left.resolved_at is None


def test_a_step_is_kept_as_long_as_its_workflow_is_under_way() -> None:
    desk = Desk(job("a"), job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim))

    def forget() -> int:
        return desk.do(lambda turn: turn.tx.delete_runs([claim.run.id]))

    assert forget() == 0
    assert desk.database.view(lambda tx: tx.is_needed(claim.run.id))
    (other,) = desk.dispatch()
    desk.end(desk.launch(other))
    assert not desk.run(root.id).is_open
    assert forget() == 1
    assert desk.do(lambda turn: turn.tx.delete_runs([root.id])) == 1
    assert desk.database.view(lambda tx: tx.workflow(root.id)) is None


def _needed(desk: Desk, runs: Iterable[Run]) -> list[bool]:
    return desk.database.view(lambda tx: [tx.is_needed(run.id) for run in runs])


def test_what_steps_left_is_kept_as_long_as_their_workflow_is_under_way_anew() -> None:
    desk = Desk(job("a"), job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    steps = []
    for code in (0, 1):
        (claim,) = desk.dispatch()
        steps.append(desk.end(desk.launch(claim), code))
    assert _needed(desk, [root, *steps]) == [False, False, False]

    again = desk.do(lambda turn: workflows.retry(turn, root.id, None, key="k", by="me"))
    assert again.id != root.id
    assert _needed(desk, steps) == [True, True]
    assert desk.do(lambda turn: turn.tx.delete_runs([one.id for one in steps])) == 0
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim))
    assert _needed(desk, steps) == [False, False]


def test_a_run_is_kept_as_long_as_one_that_follows_it_is_open() -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",))))
    first = _done(desk, "a")
    assert _needed(desk, [first]) == [True]
    assert desk.do(lambda turn: turn.tx.delete_runs([first.id])) == 0
    (claim,) = desk.dispatch()
    after = desk.end(desk.launch(claim), 1)
    assert _needed(desk, [first, after]) == [False, False]


def test_all_runs_that_an_open_one_follows_are_kept_and_when_it_is_repeated() -> None:
    both = Trigger(after=("b", "c"), join=Join.ALL)
    desk = Desk(
        job("a"),
        job("b", trigger=Trigger(after=("a",))),
        job("c", trigger=Trigger(after=("a",))),
        job("d", trigger=both, dead_letter=True),
    )
    first = _done(desk, "a")
    middle = [desk.end(desk.launch(claim)) for claim in desk.dispatch()]
    assert _needed(desk, [first, *middle]) == [False, True, True]
    (claim,) = desk.dispatch()
    dead = desk.end(desk.launch(claim), 1)
    assert _needed(desk, [*middle, dead]) == [False, False, False]
    desk.do(lambda turn: deadletters.reinject(turn, dead, key="k", by="me", changes=Changes()))
    assert _needed(desk, [*middle, dead]) == [True, True, True]


async def test_the_files_of_a_run_that_is_needed_stay_with_it(tmp_path: Path) -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",))))
    home = at_folder(str(tmp_path))
    first = _done(desk, "a")
    printed = Path(home.job_log("a")) / f"{first.id}.out"
    printed.parent.mkdir(parents=True)
    printed.write_text("what b is to read")
    old, store = [Old(first.id, "a", None, 1)], AsyncStore(desk.database)

    assert await forgetting.forget_runs(home, store, old) == 0
    assert printed.read_text() == "what b is to read"
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim))
    assert await forgetting.forget_runs(home, store, old) == 1
    assert not printed.exists()
