"""Claims the runs of slots that are due in a moment, so that many begin at one time.

What is due together is claimed and launched a moment before (`claw.model.arming.lead`), in one
transaction; each supervisor waits for the time by itself. The run of a slot is made then, and
the slot gets its mark when it is due, as ever: until then it can be taken back (`armed`).
Armed is what would certainly go if it were due now, and has its job to itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from claw.master.engine import armed, dispatch, intake, slots
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.model import arming, capacity, gates
from claw.model.job import Job
from claw.model.run import Origin


def arm(turn: Turn, names: Iterable[str], until: datetime) -> tuple[Claim, ...]:
    """Claim the runs of the next slots of some jobs, those that may be.

    Args:
        turn: The decision.
        names: The jobs, those that are due first before the others.
        until: Of slots up to then.
    """
    if turn.tx.meta(intake.ENDING) or turn.tx.pauses():
        return ()
    if turn.tx.heads(capacity.MAX_PARALLEL, 1):
        return ()
    room = dispatch.room_of(turn, turn.tx.active_counts()).free(capacity.MAX_PARALLEL)
    room = min(room, turn.config.daemon.max_queue - turn.tx.count_open(), arming.MOST)
    claims: list[Claim] = []
    for name in names:
        if len(claims) >= room:
            break
        claim = _arm(turn, name, until)
        claims += [] if claim is None else [claim]
    crowd_s = arming.crowd_s(len(claims))
    return tuple(replace(claim, crowd_s=crowd_s) for claim in claims)


def _arm(turn: Turn, name: str, until: datetime) -> Claim | None:
    job = turn.config.job(name)
    slot = None if job is None else _slot(turn, job)
    if job is None or slot is None or not turn.now < slot <= until:
        return None
    run = intake.submit(turn, slots.ask(turn, job, slot))
    claim = dispatch.claim(turn, run)
    armed.note(turn.tx, run.due_at)
    return claim


def _slot(turn: Turn, job: Job) -> datetime | None:
    """Return the next slot of a job whose run may be armed."""
    standing = turn.tx.standing(job.name)
    if standing is None or gates.closed(standing) is not None or not arming.suits(job):
        return None
    if turn.config.graph.needed_by(job.name) or turn.tx.open_runs(job.name):
        return None
    times = slots.slots_of(job, standing.added_at)
    slot = slots.next_slot(job, standing, turn.now)
    if times is None or slot is None or slots.is_lived_again(turn, job.name):
        return None
    following = times.next_after(slot)
    if following is not None and following - slot < arming.LEAST_INTERVAL:
        return None
    is_made = turn.tx.run_by_origin(Origin.SCHEDULE, slots.slot_key(job.name, slot)) is not None
    return None if is_made or slots.backoff_why(turn.tx, job, slot) is not None else slot
