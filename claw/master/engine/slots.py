"""Slots: the due times of schedules, each of which ends as exactly one row.

Invariant (I5): the row of a slot, and the mark up to which all slots have theirs
(``scheduled_through``), are written in one transaction, and the slot is the run's origin key:
no crash and no second ticker makes two runs of it, or none.

A clock that is set back leaves the mark ahead of it, and nothing fires again up to there.
Only where the mark is more than a day ahead it was set by a clock that was wrong: then the
time up to it is lived again, with a mark of its own (``again_through``). A slot that has
a row of its own keeps it; one that a row has for a whole stretch gets its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from claw.errors import SaturatedError
from claw.master.engine import armed, intake, lifetimes
from claw.master.engine.openhours import clock_text
from claw.master.engine.turn import Turn
from claw.model import gates, timing
from claw.model.catchup import CatchUpPlan, CatchUpRule, Missed, Slots, plan_catch_up
from claw.model.gates import Standing
from claw.model.job import Config, Job, JobType
from claw.model.overlap import CATCH_UP
from claw.model.run import Origin, Run, State
from claw.model.values import replace
from claw.schedule import fires
from claw.store.records import Tx

BEGAN = "began"
"""Kept by `services.begin`: since when the present master can act."""

HOST = "host"
"""Kept by `services.begin`: what names the machine, for `claw.model.timing.jitter`."""

_LATE_S = CatchUpRule().late_after_s
_CLOCK_ERROR = timedelta(hours=24)
"""A mark further ahead than this was set while the clock was wrong."""

_RECENT = timedelta(minutes=1)
"""How far to look back then: far enough for a ticker that wakes for a slot."""


@dataclass(frozen=True, slots=True)
class OneSlot:
    """The one due time of a oneshot; see `claw.model.catchup.Slots`."""

    at: datetime

    def next_after(self, after: datetime) -> datetime | None:
        """Return it when it is later."""
        return self.at if self.at > after else None

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """Return it when it is in the span."""
        return self.at if after < self.at <= until else None

    def count(self, after: datetime, until: datetime) -> int:
        """Return 1 when it is in the span, else 0."""
        return int(after < self.at <= until)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield it when it is in the span."""
        if after < self.at <= until:
            yield self.at


@lru_cache(maxsize=65536)
def _parsed(expressions: tuple[str, ...], timezone: str) -> fires.Schedule:
    return fires.parse(expressions, timezone)


def slots_of(job: Job, anchor: datetime) -> Slots | None:
    """Return a job's due times; None when it has none.

    Args:
        job: Its definition.
        anchor: What intervals count from: when the job was added.
    """
    if job.type is JobType.ONESHOT and job.run_at is not None:
        return OneSlot(job.run_at.astimezone(UTC))
    if job.type is JobType.SCHEDULED and job.schedule:
        return _parsed(job.schedule, job.timezone).anchored(anchor)
    return None


def schedule_key(job: Job) -> str:
    """Return a text that changes when a job's due times do."""
    return f"{job.type} {' ; '.join(job.schedule)} {job.timezone} {job.run_at or ''}"


@dataclass(frozen=True, slots=True)
class _Mark:
    """Up to when the slots of a job have their rows."""

    since: datetime
    is_again: bool = False  # of a time that is lived again
    is_new: bool = False  # which has just been noticed


def _mark(standing: Standing, again_through: datetime | None, now: datetime) -> _Mark:
    through = standing.scheduled_through or standing.added_at
    if now < through and again_through is not None and again_through <= now + _CLOCK_ERROR:
        return _Mark(again_through, is_again=True)
    if through <= now + _CLOCK_ERROR:
        return _Mark(through)
    return _Mark(now - _RECENT, is_again=True, is_new=True)


def next_slot(
    job: Job, standing: Standing, now: datetime, again_through: datetime | None = None
) -> datetime | None:
    """Return the first slot that has no row yet; it may have passed already.

    None: there is none, or a oneshot is done.
    """
    slots = slots_of(job, standing.added_at)
    if slots is None or standing.done_at is not None:
        return None
    return slots.next_after(_mark(standing, again_through, now).since)


def is_lived_again(turn: Turn, name: str) -> bool:
    """Tell whether the present time of a job is one that it has been through before."""
    again = turn.tx.timing(name).again_through
    return _mark(turn.standing(name), again, turn.now).is_again


def next_slots(tx: Tx, config: Config, now: datetime) -> dict[str, datetime]:
    """Return the next slot of every job that has one: what a ticker begins with.

    Where a time has begun to be lived again, it is now: that has to be noted.
    """
    standings, timings = tx.standings(), tx.timings()
    found: dict[str, datetime] = {}
    for job in config.jobs:
        standing = standings.get(job.name)
        if standing is None:
            continue
        again = timings[job.name].again_through if job.name in timings else None
        slot = next_slot(job, standing, now, again)
        if slot is not None:
            found[job.name] = now if _mark(standing, again, now).is_new else slot
    return found


def tick(turn: Turn, names: Iterable[str]) -> dict[str, datetime | None]:
    """Write the rows of all slots of some jobs that have passed.

    Returns:
        The next slot of each job, None where there is none.
    """
    return {name: _tick(turn, name) for name in names}


def _tick(turn: Turn, name: str) -> datetime | None:
    job = turn.config.job(name)
    if job is None:
        return None
    standing, again = turn.standing(name), turn.tx.timing(name).again_through
    mark = _mark(standing, again, turn.now)
    slot = next_slot(job, standing, turn.now, again)
    slots = slots_of(job, standing.added_at)
    if slot is None or slots is None:
        return None
    if slot > turn.now:
        if mark.is_new:
            _put_mark(turn, name, mark, again)
        return slot
    closed = gates.closed(standing)
    is_late = turn.now - slot > timedelta(seconds=_late_after_s(turn))
    if (closed is not None or is_late) and armed.is_undecided(turn, job, slot_key(name, slot)):
        return turn.now + armed.LOOK
    if not mark.is_again and _pass_own_row(turn, name, slot, slots):
        return _tick(turn, name)
    _write_rows(turn, job, slots, mark)
    _put_mark(turn, name, mark, again)
    again = turn.now if mark.is_again else None
    return next_slot(job, turn.standing(name), turn.now, again)


def _write_rows(turn: Turn, job: Job, slots: Slots, mark: _Mark) -> None:
    """Write the rows of all slots from a mark up to now, of which there is one at least."""
    closed = gates.closed(turn.standing(job.name))
    slot = slots.next_after(mark.since) or turn.now
    if closed is not None:
        last = slots.newest(mark.since, turn.now) or slot
        stretch = Missed(first=slot, last=last, count=slots.count(mark.since, turn.now))
        if not mark.is_again or not _has_row(turn, job.name, slot):
            add_stretch(turn, job.name, stretch, state=State.SKIPPED, why=closed)
        return
    plan = plan_catch_up(slots, _rule(turn, job), since=mark.since, now=turn.now)
    (_fire_again if mark.is_again else fire)(turn, job, plan)


def _pass_own_row(turn: Turn, name: str, slot: datetime, slots: Slots) -> bool:
    """Move the mark past a slot that has its row already, where others after it have none.

    So it is when nobody was there any more to set the mark of one that was armed.
    """
    following = slots.next_after(slot)
    if following is None or following > turn.now:
        return False
    own = turn.tx.run_by_origin(Origin.SCHEDULE, slot_key(name, slot))
    if own is None:
        return False
    through = own.slot_until or slot
    turn.tx.put_standing(replace(turn.standing(name), scheduled_through=through))
    return True


def _put_mark(turn: Turn, name: str, mark: _Mark, former: datetime | None) -> None:
    """Note that all slots up to now have their rows."""
    again = turn.now if mark.is_again else None
    if again != former:
        turn.tx.put_timing(replace(turn.tx.timing(name), again_through=again))
    if not mark.is_again:
        turn.tx.put_standing(replace(turn.standing(name), scheduled_through=turn.now))


def _rule(turn: Turn, job: Job) -> CatchUpRule:
    return CatchUpRule(
        policy=job.catch_up,
        window_s=job.catch_up_window_s,
        late_after_s=_late_after_s(turn),
        jitter_s=job.jitter_s,
        jitter=lambda slot: due_at(turn.tx, job, slot) - slot,
    )


def settle(turn: Turn, name: str) -> None:
    """Write the rows of the slots up to now, before a job's standing changes."""
    _tick(turn, name)
    armed.withdraw(turn, "its job has changed", name)


def fire(turn: Turn, job: Job, plan: CatchUpPlan) -> None:
    """Write the row of each slot of a plan.

    A slot that finds the queue full is missed; so is one that is over the window or the
    policy of its job's catch-up. One within the backoff of a job that fails is skipped.
    """
    if plan.missed is not None:
        _miss(turn, job, plan.missed)
    for slot in plan.run:
        _fire_one(turn, job, slot)


def _fire_again(turn: Turn, job: Job, plan: CatchUpPlan) -> None:
    """Write the rows of the slots of a time that is lived again."""
    if plan.missed is not None and not _has_row(turn, job.name, plan.missed.first):
        _miss(turn, job, plan.missed)
    for slot in plan.run:
        if turn.tx.run_by_origin(Origin.SCHEDULE, slot_key(job.name, slot)) is not None:
            continue
        stretch = turn.tx.stretch_over(job.name, slot)
        _fire_one(turn, job, slot)
        if stretch is not None:
            turn.tx.set_slot_count(stretch.id, stretch.slot_count - 1)


def _has_row(turn: Turn, name: str, slot: datetime) -> bool:
    own = turn.tx.run_by_origin(Origin.SCHEDULE, slot_key(name, slot))
    return own is not None or turn.tx.stretch_over(name, slot) is not None


def _miss(turn: Turn, job: Job, stretch: Missed) -> None:
    why = f"claw could not act in time, and catch_up = {job.catch_up}"
    add_stretch(turn, job.name, stretch, state=State.MISSED, why=why)


def _fire_one(turn: Turn, job: Job, slot: datetime) -> None:
    asked = ask(turn, job, slot)
    one = Missed(first=slot, last=slot, count=1)
    left_alone = backoff_why(turn.tx, job, max(asked.due_at or slot, turn.now))
    if left_alone is not None:
        add_stretch(turn, job.name, one, state=State.SKIPPED, why=left_alone)
        return
    try:
        intake.submit(turn, asked)
    except SaturatedError as error:
        intake.tell_full(turn, f"a slot of {job.name} was missed")
        add_stretch(turn, job.name, one, state=State.MISSED, why=error.message)


def backoff_why(tx: Tx, job: Job, begins: datetime) -> str | None:
    """Return why a slot does not run that would begin at a time; None: it may."""
    if not job.error_backoff:
        return None
    return left_alone_why(tx.timing(job.name), begins)


def left_alone_why(known: timing.Timing, begins: datetime) -> str | None:
    """Return why a job is left alone at a time after its errors, and until when."""
    until = known.left_alone_until
    if until is None or begins >= until:
        return None
    errors = f"{known.errors} error{'s' * (known.errors != 1)} in a row"
    return f"error_backoff: {errors}, left alone until {clock_text(until)}"


def due_at(tx: Tx, job: Job, slot: datetime) -> datetime:
    """Return when the run of a slot is due: its time, and the job's jitter."""
    if not job.jitter_s:
        return slot
    return slot + timing.jitter(tx.meta(HOST) or "", job.name, slot, job.jitter_s)


def _late_after_s(turn: Turn) -> float:
    """Return how late a slot may be and still be simply due.

    A busy master is given a few seconds. A slot from before it began has passed while
    nobody could act, however short that was: catch-up decides about it. When it began by
    a clock that has been set back since, nothing is known of that.
    """
    began = turn.tx.meta(BEGAN)
    if began is None:
        return _LATE_S
    lived_s = (turn.now - datetime.fromisoformat(began)).total_seconds()
    return min(_LATE_S, lived_s) if lived_s >= 0 else _LATE_S


def slot_key(name: str, slot: datetime) -> str:
    """Return the origin key of a slot: the job and the fire time in UTC."""
    return f"{name}@{slot.astimezone(UTC).isoformat()}"


def ask(turn: Turn, job: Job, slot: datetime) -> intake.Ask:
    """Return what a slot asks for."""
    due = due_at(turn.tx, job, slot)
    late = turn.now - due > timedelta(seconds=_late_after_s(turn))
    return intake.Ask(
        job=job.name,
        origin=Origin.SCHEDULE,
        key=slot_key(job.name, slot),
        by="schedule",
        due_at=due,
        slot_at=slot,
        cause=CATCH_UP if late else "start",
    )


def add_stretch(turn: Turn, name: str, stretch: Missed, *, state: State, why: str) -> None:
    """Store one final row for a stretch of slots that do not run."""
    run = Run(
        id=turn.new_run_id(),
        job=name,
        state=state,
        origin=Origin.SCHEDULE,
        origin_key=slot_key(name, stretch.first),
        queued_at=turn.now,
        due_at=stretch.first,
        slot_at=stretch.first,
        slot_until=stretch.last if stretch.count > 1 else None,
        slot_count=stretch.count,
        ended_at=turn.now,
        reason=why,
        asked_by="schedule",
    )
    if turn.add(run):
        lifetimes.ended(turn, run)
    elif stretch.count > 1:
        # The first slot has a row from before the mark was lost; the others have none.
        key = f"{run.origin_key}..{stretch.last.astimezone(UTC).isoformat()}"
        turn.add(replace(run, origin_key=key))
