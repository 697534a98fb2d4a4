"""Rows to model values and back; the one place that knows both.

Times are whole microseconds since the epoch, lists are JSON, truths are 0 and 1.
"""

import json
import sqlite3
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import attrgetter

from claw.model.event import Event
from claw.model.gates import InstanceStanding, Standing
from claw.model.lineage import ALONE
from claw.model.rollout import Renewal, Rollout
from claw.model.run import Attempt, Origin, Phase, Priority, Run, State, Supervisor
from claw.store.layout import Layout, Pair, Row

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as it is stored."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the time that a stored number means."""
    return _EPOCH + timedelta(microseconds=value)


def micros_or_none(at: datetime | None) -> int | None:
    """Return a time as it is stored, or None."""
    return None if at is None else micros(at)


def instant_or_none(value: int | None) -> datetime | None:
    """Return the time that a stored number means, or None."""
    return None if value is None else instant(value)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text)) if text != "[]" else ()


def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()


def _list(values: tuple[object, ...]) -> str:
    return json.dumps(values) if values else "[]"


def _word_of(kind: type[Enum]) -> Pair:
    """Return how a word out of some is stored: plain, which SQLite takes in faster."""
    return attrgetter("_value_"), {one.value: one for one in kind}.__getitem__


_TIME: Pair = (micros, instant)
_TRUTH: Pair = (int, bool)

RUNS = Layout(
    Run,
    {
        **dict.fromkeys(("queued_at", "due_at", "slot_at", "slot_until"), _TIME),
        **dict.fromkeys(("claimed_at", "started_at", "ended_at", "phase_until"), _TIME),
        **dict.fromkeys(("expires_at", "dead_at"), _TIME),
        "state": _word_of(State),
        "origin": _word_of(Origin),
        "phase": _word_of(Phase),
        "priority": _word_of(Priority),
        "env": (_list, _pairs),
        "args": (_list, _strings),
        "forced": _TRUTH,
    },
    spread={"lineage": ALONE},
    others=("gate",),
)
ATTEMPTS = Layout(
    Attempt,
    {
        **dict.fromkeys(("started_at", "ready_at", "ended_at"), _TIME),
        "timed_out": _TRUTH,
    },
)
SUPERVISORS = Layout(Supervisor, dict.fromkeys(("created_at", "closed_at"), _TIME))
EVENTS = Layout(Event, {"at": _TIME, **dict.fromkeys(("old", "new", "why"), (str, str))})
STANDINGS = Layout(
    Standing,
    {
        **dict.fromkeys(("added_at", "active_since", "scheduled_through", "done_at"), _TIME),
        **dict.fromkeys(("up", "enabled"), _TRUTH),
    },
)


def row_of_instance(one: InstanceStanding) -> Row:
    """Return what is stored of an instance's standing."""
    return {
        "job": one.job,
        "no": one.no,
        "stopped_by": one.stopped_by,
        "last_run": one.last_run,
    }


def instance_of_row(row: sqlite3.Row) -> InstanceStanding:
    """Return the standing of an instance that a row holds."""
    return InstanceStanding(
        job=row["job"], no=row["no"], stopped_by=row["stopped_by"], last_run=row["last_run"]
    )


def row_of_rollout(rollout: Rollout) -> Row:
    """Return what is stored of a rolling restart."""
    return {
        "job": rollout.job,
        "at": micros(rollout.at),
        "by": rollout.by,
        "why": rollout.why,
        "batch": rollout.batch,
        "todo": json.dumps(rollout.todo),
        "busy": json.dumps([astuple(one) for one in rollout.busy]),
        "done": json.dumps(rollout.done),
        "failed": rollout.failed,
    }


def rollout_of_row(row: sqlite3.Row) -> Rollout:
    """Return the rolling restart that a row holds."""
    return Rollout(
        job=row["job"],
        at=instant(row["at"]),
        by=row["by"],
        why=row["why"],
        batch=row["batch"],
        todo=tuple(json.loads(row["todo"])),
        busy=tuple(Renewal(*one) for one in json.loads(row["busy"])),
        done=tuple(json.loads(row["done"])),
        failed=row["failed"],
    )
