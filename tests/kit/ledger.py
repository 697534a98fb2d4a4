"""What must be true of a home whatever was killed: its books against each other.

Three books are kept apart: the database, the journals with the launch files, and what the
children themselves have left word of. Every check returns what is wrong in words; an empty
list means that all is well. Tests kill without knowing what was going on, so everything here
holds for any history.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import pairwise

from claw.master.engine import slots
from claw.model.event import Event
from claw.model.gates import Standing
from claw.model.job import Job
from claw.model.run import FINAL, Run, State, may_move
from claw.store.connect import connect
from claw.store.records import Tx
from tests.kit.master import Json, MasterUnderTest
from tests.kit.witness import Testimony

Key = tuple[str, int]
_NEVER_BEGAN = {State.SKIPPED, State.MISSED}


class Ledger:
    """One look at all books, taken when nothing but services runs."""

    def __init__(self, claw: MasterUnderTest, testimonies: Iterable[Testimony]) -> None:
        with _reading(claw.home.database) as tx:
            self.standings = tx.standings()
            self.runs = {run.id: run for run in _all_runs(tx)}
            self.events = _all_events(tx)
            self.open_supervisors = tx.open_supervisors()
            self.attempts = {
                (run, attempt.no): attempt
                for run in self.runs
                for attempt in tx.attempts(run, 1_000_000)
            }
        self.journals = claw.journals()
        self.launch_files = {
            path.name: path.read_text() for path in (claw.folder / "state/launch").iterdir()
        }
        self.testimonies = list(testimonies)
        self.said = Counter((line.run, line.attempt) for line in self.testimonies)

    def wrongs(self) -> list[str]:
        """Return everything that is wrong, whatever the jobs were."""
        checks = (
            self.wrong_paths, self.wrong_journals, self.wrong_attempts, self.wrong_launches,
            self.wrong_testimonies, self.wrong_twins, self.wrong_supervisors,
        )  # fmt: skip
        return [text for check in checks for text in check()]

    def lines(self, ev: str) -> Iterator[tuple[str, Json]]:
        """Yield the journal lines of one kind, with whose they are."""
        for sid, lines in self.journals.items():
            for line in lines:
                if line["ev"] == ev:
                    yield sid, line

    # -- the database --------------------------------------------------------------------

    def wrong_paths(self) -> Iterator[str]:
        """I2: each run takes allowed moves only, one event for each, and ends once."""
        moves: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.run is not None and event.type == f"run.{event.new}":
                moves[event.run].append(event)
        for run_id in moves.keys() | self.runs.keys():
            path = [(event.old, event.new or "") for event in moves[run_id]]
            run = self.runs.get(run_id)
            what = "its run is not there" if run is None else _wrong_path(run, path)
            if what:
                yield f"{run_id} of {run and run.job}: {what}: {path}"

    def wrong_attempts(self) -> Iterator[str]:
        """I3: every attempt that began and is not the present one of a run has its end."""
        begun = {_key(line): line for _, line in self.lines("started")}
        for key, line in begun.items():
            attempt, run = self.attempts.get(key), self.runs.get(key[0])
            if attempt is None or run is None:
                yield f"the store knows nothing of attempt {key}"
                continue
            if attempt.pid != line["pid"]:
                yield f"attempt {key} had pid {line['pid']}, the store says {attempt.pid}"
            is_present = run.is_active and run.attempt == key[1]
            unknown = attempt.exit_code is None and attempt.signal is None
            if unknown and not is_present:
                yield f"nobody knows how attempt {key} of {run.job} ended: {run.state}"
        for run in self.runs.values():
            if run.state is State.CRASHED:
                yield f"{run.id} of {run.job} crashed: {run.reason}"

    def wrong_supervisors(self) -> Iterator[str]:
        """No supervisor counts as unsettled whose run has moved on."""
        for one in self.open_supervisors:
            run = self.runs[one.run]
            if not run.is_active or run.sid != one.sid:
                yield f"supervisor {one.sid} is open; its run is {run.state} under {run.sid}"

    # -- the journals ----------------------------------------------------------------------

    def wrong_journals(self) -> Iterator[str]:
        """Each line that may be there once is there once, and says what the store says."""
        for ev in ("launch", "started", "exited"):
            found = Counter(_key(line) for _, line in self.lines(ev))
            yield from (f"{n} {ev} lines of {key}" for key, n in found.items() if n != 1)
        for sid, lines in self.journals.items():
            evs = [line["ev"] for line in lines if line["ev"] in {"launch", "ended"}]
            if evs != (["launch", "ended"] * len(evs))[: max(len(evs), 1)]:
                yield f"journal of {sid}: {evs}"
        for _, line in self.lines("exited"):
            attempt = self.attempts.get(_key(line))
            stored = attempt and (attempt.exit_code, attempt.signal)
            if stored != (line["code"], line["signal"]):
                yield f"{_key(line)} ended with {line['code']}, the store says {stored}"

    def wrong_launches(self) -> Iterator[str]:
        """No attempt began without a launch file, or with another's.

        Only the later runs of a supervisor need none.
        """
        for sid, line in self.lines("started"):
            name = f"{line['run']}.{line['attempt']}"
            holder = self.launch_files.get(name)
            is_later = line["run"] != self.journals[sid][0].get("run")
            if holder != sid and not (holder is None and is_later):
                yield f"launch file {name} of {sid} holds {holder!r}"

    def wrong_twins(self) -> Iterator[str]:
        """No two children of a job that may have but one lived at once."""
        ended = {_key(line): line["b"] for _, line in self.lines("exited")}
        spans: dict[str, list[tuple[float, float, Key]]] = defaultdict(list)
        for _, line in self.lines("started"):
            run = self.runs.get(line["run"])
            if run is not None:
                end = ended.get(_key(line), float("inf"))
                spans[run.job].append((line["b"], end, _key(line)))
        for job, found in spans.items():
            found.sort()
            for (_, end, one), (begin, _, other) in pairwise(found):
                if begin < end and job not in self.plural:
                    yield f"{job}: {one} and {other} lived at once"

    plural: frozenset[str] = frozenset()
    """Jobs with ``max_instances`` over one."""

    # -- the children ------------------------------------------------------------------------

    def wrong_testimonies(self) -> Iterator[str]:
        """I3, I5: no attempt ran twice, no slot either, and no stranger ran."""
        pids = {_key(line): line["pid"] for _, line in self.lines("started")}
        yield from (f"{key} ran {n} times" for key, n in self.said.items() if n != 1)
        for line in self.testimonies:
            if pids.get((line.run, line.attempt)) != line.pid:
                yield f"a child that no journal knows: {line}"
        fired = Counter((line.job, line.slot) for line in self.testimonies if line.slot)
        yield from (f"slot {slot} ran {n} times" for slot, n in fired.items() if n != 1)
        heard = {line.job for line in self.testimonies}
        for key, attempt in self.attempts.items():
            run = self.runs[key[0]]
            exited = attempt.exit_code is not None
            if run.job in heard and exited and not self.said[key]:
                yield f"{key} of {run.job} exited {attempt.exit_code} and never ran"

    def wrong_slots(self, jobs: Iterable[Job]) -> Iterator[str]:
        """Every due slot has exactly one row."""
        for job in jobs:
            yield from self._wrong_slots_of(job, self.standings[job.name])

    def _wrong_slots_of(self, job: Job, standing: Standing) -> Iterator[str]:
        through = standing.scheduled_through
        times = slots.slots_of(job, standing.added_at)
        assert times is not None
        assert through is not None
        due = list(times.between(standing.added_at, through))
        rows: Counter[datetime] = Counter()
        for run in self.runs.values():
            if run.job != job.name or run.slot_at is None:
                continue
            covered = _slots_of_row(run, due)
            rows.update(covered)
            if len(covered) != run.slot_count:
                yield f"{job.name}: a row says {run.slot_count} slots, it covers {covered}"
        for slot in due:
            if rows[slot] != 1:
                yield f"{job.name}: slot {slot} has {rows[slot]} rows"
        # After a rebuild a job counts as added at the first slot that a journal shows.
        for slot in rows.keys() - {*due, standing.added_at}:
            yield f"{job.name}: a row for {slot}, which is no slot"


def _wrong_path(run: Run, path: list[tuple[str | None, str]]) -> str | None:
    """Return what is wrong with the moves of a run, each from one state to another."""
    news = [new for _, new in path]
    if not path or [old for old, _ in path] != [None, *news[:-1]]:
        return "its moves are no path"
    if not all(may_move(State(old), State(new)) for old, new in path if old is not None):
        return "it took a move that is not allowed"
    if news[-1] != run.state:
        return f"it is {run.state} at last"
    if any(new in FINAL for new in news[:-1]):
        return "it went on after its end"
    return None


def _slots_of_row(run: Run, due: list[datetime]) -> list[datetime]:
    assert run.slot_at is not None
    if run.slot_until is None:
        return [run.slot_at.astimezone(UTC)]
    return [slot for slot in due if run.slot_at <= slot <= run.slot_until]


def _key(line: Json) -> Key:
    return line["run"], line["attempt"]


@contextmanager
def _reading(path: str) -> Iterator[Tx]:
    with closing(connect(path, read_only=True)) as connection:
        connection.execute("BEGIN")
        yield Tx(connection)


def _all_runs(tx: Tx) -> Iterator[Run]:
    before: str | None = None
    while page := tx.runs_page(before=before, limit=500):
        yield from page
        before = page[-1].id


def _all_events(tx: Tx) -> list[Event]:
    found: list[Event] = []
    while page := tx.events(after=found[-1].cursor if found else 0, limit=1000):
        found += page
    return found
