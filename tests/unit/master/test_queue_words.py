"""What operators say of the queue and of pools, and what is told of what waits."""

from datetime import timedelta

import pytest

from claw.errors import ConflictError, NotFoundError
from claw.master.engine import pools
from claw.master.views import queueview
from claw.master.views.queuewords import QueueWords
from claw.model.job import Daemon
from claw.model.pool import PoolUse
from claw.model.run import Priority, Run, State
from tests.kit.desk import Desk, job, service

DB = PoolUse("db")


def _desk(**values: object) -> Desk:
    return Desk(
        job("a", pool=DB, max_queued=5),
        job("b", pool=DB),
        job("c"),
        service("s", pool=DB),
        pools=(("db", 1),),
        **values,  # type: ignore[arg-type]
    )


def _pause(desk: Desk, name: str | None) -> bool:
    return desk.do(lambda turn: pools.pause(turn, pools.meant(turn.config, name), by="eve"))


def _resume(desk: Desk, name: str | None) -> bool:
    return desk.do(lambda turn: pools.resume(turn, pools.meant(turn.config, name), by="eve"))


def _names(desk: Desk) -> list[str]:
    return [claim.run.job for claim in desk.dispatch()]


@pytest.mark.parametrize(
    ("what", "go", "words"),
    [
        (None, [], "the queue is paused by eve: clawctl queue resume"),
        ("db", ["c"], "the queue of pool db is paused by eve: clawctl queue resume db"),
        ("a", ["b", "c"], "the queue of job a is paused by eve: clawctl queue resume a"),
    ],
)
def test_what_is_held_back_waits_and_says_so_until_it_is_resumed(
    what: str | None, go: list[str], words: str
) -> None:
    desk = _desk()
    first = desk.ask("a")
    for name in ("b", "c"):
        desk.ask(name)
    assert _pause(desk, what)
    assert not _pause(desk, what)
    assert _names(desk) == go
    assert desk.run(first.id).waiting_for == words
    desk.set_config(*desk.config.jobs)  # a reload changes nothing of it
    assert _names(desk) == []
    assert _resume(desk, what)
    assert not _resume(desk, what)
    assert len(_names(desk)) == {None: 2, "db": 1, "a": 0}[what]


def test_a_pause_of_the_queue_does_not_concern_services() -> None:
    desk = _desk()
    _pause(desk, None)
    desk.ask("s")
    assert _names(desk) == ["s"]
    with pytest.raises(ConflictError, match="is a service"):
        pools.meant(desk.config, "s")


def test_a_name_that_means_nothing_or_two_things_is_refused() -> None:
    desk = Desk(job("x"), job("y"), pools=(("x", 1),))
    assert pools.meant(desk.config, "pool:x") == "pool x"
    assert pools.meant(desk.config, "job:x") == "job x"
    with pytest.raises(ConflictError, match="is a job and a pool"):
        pools.meant(desk.config, "x")
    with pytest.raises(NotFoundError):
        pools.meant(desk.config, "z")


def test_a_pool_has_what_an_operator_says_until_the_configured_number_changes() -> None:
    desk = _desk()
    for name in ("a", "b"):
        desk.ask(name)
    desk.do(lambda turn: pools.set_slots(turn, "db", 2, by="eve"))
    assert _names(desk) == ["a", "b"]
    desk.do(lambda turn: pools.set_slots(turn, "db", 1, by="eve"))
    (shown,) = desk.database.view(lambda tx: queueview.pool_list(tx, desk.config))
    assert (shown["slots"], shown["held"]) == (1, 2)  # what has begun goes on
    desk.do(lambda turn: pools.set_slots(turn, "db", 7, by="eve"))
    assert desk.database.view(lambda tx: pools.slots(tx, desk.config)) == {"db": 7}
    desk.config = Desk(pools=(("db", 3),)).config
    assert desk.database.view(lambda tx: pools.slots(tx, desk.config)) == {"db": 3}
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: pools.set_slots(turn, "none", 1, by="eve"))


def test_the_queue_is_told_in_the_order_in_which_it_goes() -> None:
    desk = _desk(daemon=Daemon(max_parallel=1, priority_aging_s=60))
    desk.begin("c")
    for name, priority in (("a", Priority.LOW), ("a", Priority.HIGH), ("b", None)):
        desk.ask(name, priority=priority)
    desk.ask("b", due_at=desk.now + timedelta(hours=1))
    desk.dispatch()
    desk.pass_s(70)
    shown = desk.database.view(
        lambda tx: queueview.queue(tx, desk.config, desk.now, job=None, pool="db", limit=3)
    )
    found = [(one["job"], one["priority"], one["level"]) for one in shown["runs"]]  # type: ignore[attr-defined]
    assert found == [("a", "high", 0), ("b", "normal", 1), ("a", "low", 2)]
    assert shown["total"] == 4
    assert all(one["why"] for one in shown["runs"])  # type: ignore[attr-defined]


def test_budgets_tell_what_is_nearly_used_up() -> None:
    desk = _desk(daemon=Daemon(max_parallel=2))
    desk.begin("a")
    for _ in range(4):
        desk.ask("a")
    desk.begin("c")
    shown = desk.database.view(lambda tx: queueview.budgets(tx, desk.config, desk.now))
    assert (shown["open"], shown["running"]) == (6, 2)
    assert shown["hot"] == [
        "daemon.max_parallel: 2 of 2",
        "a: max_queued: 4 of 5",
        "pool db: 1 of 1",
    ]


def test_a_run_is_stale_that_runs_much_longer_than_its_job_ever_does() -> None:
    desk = _desk()
    journal = desk.begin("c")
    desk.pass_s(40)
    desk.end(journal)
    stuck = desk.run_of(desk.begin("c"))
    waiting = desk.ask("c")
    desk.dispatch()

    def stale(older_s: float | None = None) -> list[object]:
        found = desk.database.view(
            lambda tx: queueview.stale(tx, desk.config, desk.now, older_s)
        )
        return [one["id"] for one in found]

    desk.pass_s(100)
    assert stale() == []
    assert stale(90) == [stuck.id, waiting.id]
    desk.pass_s(30)
    assert stale() == [stuck.id]
    desk.pass_s(3600)
    assert stale() == [stuck.id, waiting.id]
    assert desk.run(stuck.id).state is State.RUNNING


def _told(desk: Desk, run: Run) -> str | None:
    return desk.database.view(
        lambda tx: QueueWords(tx, desk.config).of(tx.run(run.id) or run)
    ).waiting_for


def test_what_is_told_of_who_waits_is_true_though_the_gates_have_not_looked_since() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=1))
    busy = desk.begin("a")
    waiting = desk.ask("b")
    desk.dispatch()
    full = "max_parallel: 1 runs are active, as many as the daemon may have"
    assert _told(desk, waiting) == full
    _pause(desk, None)
    assert _told(desk, waiting) == "the queue is paused by eve: clawctl queue resume"
    desk.end(busy)
    desk.dispatch()
    shown = desk.database.view(
        lambda tx: queueview.queue(tx, desk.config, desk.now, job=None, pool=None, limit=3)
    )
    assert "the queue is paused by eve" in str(shown["runs"])
    assert "active" not in str(shown["runs"])
    _resume(desk, None)
    assert _told(desk, waiting) == "waits for its turn"


def test_what_is_told_of_who_waits_for_a_pool_follows_its_slots() -> None:
    desk = Desk(job("a", pool=DB, max_instances=9), pools=(("db", 2),))
    desk.begin("a")
    desk.begin("a")
    waiting = desk.ask("a")
    desk.dispatch()
    assert _told(desk, waiting) == "pool db: 2 of its 2 slots are taken, 1 is needed"
    desk.do(lambda turn: pools.set_slots(turn, "db", 1, by="eve"))
    assert _told(desk, waiting) == "pool db: its only slot is taken"
