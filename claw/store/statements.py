"""How a transaction's methods run the named statements; what they all are made of.

A run takes several steps in one transaction when a piece of a journal tells of all its short
life, and its attempt, supervisor and job change with each of them. Such rows (`KINDS`) are
written once, and of each only what has changed: what has become of one is held back until a
statement that might see it, or the end, and whoever asks for it meanwhile is told what is
held. So are events, which nobody looks at within a decision.

The store's one writer also remembers rows from one transaction to the next (`Memory`).
"""

import logging
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, TypeVar

from claw.model.event import Event
from claw.model.gates import Standing
from claw.model.run import ACTIVE, FINAL, Attempt, Run, State, Supervisor
from claw.model.values import replace
from claw.store import rows
from claw.store.connect import MOST_STATEMENTS
from claw.store.layout import Cells, Layout, Row, Value
from claw.store.queries import QUERIES

_LOG = logging.getLogger("claw.store")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value of which rows are held back and remembered."""

    table: str
    layout: Layout[Any]
    keys: tuple[str, ...]  # the fields that name one
    put: str  # the statement that stores one as a whole, '': its row is there already
    update: str  # of which a part stores what has changed
    whole: str = field(init=False)  # what `put` names, for cells
    changes: Callable[[Any, Any], Row] = field(init=False)  # of what `update` names

    def __post_init__(self) -> None:
        whole = self.layout.placed(QUERIES[self.put]) if self.put else ""
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "changes", self.layout.changes(QUERIES[self.update]))

    def place(self, key: Any) -> Row:
        """Return what finds the row of a key."""
        keys = self.keys
        return {keys[0]: key} if len(keys) == 1 else dict(zip(keys, key, strict=True))


KINDS: dict[type, Kind] = {
    Run: Kind("runs", rows.RUNS, ("id",), "", "update_run"),
    Attempt: Kind("attempts", rows.ATTEMPTS, ("run", "no"), "put_attempt", "update_attempt"),
    Supervisor: Kind(
        "supervisors", rows.SUPERVISORS, ("sid",), "put_supervisor", "update_supervisor"
    ),
    Standing: Kind("jobs", rows.STANDINGS, ("name",), "put_standing", "update_standing"),
}
"""In the order in which they are written: what triggers of ``jobs`` do to runs comes last."""

_INSERT_RUN = rows.RUNS.placed(QUERIES["insert_run"])
_APPEND_EVENT = rows.EVENTS.placed(QUERIES["append_event"])

_SEEN_IN: dict[str, tuple[type, ...]] = {
    "runs": (Run, Standing),
    "open_runs": (Run,),
    "attempts": (Attempt,),
    "supervisors": (Supervisor,),
    "jobs": (Standing,),
    "events": (Event,),
}
"""By table, what changes it when it is written, be it through a trigger."""

_OF_GATES = {"settle_gates", "look_again", "look_at_gate", "look_at_job", "look_until"}
"""They change rows of runs, but nothing that a `Run` has."""

_BY_KEY = {"run", "attempt", "supervisor", "standing"}
"""They look for one row, and only when nothing is known of it."""

ANSWERS = {
    "holds": "locks",
    "instances_of": "instances",
    "keyed_run": "idem",
    "meta": "meta",
    "next_expiry": "approvals",
    "next_retirement": "timings",
    "next_workflow_deadline": "workflow_runs",
    "pauses": "queue_pauses",
    "pools": "pools",
    "rollout": "rollouts",
    "standing_alerts": "alerts",
    "timing": "timings",
    "watched_waiting": "watched",
}
"""Questions that each decision asks, and the table, seldom changed, that answers each."""

_CHANGE = re.compile(r"(UPDATE(?: OR FAIL)?|DELETE FROM) (\w+)")
_WRITE = re.compile(r"(?:INSERT(?: OR FAIL)? INTO|UPDATE(?: OR FAIL)?|DELETE FROM) (\w+)")
_MOST_REMEMBERED = 4096
_MOST_RUNS = 256
"""Remembered: each may have an environment and arguments of many kilobytes."""


def sees(name: str) -> frozenset[type]:
    """Return the kinds of which no row may be held back when a statement is run."""
    text = QUERIES[name]
    if name in _BY_KEY:
        return frozenset()
    if text.startswith("DELETE FROM runs"):  # what refers to a run goes with it
        return frozenset((*KINDS, Event))
    words = set(re.findall(r"\w+", text)) & _SEEN_IN.keys()
    return frozenset(kind for word in words for kind in _SEEN_IN[word])


def _outdates(name: str) -> tuple[type, ...]:
    """Return the kinds of which rows are not as remembered after a statement."""
    found = _CHANGE.match(QUERIES[name])
    if found is None or name in _OF_GATES:
        return ()
    if found.group() == "DELETE FROM runs":
        return tuple(KINDS)
    return tuple(kind for kind, one in KINDS.items() if one.table == found[2])


def tables_changed(name: str) -> frozenset[str]:
    """Return the tables that a statement changes, of those that answer questions."""
    found = _WRITE.match(QUERIES[name])
    if found is None:
        return frozenset()
    if found.group() == "DELETE FROM runs":  # what refers to a run goes with it
        return frozenset({"approvals", "workflow_runs"})
    return frozenset({found[1]}) & frozenset(ANSWERS.values())


@dataclass(frozen=True, slots=True)
class _Way:
    """A statement, and what is to be done before it is run."""

    text: str
    sees: frozenset[type]
    outdates: tuple[type, ...]
    tables: frozenset[str]  # whose answers it outdates


@cache
def _way(name: str) -> _Way:
    return _Way(QUERIES[name], sees(name), _outdates(name), tables_changed(name))


@lru_cache(MOST_STATEMENTS)
def _part(name: str, columns: tuple[str, ...]) -> str:
    """Return an UPDATE that sets only some of the columns that it names."""
    head, _, rest = QUERIES[name].partition(" SET")
    items, _, where = rest.partition("\nWHERE")
    kept = [
        item.strip()
        for item in items.split(",")
        if ":" not in item or item.partition(":")[2].strip() in columns
    ]
    return f"{head} SET {', '.join(kept)} WHERE{where}"


@dataclass(slots=True)
class Memory:
    """What is known of rows as they are by now, and of these what is not written yet."""

    known: dict[type, dict[Hashable, Any]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    held: dict[type, dict[Hashable, Any]] = field(  # as they are stored; None: not known
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    events: list[Event] = field(default_factory=list)  # that are to be stored
    waiting: set[type] = field(default_factory=set)  # the kinds of all that is held back
    cursor: int | None = None  # of the newest event
    over: set[Hashable] = field(default_factory=set)  # runs that are known and have ended
    answers: dict[str, dict[tuple[object, ...], list[sqlite3.Row]]] = field(
        default_factory=lambda: {table: {} for table in ANSWERS.values()}
    )  # by table, question and what was asked for

    def forget(self) -> None:
        """Give up what is held back: it is not to be; and know nothing."""
        for values in (*self._all_known(), *self.held.values()):
            values.clear()
        self.events.clear()
        self.waiting.clear()
        self.over.clear()
        self.cursor = None

    def learn(self, kind: type, key: Hashable, value: object) -> None:
        """Remember a value as it is by now; of a run that has ended nothing more comes."""
        self.known[kind][key] = value
        if isinstance(value, Run) and value.state in FINAL:
            self.over.add(key)

    def shrink(self) -> None:
        """Let go of runs that are over, and of all when it has become much.

        Nothing is held back.
        """
        runs = self.known[Run]
        for key in self.over:
            runs.pop(key, None)
        self.over.clear()
        for values in self._all_known():
            if len(values) > (_MOST_RUNS if values is runs else _MOST_REMEMBERED):
                values.clear()

    def _all_known(self) -> tuple[dict[Any, Any], ...]:
        return (*self.known.values(), *self.answers.values())


def _has_left(before: Run | None, run: Run) -> bool:
    """Tell whether a run leaves its place to another one of its job that waits."""
    if run.state in ACTIVE or run.state is State.QUEUED:
        return before is None or (before.is_active and not run.is_active)
    return True


def _outdate(known: dict[Hashable, Any], key: Hashable | None) -> None:
    """Know nothing of a row any more, or of any if it is not said of which."""
    if key is None:
        known.clear()
    else:
        known.pop(key, None)


class Statements:
    """Runs statements of ``queries.sql`` on one connection."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory | None = None) -> None:
        """Begin a transaction's part.

        Args:
            connection: In its transaction.
            memory: Of the transactions before, if nobody else writes.
        """
        self._connection = connection
        self._memory = memory or Memory()
        self.events_appended: list[Event] = []

    def _do(self, name: str, /, **values: Value) -> sqlite3.Cursor:
        way, memory = _way(name), self._memory
        if not memory.waiting.isdisjoint(way.sees):
            self.settle()
        for kind in way.outdates:
            _outdate(memory.known[kind], values.get("id") if kind is Run else None)
        for table in way.tables:
            memory.answers[table].clear()
        return self._connection.execute(way.text, values)

    def _ask(self, name: str, /, **values: Value) -> Sequence[sqlite3.Row]:
        """Return the rows that answer a question out of `ANSWERS`."""
        answers = self._memory.answers[ANSWERS[name]]
        asked = (name, *values.values())
        found = answers.get(asked)
        if found is None:
            found = answers[asked] = self._do(name, **values).fetchall()
        return found

    def _one(self, name: str, /, **values: Value) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._do(name, **values).fetchone()
        return found

    def _number(self, name: str, /, **values: Value) -> int | None:
        found: tuple[int | None] = self._do(name, **values).fetchone()
        return found[0]

    def _runs(self, name: str, /, **values: Value) -> tuple[Run, ...]:
        return tuple(map(self._run_of, self._do(name, **values)))

    def _run_of(self, row: sqlite3.Row) -> Run:
        """Return the run that a row of all its columns holds."""
        known = self._memory.known[Run]
        run: Run | None = known.get(row[0])
        if run is None:
            run = rows.RUNS.value(row)
            self._memory.learn(Run, run.id, run)
        return run

    def _by_key(self, kind: type[T], key: Hashable, name: str, /, **values: Value) -> T | None:
        """Return the one value of a key, as it is by now."""
        known: T | None = self._memory.known[kind].get(key)
        if known is None:
            row = self._one(name, **values)
            if row is not None:
                known = KINDS[kind].layout.value(row)
                self._memory.learn(kind, key, known)
        return known

    def _hold(self, kind: type[T], key: Hashable, value: T) -> None:
        """Have a value stored, new or known, in time."""
        memory = self._memory
        known, held = memory.known[kind], memory.held[kind]
        if key not in held:
            held[key] = known.get(key)
            memory.waiting.add(kind)
        known[key] = value

    def run(self, run_id: str) -> Run | None:
        """Return the run of that whole id."""
        return self._by_key(Run, run_id, "run", id=run_id)

    def insert_run(self, run: Run) -> bool:
        """Store a new run; False when a run of the same origin and key is there.

        It looks at no row, and changes none that is there: what is held back can wait.
        """
        known = self._memory.known[Run]
        is_new = self._connection.execute(_INSERT_RUN, rows.RUNS.cells(run)).rowcount == 1
        if is_new and len(known) < _MOST_RUNS:
            self._memory.learn(Run, run.id, run)
        return is_new

    def update_run(self, run: Run) -> None:
        """Store what has become of a run; its id, job and origin never change."""
        self._hold(Run, run.id, run)
        if run.state in FINAL:
            self._memory.over.add(run.id)

    def append_event(self, event: Event) -> None:
        """Append an event; it gets the next cursor."""
        memory = self._memory
        if memory.cursor is None:
            memory.cursor = self._number("newest_cursor") or 0
        memory.cursor += 1
        event = replace(event, cursor=memory.cursor)
        self.events_appended.append(event)
        if not memory.events:
            memory.waiting.add(Event)
        memory.events.append(event)

    def settle(self) -> None:
        """Write what is held back."""
        memory = self._memory
        memory.waiting.clear()
        for kind, one in KINDS.items():
            held = memory.held[kind]
            if held:
                memory.held[kind] = {}
                self._write(one, memory.known[kind], held)
        if memory.events:
            self._connection.executemany(_APPEND_EVENT, map(rows.EVENTS.cells, memory.events))
            memory.events.clear()

    def _write(self, kind: Kind, known: dict[Hashable, Any], held: dict[Hashable, Any]) -> None:
        layout, parts = kind.layout, defaultdict[str, list[Row | Cells]](list)
        left: dict[str, None] = {}
        for key, before in held.items():
            value = known[key]
            if before is None and kind.put:
                parts[kind.whole].append(layout.cells(value))
                continue
            changed = layout.row(value) if before is None else kind.changes(before, value)
            if changed:
                parts[_part(kind.update, (*changed,))].append(changed | kind.place(key))
            if "state" in changed and _has_left(before, value):
                left[value.job] = None
        for statement, values in parts.items():
            if self._connection.executemany(statement, values).rowcount != len(values):
                _LOG.error("a row of %s was to be changed and has gone", kind.table)
                known.clear()
        for job in left:
            self._connection.execute(QUERIES["look_at_job"], {"job": job})

    def forget(self) -> None:
        """Give up what is held back: it is not to be."""
        self._memory.forget()
