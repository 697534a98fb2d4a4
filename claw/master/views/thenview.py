"""``why --at``: which slot of a job was due around a time, and what has become of it."""

from datetime import datetime, timedelta

from claw.master.engine import slots
from claw.master.engine.openhours import clock_text
from claw.master.views import slotview, statusview
from claw.model import ids
from claw.model.gates import Standing
from claw.model.job import Job
from claw.model.overlap import CATCH_UP
from claw.model.run import Origin, Run, State
from claw.model.units import format_duration
from claw.store.records import Tx

_LATE_S = 5.0
_LOOK_BACK = timedelta(days=366)
_MOMENT = timedelta(seconds=1)
"""A time is typed to the second, or to the minute; slots within it were due then."""


def explain_slots(
    tx: Tx, job: Job, standing: Standing, at: datetime, now: datetime
) -> list[str]:
    """Return which slot was, or will be, due around a time, and what comes or came of it."""
    times = slots.slots_of(job, standing.added_at)
    if times is None:
        return []
    before = times.newest(min(at, now) - _LOOK_BACK, at)
    after = times.next_after(at)
    if before is not None and at - before < _MOMENT:
        lines = (
            [f"its schedule has the slot {clock_text(before)} then"] if before <= now else []
        )
        lines += _of_slot(tx, job, standing, before, now)
    else:
        lines = [f"no slot of its schedule is at {clock_text(at)}"]
        for word, slot in (("before", before), ("after", after)):
            if slot is not None:
                lines.append(f"the one {word} it is {clock_text(slot)}")
                lines += [f"  {line}" for line in _of_slot(tx, job, standing, slot, now)]
    return lines + _of_former(tx, job, before, at)


def _of_slot(tx: Tx, job: Job, standing: Standing, slot: datetime, now: datetime) -> list[str]:
    """Return what came of a slot of the present schedule, or will."""
    own = tx.run_by_origin(Origin.SCHEDULE, slots.slot_key(job.name, slot))
    row = own or tx.stretch_over(job.name, slot)
    if row is not None:
        return _of_row(row, slot)
    if slot > now:
        coming = slotview.foresee(tx, job, standing, slot)
        return [f"the slot {clock_text(slot)} is still to come: {coming.text}"]
    return [_why_none(standing, slot)]


def _why_none(standing: Standing, slot: datetime) -> str:
    if slot <= standing.added_at:
        return f"nothing was due: the job was added {clock_text(standing.added_at)}"
    if slot <= standing.active_since:
        since = clock_text(standing.active_since)
        return f"nothing was due: it has this schedule, or may run, since {since}"
    if standing.scheduled_through is None or slot > standing.scheduled_through:
        return "it has no row yet: claw is about to decide about it"
    return "no row of it is kept any more"


def _of_row(row: Run, slot: datetime) -> list[str]:
    name = ids.short(row.id)
    if row.state in {State.MISSED, State.SKIPPED}:
        others = ""
        if row.slot_count > 1 and row.slot_until is not None:
            span = f"{clock_text(slot if row.slot_at is None else row.slot_at)}"
            others = f", one of {row.slot_count} from {span} to {clock_text(row.slot_until)}"
        return [f"it was {row.state} (run {name}){others}: {row.reason}"]
    lines = [_beginning(row, slot, name)]
    if row.ended_at is not None:
        lines.append(f"it ended {clock_text(row.ended_at)}: {statusview.end_text(row)}")
    elif row.started_at is not None:
        lines.append(f"it is {row.state} still")
    return [*lines, f"more: clawctl why {name}"]


def _beginning(row: Run, slot: datetime, name: str) -> str:
    made_up = row.cause == CATCH_UP or row.due_at < row.queued_at - timedelta(seconds=_LATE_S)
    why = ", which made up for it: claw could not act in time" if made_up else ""
    if row.started_at is None:
        held = f": {row.waiting_for}" if row.waiting_for and row.is_open else ""
        return f"run {name} stands for it and did not begin, it is {row.state}{why}{held}"
    late_s = (row.started_at - slot).total_seconds()
    late = ""
    if late_s >= 1:
        late = f", {format_duration(round(late_s))} after its time"
    jitter_s = (row.due_at - slot).total_seconds()
    if jitter_s > 0:
        late += f" (jitter {format_duration(round(jitter_s, 1))})"
    return f"run {name} began {clock_text(row.started_at)}{late}{why}"


def _of_former(tx: Tx, job: Job, before: datetime | None, at: datetime) -> list[str]:
    """Return what came of the last slot before a time that the present schedule has not."""
    row = tx.slot_before(job.name, at)
    if row is None or row.slot_at is None or (before is not None and row.slot_at <= before):
        return []
    lines = [f"by the schedule of that time the slot {clock_text(row.slot_at)} was due"]
    return lines + [f"  {line}" for line in _of_row(row, row.slot_at)]
