"""Every statement of the store, as SQLite plans it: no walk through a table that grows."""

import re
import sqlite3
from collections.abc import Iterator

import pytest

from claw.store.database import Database
from claw.store.queries import QUERIES, parse
from tests.kit.desk import T0

BOUNDED = ("runs_open", "runs_active", "runs_queue", "runs_due", "runs_gate", "runs_forced",
           "alerts_standing", "pings_unmade", "supervisors_open",
           "approvals_pending", "watched_waiting")  # fmt: skip
"""Indexes of what is open alone: a walk through one of them is short."""

WALKS = {
    "standings": "all jobs are wanted",
    "instances": "all of them are wanted",
    "pools": "few, and all of them are wanted",
    "pauses": "few, and all of them are wanted",
    "pings": "all of them are wanted",
    "rollouts": "few, and all of them are wanted",
    "holds": "one row for each lock, and all of them are wanted",
    "timings": "few, and all of them are wanted",
    "last_runs": "one step per job",
    "bridges": "few, and all of them are wanted",
    "jobs_with_watches": "a row for each path that is watched",
    "alerts": "newest first, bounded",
    "aliases": "few, and all of them are wanted",
    "channels_waiting": "one step for each channel",
    "lane_heads": "one step for each address",
    "delivery_counts": "of each channel a bounded number is kept",
    "dropped": "one row for each channel",
    "event_tallies": "a row for each job and type of event, and all of them are wanted",
    "dead_counts": "dead letters are few, and all of them are counted",
}
"""Statements that walk through a table on purpose."""


@pytest.fixture(name="connection")
def _connection() -> Iterator[sqlite3.Connection]:
    database = Database.inline(T0)
    yield database._writer
    database.close()


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_statement_finds_its_rows_by_an_index(
    connection: sqlite3.Connection, name: str
) -> None:
    values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 1)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values).fetchall()
    walks = [
        row["detail"]
        for row in plan
        if row["detail"].startswith("SCAN")
        and not row["detail"].endswith(BOUNDED)
        and not row["detail"].startswith("SCAN (subquery")
    ]
    assert not walks or name in WALKS, walks


def test_open_runs_are_counted_without_a_look_at_any_row(
    connection: sqlite3.Connection,
) -> None:
    for name in ("active_counts", "fresh_jobs", "heads", "count_due"):
        values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]), 1)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values).fetchall()
        looks = [row["detail"] for row in plan if " runs " in row["detail"]]
        assert looks, name
        assert all("COVERING INDEX" in look for look in looks), name


def test_what_somebody_told_of_is_counted_without_a_look_at_what_others_did(
    connection: sqlite3.Connection,
) -> None:
    values = {"by": "token", "since": "", "limit": 1}
    query = f"EXPLAIN QUERY PLAN {QUERIES['count_happenings']}"
    details = [row["detail"] for row in connection.execute(query, values).fetchall()]
    [look] = [one for one in details if "happenings" in one]
    assert "COVERING INDEX happenings_teller (by=? AND id>?)" in look


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse("-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n")
    with pytest.raises(ValueError, match="no statement"):
        parse("-- name: a\nSELECT 1\n")
