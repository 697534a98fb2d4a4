"""Slots: the due times of schedules, each of which ends as exactly one row.

Invariant (I5): the row of a slot, and the mark up to which all slots have theirs
(``scheduled_through``), are written in one transaction, and the slot is the run's origin key:
no crash and no second ticker makes two runs of it, or none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from claw.errors import SaturatedError
from claw.master.engine import intake
from claw.master.engine.turn import Turn
from claw.model import gates
from claw.model.catchup import CatchUpPlan, CatchUpRule, Missed, Slots, plan_catch_up
from claw.model.gates import Standing
from claw.model.job import Config, Job, JobType
from claw.model.overlap import CATCH_UP
from claw.model.run import Origin, Run, State
from claw.schedule import fires
from claw.store.records import Tx

BEGAN = "began"
"""Kept by `services.begin`: since when the present master can act."""

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


def next_slot(job: Job, standing: Standing, now: datetime) -> datetime | None:
    """Return the first slot that has no row yet; it may have passed already.

    None: there is none, or a oneshot is done.
    """
    slots = slots_of(job, standing.added_at)
    if slots is None or standing.done_at is not None:
        return None
    return slots.next_after(_since(standing, now))


def next_slots(tx: Tx, config: Config, now: datetime) -> dict[str, datetime]:
    """Return the next slot of every job that has one: what a ticker begins with."""
    standings = tx.standings()
    found = (
        (job.name, next_slot(job, standings[job.name], now))
        for job in config.jobs
        if job.name in standings
    )
    return {name: slot for name, slot in found if slot is not None}


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
    standing = turn.standing(name)
    slot = next_slot(job, standing, turn.now)
    slots = slots_of(job, standing.added_at)
    if slot is None or slots is None or slot > turn.now:
        return slot
    since = _since(standing, turn.now)
    closed = gates.closed(standing)
    if closed is not None:
        last = slots.newest(since, turn.now) or slot
        stretch = Missed(first=slot, last=last, count=slots.count(since, turn.now))
        add_stretch(turn, name, stretch, state=State.SKIPPED, why=closed)
        turn.tx.put_standing(replace(standing, scheduled_through=turn.now))
    else:
        rule = CatchUpRule(
            policy=job.catch_up,
            window_s=job.catch_up_window_s,
            late_after_s=_late_after_s(turn),
        )
        fire(turn, job, plan_catch_up(slots, rule, since=since, now=turn.now))
    return next_slot(job, turn.standing(name), turn.now)


def settle(turn: Turn, name: str) -> None:
    """Write the rows of the slots up to now, before a job's standing changes."""
    _tick(turn, name)


def _since(standing: Standing, now: datetime) -> datetime:
    through = standing.scheduled_through or standing.added_at
    return through if through <= now + _CLOCK_ERROR else now - _RECENT


def fire(turn: Turn, job: Job, plan: CatchUpPlan) -> None:
    """Write the row of each slot of a plan, and that all slots up to now have theirs.

    A slot that finds the queue full is missed; so is one that is over the window or the
    policy of its job's catch-up.
    """
    standing = turn.standing(job.name)
    if plan.missed is not None:
        why = f"claw could not act in time, and catch_up = {job.catch_up}"
        add_stretch(turn, job.name, plan.missed, state=State.MISSED, why=why)
    for slot in plan.run:
        try:
            intake.submit(turn, _ask(turn, job, slot))
        except SaturatedError as error:
            one = Missed(first=slot, last=slot, count=1)
            add_stretch(turn, job.name, one, state=State.MISSED, why=error.message)
    turn.tx.put_standing(replace(standing, scheduled_through=turn.now))


def _late_after_s(turn: Turn) -> float:
    """Return how late a slot may be and still be simply due.

    A busy master is given a few seconds. A slot from before it began has passed while
    nobody could act, however short that was: catch-up decides about it.
    """
    began = turn.tx.meta(BEGAN)
    if began is None:
        return _LATE_S
    lived_s = (turn.now - datetime.fromisoformat(began)).total_seconds()
    return min(_LATE_S, max(lived_s, 0.0))


def slot_key(name: str, slot: datetime) -> str:
    """Return the origin key of a slot: the job and the fire time in UTC."""
    return f"{name}@{slot.astimezone(UTC).isoformat()}"


def _ask(turn: Turn, job: Job, slot: datetime) -> intake.Ask:
    late = turn.now - slot > timedelta(seconds=_late_after_s(turn))
    return intake.Ask(
        job=job.name,
        origin=Origin.SCHEDULE,
        key=slot_key(job.name, slot),
        by="schedule",
        due_at=slot,
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
    if not turn.add(run) and stretch.count > 1:
        # The first slot has a row from before the mark was lost; the others have none.
        key = f"{run.origin_key}..{stretch.last.astimezone(UTC).isoformat()}"
        turn.add(replace(run, origin_key=key))
