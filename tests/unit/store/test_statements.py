"""Rows that change often are written once, in part, and never behind anybody's back."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from claw.model.event import Event
from claw.model.gates import Standing
from claw.model.lineage import ALONE, Lineage
from claw.model.run import Attempt, Origin, Run, State, Supervisor
from claw.model.values import replace
from claw.store import migrate
from claw.store.database import Database
from claw.store.records import Tx
from tests.kit.desk import T0, a_run

STANDING = Standing(name="j", added_at=T0, active_since=T0)
CLAIMED_AT = T0 + timedelta(seconds=1)


class OopsError(Exception):
    """A mistake of ours."""


class Watched:
    """A database that tells of the changes that it is asked for."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.database = Database(":memory:", inline=True, tracer=self._hear)
        migrate.apply(self.database._writer, T0)
        self.said.clear()

    def _hear(self, statement: str) -> None:
        if statement.startswith(("UPDATE", "INSERT", "DELETE")):
            self.said.append(" ".join(statement.split()))

    def do(self, fn: Callable[[Tx], object]) -> list[str]:
        """Make one transaction, and return what it has changed, statement by statement."""
        self.said.clear()
        self.database.transact(fn)
        return list(dict.fromkeys(self.said))  # one that sets off a trigger is told twice

    def run(self) -> Run:
        """Return the one run, as it is on disk."""
        found = self.database.view(lambda tx: tx.run(a_run().id))
        assert found is not None
        return found


@pytest.fixture
def watched() -> Watched:
    made = Watched()
    made.do(lambda tx: tx.insert_run(a_run()))
    return made


def claim(tx: Tx) -> Run:
    """Claim the run in several steps."""
    run = tx.run(a_run().id)
    assert run is not None
    for step in (
        replace(run, state=State.CLAIMED, claimed_at=CLAIMED_AT),
        replace(run, state=State.CLAIMED, claimed_at=CLAIMED_AT, attempt=1, sid="s1"),
    ):
        tx.update_run(step)
    return run


def test_of_a_row_that_is_known_only_what_has_changed_is_written_and_once(
    watched: Watched,
) -> None:
    def steps(tx: Tx) -> None:
        claim(tx)
        tx.put_standing(STANDING)
        tx.put_standing(replace(STANDING, crashes=1))

    first, second = watched.do(steps)

    assert first.startswith("UPDATE OR FAIL runs SET state = 'claimed', claimed_at = ")
    assert "due_at" not in first
    assert second.startswith("INSERT INTO jobs")
    assert watched.run().sid == "s1"
    [third] = watched.do(lambda tx: tx.put_standing(replace(STANDING, epoch=7, crashes=1)))
    assert third == "UPDATE jobs SET epoch = 7 WHERE name = 'j';"


def test_a_run_that_is_over_is_remembered_no_longer(watched: Watched) -> None:
    memory = watched.database._memory

    def end(tx: Tx) -> None:
        tx.update_run(replace(claim(tx), state=State.SUCCEEDED))

    watched.do(claim)
    assert memory.known[Run].keys() == {a_run().id}
    watched.do(end)
    watched.do(lambda _tx: None)
    assert not memory.known[Run]

    watched.do(lambda tx: tx.run(a_run().id))
    watched.do(lambda _tx: None)
    assert not memory.known[Run]
    assert watched.run().state is State.SUCCEEDED


def test_few_runs_are_remembered_for_each_may_be_large(watched: Watched) -> None:
    memory = watched.database._memory
    for number in range(300):
        memory.learn(Run, str(number), a_run())
        memory.learn(Attempt, (str(number), 1), object())

    watched.do(lambda _tx: None)

    assert not memory.known[Run]
    assert len(memory.known[Attempt]) == 300


def test_what_is_put_as_it_was_is_not_written(watched: Watched) -> None:
    watched.do(lambda tx: tx.put_standing(STANDING))

    assert watched.do(lambda tx: tx.put_standing(replace(STANDING, up=False))) == []


def test_a_run_that_changes_is_looked_at_again_by_the_gates(watched: Watched) -> None:
    watched.do(lambda tx: tx.set_gate(a_run().id, "max_parallel", "waits"))

    def note(tx: Tx) -> None:
        run = tx.run(a_run().id)
        assert run is not None
        assert run.waiting_for == "waits"
        tx.update_run(replace(run, stop_by="me"))

    watched.do(note)

    assert watched.database.view(lambda tx: tx.fresh_jobs(T0)) == ("j",)


def test_who_looks_at_rows_sees_what_is_held_back_of_them(watched: Watched) -> None:
    def look(tx: Tx) -> None:
        claim(tx)
        assert tx.count_open() == 1
        assert [run.sid for run in tx.active_runs()] == ["s1"]
        attempt = Attempt(run=a_run().id, no=1, sid="s1", cause="start")
        tx.put_attempt(attempt)
        tx.put_attempt(replace(attempt, pid=7))
        assert tx.attempt(attempt.run, 1) == replace(attempt, pid=7)
        assert tx.live_attempts() == {attempt.run: replace(attempt, pid=7)}
        tx.put_supervisor(Supervisor(sid="s1", run=attempt.run, job="j", created_at=T0))
        assert [one.sid for one in tx.open_supervisors()] == ["s1"]
        tx.append_event(Event(at=T0, type="x", run=attempt.run))
        assert [event.type for event in tx.events()] == ["x"]
        tx.put_standing(STANDING)
        assert tx.standings() == {"j": STANDING}

    watched.do(look)


def test_what_is_known_is_known_no_more_when_others_change_it(watched: Watched) -> None:
    def change(tx: Tx) -> None:
        claim(tx)
        tx.put_standing(STANDING)
        tx.put_attempt(Attempt(run=a_run().id, no=1, sid="s1", cause="start"))
        tx.delete_attempt(a_run().id, 1)
        tx.delete_standing("j")
        tx.set_waiting_for(a_run().id, "other words")

    watched.do(change)

    def look(tx: Tx) -> None:
        run = tx.run(a_run().id)
        assert run is not None
        assert run.waiting_for == "other words"
        assert tx.standing("j") is None
        assert tx.attempt(a_run().id, 1) is None

    watched.do(look)


def test_a_run_that_is_forgotten_takes_along_what_is_held_back_of_it(
    watched: Watched,
) -> None:
    def forget(tx: Tx) -> None:
        tx.update_run(replace(a_run(), state=State.SUCCEEDED, ended_at=T0))
        tx.put_attempt(Attempt(run=a_run().id, no=1, sid="s1", cause="start"))
        assert tx.delete_runs([a_run().id]) == 1
        assert tx.run(a_run().id) is None
        assert tx.attempt(a_run().id, 1) is None

    watched.do(forget)

    assert watched.database.view(lambda tx: tx.count_open()) == 0


def test_nothing_is_known_of_a_write_that_failed(watched: Watched) -> None:
    def fail(tx: Tx) -> None:
        claim(tx)
        tx.put_standing(STANDING)
        tx.append_event(Event(at=T0, type="x"))
        tx.settle()
        raise OopsError

    with pytest.raises(OopsError):
        watched.do(fail)

    assert watched.run() == a_run()
    assert watched.do(lambda tx: tx.standing("j")) == []
    watched.do(lambda tx: tx.append_event(Event(at=T0, type="y")))
    assert [
        (event.type, event.cursor) for event in watched.database.view(lambda tx: tx.events())
    ] == [("y", 1)]
    watched.do(lambda tx: tx.put_standing(replace(STANDING, up=True)))
    assert watched.database.view(lambda tx: tx.standing("j")) == replace(STANDING, up=True)


def test_a_part_that_fails_leaves_what_was_held_back_before_it(watched: Watched) -> None:
    def try_it(tx: Tx) -> None:
        claim(tx)
        with contextlib.suppress(OopsError), tx.part():
            tx.update_run(replace(a_run(), state=State.CANCELED))
            tx.append_event(Event(at=T0, type="x"))
            raise OopsError
        run = tx.run(a_run().id)
        assert run is not None
        assert run.state is State.CLAIMED

    watched.do(try_it)

    assert watched.run().state is State.CLAIMED
    assert watched.database.view(lambda tx: tx.last_cursor()) == 0


def test_events_are_numbered_on_when_the_last_ones_were_forgotten(tmp_path: Path) -> None:
    def append(tx: Tx) -> None:
        for _ in range(3):
            tx.append_event(Event(at=T0, type="x"))

    path = str(tmp_path / "claw.db")
    before = Database.inline(T0, path)
    before.transact(append)
    before.transact(lambda tx: tx.delete_events(3))
    before.close()
    again = Database(path, inline=True)

    again.transact(append)

    assert again.view(lambda tx: tx.last_cursor()) == 6
    again.close()


def test_what_is_asked_again_and_again_is_looked_up_once_until_it_changes() -> None:
    said: list[str] = []
    database = Database(":memory:", inline=True, tracer=said.append)
    migrate.apply(database._writer, T0)

    def ask(_tx: Tx) -> tuple[object, ...]:
        return _tx.meta("a"), _tx.meta("b"), _tx.pauses(), _tx.timing("j").errors

    assert database.transact(ask) == (None, None, {}, 0)
    said.clear()
    assert database.transact(ask) == (None, None, {}, 0)
    assert not [text for text in said if text.startswith("SELECT")]

    def change(tx: Tx) -> tuple[object, ...]:
        tx.put_meta("b", "1")
        tx.put_pause("all", "me", T0)
        tx.put_timing(replace(tx.timing("j"), errors=3))
        return ask(tx)

    assert database.transact(change) == (None, "1", {"all": "me"}, 3)
    assert database.transact(ask) == (None, "1", {"all": "me"}, 3)


def test_what_a_failed_write_has_answered_is_forgotten() -> None:
    database = Database.inline(T0)

    def fail(tx: Tx) -> None:
        tx.put_meta("a", "1")
        assert tx.meta("a") == "1"
        raise OopsError

    with pytest.raises(OopsError):
        database.transact(fail)

    assert database.transact(lambda tx: tx.meta("a")) is None


def test_every_content_of_a_run_is_read_as_it_was_written(watched: Watched) -> None:
    whole = replace(
        a_run(),
        id="r" + "1" * 26,
        origin=Origin.SCHEDULE,
        origin_key="other",
        state=State.FAILED,
        slot_at=T0,
        slot_until=T0 + timedelta(microseconds=1),
        env=(("A", "ü"), ("B", "")),
        args=("x", "y z"),
        forced=True,
        dead_at=T0,
        lineage=Lineage(parent="r1", root="r0", depth=2),
    )

    watched.do(lambda tx: tx.insert_run(whole))

    found = watched.database.view(lambda tx: tx.run(whole.id))
    assert found == whole
    assert watched.run().lineage is ALONE
    assert type(found.state) is State
    assert type(found.priority) is type(whole.priority)


def test_a_change_of_a_row_that_has_gone_is_said_and_not_remembered(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    def lose(tx: Tx) -> None:
        run = tx.run(a_run().id)
        assert run is not None
        tx._connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
        tx.update_run(replace(run, state=State.CLAIMED))

    watched.do(lose)

    assert "a row of runs was to be changed and has gone" in caplog.text
    assert watched.database.transact(lambda tx: tx.run(a_run().id)) is None
