"""The store's threads on a real file: group commit, failures, closing."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.errors import StoreError
from claw.model.event import Event
from claw.store import damage
from claw.store.connect import connect
from claw.store.database import GROUP_LIMIT, Answer, Database
from claw.store.records import Tx
from tests.kit.desk import T0

PATIENCE_S = 20.0


class Answers:
    """Collects answers, on whatever thread they come."""

    def __init__(self) -> None:
        self.found: list[Answer[Any]] = []
        self._changed = threading.Condition()

    def add(self, answer: Answer[Any]) -> None:
        with self._changed:
            self.found.append(answer)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Answer[Any]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.found) >= count, PATIENCE_S)
        return self.found


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> str:
    return str(tmp_path / "claw.db")


@pytest.fixture(name="statements")
def _statements() -> list[str]:
    return []


@pytest.fixture(name="database")
def _database(path: str, statements: list[str]) -> Iterator[Database]:
    opened = damage.open_or_rebuild(path, T0, tracer=statements.append)
    yield opened.database
    opened.database.close()


def _note(kind: str) -> Callable[[Tx], str]:
    def inside(tx: Tx) -> str:
        tx.append_event(Event(at=T0, type=kind))
        return kind

    return inside


def _blocking(database: Database) -> tuple[threading.Event, Answers]:
    """Keep the writer busy until the event is set."""
    entered, leave, answers = threading.Event(), threading.Event(), Answers()

    def inside(_tx: Tx) -> None:
        entered.set()
        assert leave.wait(PATIENCE_S)

    database.write(inside, answers.add)
    assert entered.wait(PATIENCE_S)
    return leave, answers


def _kinds(database: Database) -> list[str]:
    return [event.type for event in database.view(lambda tx: tx.events())]


def test_i1_an_answer_is_given_only_after_the_commit(path: str, database: Database) -> None:
    other = connect(path, read_only=True)
    seen: list[int] = []
    answered = threading.Event()

    def on_answer(answer: Answer[str]) -> None:
        assert answer.unwrap() == "x"
        seen.append(other.execute("SELECT count(*) FROM events").fetchone()[0])
        answered.set()

    database.write(_note("x"), on_answer)
    assert answered.wait(PATIENCE_S)
    assert seen == [1]
    other.close()


def test_writes_that_wait_share_one_commit(database: Database, statements: list[str]) -> None:
    leave, _ = _blocking(database)
    answers = Answers()
    for number in range(20):
        database.write(_note(str(number)), answers.add)
    statements.clear()
    leave.set()
    answers.wait(20)
    assert statements.count("COMMIT") <= 2  # that of the blocking one, and one for all
    assert [answer.unwrap() for answer in answers.found] == [str(n) for n in range(20)]
    assert _kinds(database) == [str(n) for n in range(20)]


def test_a_group_is_bounded(database: Database, statements: list[str]) -> None:
    leave, _ = _blocking(database)
    answers = Answers()
    for _ in range(GROUP_LIMIT + 1):
        database.write(lambda _tx: None, answers.add)
    statements.clear()
    leave.set()
    answers.wait(GROUP_LIMIT + 1)
    assert statements.count("BEGIN IMMEDIATE") == 2


def test_one_that_raises_takes_back_its_own_changes_and_no_others(database: Database) -> None:
    leave, _ = _blocking(database)
    answers = Answers()

    def failing(tx: Tx) -> None:
        tx.append_event(Event(at=T0, type="bad"))
        raise KeyError("mine")

    database.write(_note("before"), answers.add)
    database.write(failing, answers.add)
    database.write(_note("after"), answers.add)
    leave.set()
    answers.wait(3)
    errors = [answer.error for answer in answers.found if answer.error is not None]
    assert [str(error) for error in errors] == ["'mine'"]
    assert _kinds(database) == ["before", "after"]


def test_events_are_told_after_the_commit_without_those_taken_back(path: str) -> None:
    told: list[tuple[str, int]] = []
    opened = damage.open_or_rebuild(
        path, T0, on_events=lambda events: told.extend((e.type, e.cursor) for e in events)
    )
    database = opened.database

    def failing(tx: Tx) -> None:
        tx.append_event(Event(at=T0, type="bad"))
        raise KeyError

    database.transact(_note("a"))
    with pytest.raises(KeyError):
        database.transact(failing)
    database.transact(_note("b"))
    stored = [(event.type, event.cursor) for event in database.view(lambda tx: tx.events())]
    assert told == stored == [("a", 1), ("b", 2)]
    database.close()


def test_a_failing_commit_fails_its_whole_group_and_the_next_one_works(
    database: Database,
) -> None:
    # A deferred foreign key fails at COMMIT, as a full disk may, after every write succeeded.
    leave, blocked = _blocking(database)
    answers = Answers()

    def poison(tx: Tx) -> None:
        connection = tx._connection
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute(
            "INSERT INTO supervisors VALUES ('s', 'nobody', 'j', 0, 0, 0, 0, '', '', NULL)"
        )

    database.write(_note("lost"), answers.add)
    database.write(poison, answers.add)
    leave.set()
    answers.wait(2)
    blocked.wait(1)
    assert all(answer.error is not None for answer in answers.found)
    database.transact(_note("kept"))
    assert _kinds(database) == ["kept"]


def test_a_writer_that_cannot_be_had_again_refuses_until_it_can(
    database: Database, path: str
) -> None:
    folder = Path(path).parent
    away = folder.with_name("away")
    leave, answers = _blocking(database)

    def lose(tx: Tx) -> None:
        tx._connection.close()
        folder.rename(away)

    database.write(lose, answers.add)
    leave.set()
    assert all(answer.error is not None for answer in answers.wait(2)[1:])
    answers = Answers()
    database.write(_note("refused"), answers.add)
    assert isinstance(answers.wait(1)[0].error, StoreError)

    away.rename(folder)
    database.write(_note("kept"), answers.add)
    assert answers.wait(2)[1].error is None
    assert _kinds(database) == ["kept"]


def test_i7_a_full_database_refuses_and_recovers_by_itself(database: Database) -> None:
    connection = database._writer
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    def big(tx: Tx) -> None:
        tx.append_event(Event(at=T0, type="x" * 100_000))

    with pytest.raises(StoreError, match="full"):
        database.transact(big)
    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    database.transact(big)
    assert len(_kinds(database)) == 1
    assert not database.is_damaged


def test_sqlite_taking_back_everything_fails_everything_of_the_group(
    database: Database,
) -> None:
    leave, blocked = _blocking(database)
    answers = Answers()

    def taken_back(tx: Tx) -> None:
        tx._connection.execute("ROLLBACK")  # as SQLite does by itself on SQLITE_FULL
        raise sqlite3.OperationalError("database or disk is full")

    database.write(_note("a"), answers.add)
    database.write(taken_back, answers.add)
    database.write(_note("b"), answers.add)
    leave.set()
    answers.wait(3)
    blocked.wait(1)
    assert all(isinstance(answer.error, StoreError) for answer in answers.found)
    assert _kinds(database) == []


def test_a_mistake_in_sql_is_no_fault_of_the_disk(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        database.transact(
            lambda tx: tx._connection.execute("INSERT INTO meta VALUES (1, NULL)")
        )


def test_readers_see_one_state_and_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="readonly"):
        database.view(_note("never"))

    def inside(tx: Tx) -> tuple[int, int]:
        before = tx.last_cursor()
        database.transact(_note("meanwhile"))
        return before, tx.last_cursor()

    assert database.view(inside) == (0, 0)
    assert database.view(lambda tx: tx.last_cursor()) == 1


def test_many_threads_lose_nothing(database: Database) -> None:
    def work(name: str) -> None:
        for number in range(50):
            database.transact(_note(f"{name}{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    found = _kinds(database)
    assert len(found) == 200
    for name in "abcd":
        own = [kind for kind in found if kind[0] == name]
        assert own == [f"{name}{number}" for number in range(50)]


def test_closing_finishes_what_was_asked_and_refuses_the_rest(path: str) -> None:
    database = damage.open_or_rebuild(path, T0).database
    answers = Answers()
    for number in range(30):
        database.write(_note(str(number)), answers.add)
    database.close()
    database.close()
    assert [answer.unwrap() for answer in answers.found] == [str(n) for n in range(30)]
    with pytest.raises(StoreError, match="closed"):
        database.transact(_note("late"))
    with pytest.raises(StoreError, match="closed"):
        database.view(lambda tx: tx.last_cursor())
    reopened = damage.open_or_rebuild(path, T0).database
    assert len(_kinds(reopened)) == 30
    reopened.close()


def test_what_was_answered_survives_a_copy_of_the_files(path: str, tmp_path: Path) -> None:
    # What another process, or the next one after a kill -9, finds on the disk.
    database = damage.open_or_rebuild(path, T0).database
    database.transact(_note("x"))
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal"):
        (copy / f"claw.db{suffix}").write_bytes(Path(path + suffix).read_bytes())
    other = damage.open_or_rebuild(str(copy / "claw.db"), T0)
    assert other.damage is None
    assert _kinds(other.database) == ["x"]
    other.database.close()
    database.close()


def test_a_callback_that_raises_is_reported_and_stops_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    def failing(_answer: object) -> None:
        raise RuntimeError

    database.write(_note("a"), failing)
    database.transact(_note("b"))
    assert len(reported) == 1
    assert _kinds(database) == ["a", "b"]


def test_a_listener_to_events_that_raises_is_reported_and_the_write_stands(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)

    def failing(_events: object) -> None:
        raise RuntimeError

    database = damage.open_or_rebuild(path, T0, on_events=failing).database
    assert database.transact(_note("a")) == "a"
    assert len(reported) == 1
    database.close()


def test_a_connection_that_is_of_no_use_any_more_is_replaced(database: Database) -> None:
    database._writer.close()
    with pytest.raises(sqlite3.ProgrammingError):
        database.transact(_note("lost"))
    database.transact(_note("kept"))
    assert _kinds(database) == ["kept"]
