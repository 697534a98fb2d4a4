"""Claims the runs of slots that are due in a moment, so that many begin at one time.

What is due together is claimed and launched a moment before (`claw.model.arming.lead`), in one
transaction; each supervisor waits for the time by itself. The run of a slot is made then, and
the slot gets its mark when it is due, as ever: until then it can be taken back (`armed`).
Armed is what would certainly go if it were due now, and has its job to itself.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from claw.master.engine import armed, dispatch, intake, slots
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.model import arming, capacity, gates
from claw.model.job import Job
from claw.model.run import Origin


def arm(turn: Turn, names: Collection[str], until: datetime) -> tuple[Claim, ...]:
    """Claim the runs of the next slots of some jobs, those that may be.

    Where there is not room for all, places are given in the order of the queue, and those of
    runs that are not armed are left free.

    Args:
        turn: The decision.
        names: The jobs that have slots by then; when there are more, as many as are looked at.
        until: Of slots up to then.
    """
    if turn.tx.meta(intake.ENDING) or turn.tx.pauses():
        return ()
    places = _places(turn)
    if places < len(names) == arming.MOST_LOOKED_AT:  # who is left out may go before others
        return ()
    due = sorted(_due(turn, names, until), key=lambda one: (one[0], one[1].priority))
    claims: list[Claim] = []
    for slot, job in due[: max(places, 0)]:
        if len(claims) < arming.MOST and _may_be(turn, job, slot):
            claims.append(_arm(turn, job, slot))
    crowd_s = arming.crowd_s(len(claims))
    return tuple(replace(claim, crowd_s=crowd_s) for claim in claims)


def _places(turn: Turn) -> int:
    """Return how many runs may begin, should all go first that wait for something."""
    counts = turn.tx.active_counts()
    room = dispatch.room_of(turn, counts).free(capacity.MAX_PARALLEL)
    is_open = turn.tx.count_open()
    waiting = is_open - sum(counts.values())
    return min(room - waiting, turn.config.daemon.max_queue - is_open)


def _due(turn: Turn, names: Iterable[str], until: datetime) -> Iterator[tuple[datetime, Job]]:
    """Yield the next slots of jobs that fire, up to a time."""
    for name in names:
        job, standing = turn.config.job(name), turn.tx.standing(name)
        if job is None or standing is None or gates.closed(standing) is not None:
            continue
        slot = slots.next_slot(job, standing, turn.now)
        if slot is not None and turn.now < slot <= until:
            yield slot, job


def _arm(turn: Turn, job: Job, slot: datetime) -> Claim:
    run = intake.submit(turn, slots.ask(turn, job, slot))
    armed.note(turn.tx, run.due_at)
    return dispatch.claim(turn, run)


def _may_be(turn: Turn, job: Job, slot: datetime) -> bool:
    """Tell whether the run of a job's next slot may be armed."""
    if not arming.suits(job) or turn.config.graph.needed_by(job.name):
        return False
    if turn.tx.open_runs(job.name) or slots.is_lived_again(turn, job.name):
        return False
    times = slots.slots_of(job, turn.standing(job.name).added_at)
    following = None if times is None else times.next_after(slot)
    if following is not None and following - slot < arming.LEAST_INTERVAL:
        return False
    key = slots.slot_key(job.name, slot)
    is_made = turn.tx.run_by_origin(Origin.SCHEDULE, key) is not None
    return not is_made and slots.backoff_why(turn.tx, job, slot) is None
