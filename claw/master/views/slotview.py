"""Slots to come, each with what will become of it as things stand now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from claw.master.engine import slots
from claw.master.engine.openhours import clock_text
from claw.model import gates
from claw.model.gates import Standing
from claw.model.job import Job, Overlap
from claw.model.run import Run, State
from claw.model.timing import Outside
from claw.model.units import format_duration
from claw.model.values import replace
from claw.schedule import hours
from claw.store.records import Tx

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A slot to come, or one whose run still waits for its time."""

    slot: datetime
    begins: datetime | None  # None: it will not run
    run: str | None = None
    notes: tuple[str, ...] = ()

    def shown(self) -> Json:
        """Return what is sent of it."""
        return {
            "slot_at": self.slot.isoformat(),
            "begins_at": None if self.begins is None else self.begins.isoformat(),
            "run": self.run,
            "why": "; ".join(self.notes) or None,
        }

    @property
    def text(self) -> str:
        """What will become of it, in words."""
        if self.begins is None:
            return f"it will be skipped: {'; '.join(self.notes)}"
        at = "" if self.begins == self.slot else f" {clock_text(self.begins)}"
        return f"it will run{at}" + (f" ({'; '.join(self.notes)})" if self.notes else "")


def coming(tx: Tx, job: Job, standing: Standing, now: datetime) -> Iterator[Coming]:
    """Yield the slots to come of a job, in order; those whose run waits already first."""
    line = _Line(job)
    for run in sorted(tx.open_runs(job.name), key=_slot_of):
        if run.state is State.QUEUED:
            line.add(_by_hours(job, max(run.due_at, now))[0])
        if run.slot_at is not None and run.state is State.QUEUED:
            yield _waiting(job, run, now)
    times = slots.slots_of(job, standing.added_at)
    again = tx.timing(job.name).again_through
    slot = slots.next_slot(job, standing, now, again)
    while times is not None and slot is not None:
        due = slots.due_at(tx, job, slot)
        yield line.meet(foresee(tx, job, standing, slot), due)
        slot = times.next_after(slot)


def next_one(tx: Tx, job: Job, standing: Standing, now: datetime) -> Coming | None:
    """Return the first slot to come that has no run yet; None: there is none."""
    return next((one for one in coming(tx, job, standing, now) if one.run is None), None)


class _Line:
    """The runs of a job that wait for its hours, as they come: too many are skipped."""

    def __init__(self, job: Job) -> None:
        self._begins: list[datetime] = []
        self._room, self._why = 0, ""
        if job.on_overlap is Overlap.SKIP:
            self._room = job.max_instances
            self._why = "on_overlap = skip: a run before it still waits then"
        elif job.on_overlap is Overlap.QUEUE and job.max_queued:
            self._room = job.max_instances + job.max_queued
            self._why = f"on_overlap = queue: {job.max_queued} wait already then (max_queued)"

    def add(self, begins: datetime | None) -> None:
        """Take note of when a run begins; None: it does not."""
        if begins is not None:
            self._begins.append(begins)

    def meet(self, one: Coming, due: datetime) -> Coming:
        """Return what becomes of a slot that is due at a time, with those before it."""
        self._begins = [begins for begins in self._begins if begins > due]
        if one.begins is not None and 0 < self._room <= len(self._begins):
            return replace(one, begins=None, notes=(*one.notes, self._why))
        self.add(one.begins)
        return one


def _slot_of(run: Run) -> datetime:
    return run.slot_at or run.due_at


def _waiting(job: Job, run: Run, now: datetime) -> Coming:
    slot = _slot_of(run)
    notes = [_jitter_text(slot, run.due_at)] if run.due_at > slot else []
    begins: datetime | None = run.due_at
    if run.due_at > now:
        begins, more = _by_hours(job, run.due_at)
        notes += more
    else:
        notes.append(run.waiting_for or "waits to be claimed")
    return Coming(slot=slot, begins=begins, run=run.id, notes=tuple(notes))


def foresee(tx: Tx, job: Job, standing: Standing, slot: datetime) -> Coming:
    """Return what will become of a slot, should nothing change until then."""
    closed = gates.closed(standing)
    if closed is not None:
        return Coming(slot=slot, begins=None, notes=(closed,))
    due = slots.due_at(tx, job, slot)
    notes = [_jitter_text(slot, due)] if due > slot else []
    left_alone = slots.backoff_why(tx, job, due)
    if left_alone is not None:
        return Coming(slot=slot, begins=None, notes=(*notes, left_alone))
    begins, more = _by_hours(job, due)
    if begins is not None and job.approval is not None:
        more = [*more, "once it is approved"]
    return Coming(slot=slot, begins=begins, notes=(*notes, *more))


def _jitter_text(slot: datetime, due: datetime) -> str:
    return f"jitter: {format_duration(round((due - slot).total_seconds(), 1))} later"


def _by_hours(job: Job, due: datetime) -> tuple[datetime | None, list[str]]:
    """Return when a run begins that is due at a time, and what its hours have to do with it."""
    if job.hours is None:
        return due, []
    opens = hours.opens_at(job.hours, due)
    if opens == due:
        return due, []
    text = f"hours: outside {job.hours.label}"
    if job.hours.outside is Outside.WAIT and opens is not None:
        return opens, [f"{text}, waits for them to begin"]
    if job.hours.outside is Outside.ALERT:
        return due, [f"{text}, with an alert"]
    return None, [text]
