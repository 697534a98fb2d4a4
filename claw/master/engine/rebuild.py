"""The present rebuilt from the journals, after the database was lost.

Runs, attempts and offsets come from the spools. What was only intended, queued or asked to
wait, is lost, and so is what had still to follow from runs that have ended, and all history
whose spools are gone; an alert says so until it is acknowledged. Slots that no journal shows
as run count as missed, not as due.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from claw.master.engine import alerts, journal, locks, services, slots
from claw.master.engine.histories import Spool, in_order
from claw.master.engine.turn import Turn
from claw.model import fact as facts
from claw.model import instances
from claw.model.catchup import Missed
from claw.model.gates import InstanceStanding, Standing
from claw.model.job import Job, JobType
from claw.model.run import Origin, Run, State
from claw.model.values import replace

REBUILT = "database_rebuilt"
BEHIND = "database_behind"
_TICK = timedelta(microseconds=1)
_REASON = "the database was rebuilt and no journal shows this slot as run"


def rebuild(turn: Turn, spools: Iterable[Spool], *, why: str) -> None:
    """Fill a new database from the journals.

    Called before `services.begin`, which then sees whether the host has booted since.
    Runs that have no end in their journal are active afterwards, with an open supervisor:
    adoption then decides about them as about any other.

    Args:
        turn: The decision, on a new database, with the configuration in force.
        spools: In any order.
        why: What was wrong with the old database, and where it is now.
    """
    turn.is_history = True
    launches = _take_in(turn, spools)
    locks.missing(turn)
    services.note_boot(turn, max(launches, key=lambda it: it.at).boot if launches else "")
    earliest = min((launch.at for launch in launches), default=None)
    history = _history(turn)
    for job in turn.config.jobs:
        _stand(turn, job, history.get(job.name, ()), earliest)
    alerts.raise_alert(turn, REBUILT, None, None, _text(why, history))
    turn.note("daemon.damaged", why=why)


def _take_in(turn: Turn, spools: Iterable[Spool]) -> list[facts.Launched]:
    """Take in what journals say that is not known yet; return all launches they tell of."""
    launches = []
    for one in in_order(spools):
        known = turn.tx.supervisor(one.spool.sid)
        if known is None or known.offset < one.end:
            found = one.spool.evidences(one.data)
            journal.apply_journal(turn, one.spool.sid, one.data, one.begin, found)
        if one.launched is not None:
            launches.append(one.launched)
    return launches


def _text(why: str, history: Mapping[str, tuple[Run, ...]]) -> str:
    count = sum(map(len, history.values()))
    return (
        f"The database was damaged ({why}) and has been rebuilt from the journals: {count} runs"
        " were found. Runs that were waiting, and older history, are lost; slots that no"
        " journal shows as run count as missed. clawctl alerts ack"
    )


def _launches(data: bytes) -> list[facts.Launched]:
    found = journal.lines(data, 0)
    return [fact for _, fact in found if isinstance(fact, facts.Launched)]


def _history(turn: Turn) -> dict[str, tuple[Run, ...]]:
    """Return the runs that the journals showed, by job, oldest first."""
    found: dict[str, list[Run]] = {}
    before: str | None = None
    while page := turn.tx.runs_page(before=before, limit=500):
        for run in page:
            found.setdefault(run.job, []).append(run)
        before = page[-1].id
    return {name: tuple(reversed(runs)) for name, runs in found.items()}


def _stand(turn: Turn, job: Job, runs: tuple[Run, ...], earliest: datetime | None) -> None:
    shown = [run.slot_at for run in runs if run.slot_at is not None]
    # The first slot known keeps `@every` in step; nothing says when the job was added.
    anchor = min(shown, default=turn.now)
    parts = _by_instance(job, runs)
    several = len(parts) > 1
    standing = Standing(
        name=job.name,
        added_at=anchor,
        active_since=turn.now,
        enabled=job.enabled,
        up=any(_is_up(job, some) for some in parts.values()),
        stopped_by=None if several else _stopped_by(runs),
        scheduled_through=turn.now,
        schedule_key=slots.schedule_key(job),
        done_at=_done_at(job, runs),
        last_run=_last_run(runs),
    )
    if several:
        standing = _stand_apart(turn, job, standing, parts)
    turn.tx.put_standing(standing)
    marks = sorted(set(shown)) or ([earliest] if earliest is not None else [])
    _miss_between(turn, job, anchor, [*marks, turn.now + _TICK])


def _by_instance(job: Job, runs: tuple[Run, ...]) -> dict[int, tuple[Run, ...]]:
    """Return the runs of each instance of a service; of another job all count as one's."""
    found: dict[int, tuple[Run, ...]] = {}
    for run in runs:
        no = instances.number(run) if job.type is JobType.CONTINUOUS else 1
        found[no] = (*found.get(no, ()), run)
    return found


def _stand_apart(
    turn: Turn, job: Job, standing: Standing, parts: Mapping[int, tuple[Run, ...]]
) -> Standing:
    """Store the standings of instances, and return that of their job.

    The job is stopped when all of them are; it is scaled when there are more than configured.
    """
    stopped = {no: _stopped_by(runs) for no, runs in parts.items()}
    by = next(iter(stopped.values()))
    if all(stopped.values()):
        standing = replace(standing, stopped_by=by)
        stopped = {}
    for no, runs in parts.items():
        one = InstanceStanding(
            job=job.name, no=no, stopped_by=stopped.get(no), last_run=_last_run(runs)
        )
        turn.tx.put_instance(one)
    most = max(no for no, runs in parts.items() if runs[-1].is_open or no == 1)
    if most > job.instances:
        standing = replace(standing, scale=most, scaled_from=job.instances)
    return standing


def _is_up(job: Job, runs: tuple[Run, ...]) -> bool:
    """Tell whether a service was wanted: it had a run that no stop or shutdown ended."""
    return (
        job.type is JobType.CONTINUOUS
        and bool(runs)
        and (runs[-1].is_open or runs[-1].reason not in {"stop", "shutdown"})
    )


def _stopped_by(runs: tuple[Run, ...]) -> str | None:
    """Return who stopped a job, when its last run ended so."""
    last = runs[-1] if runs else None
    if last is None or last.state is not State.CANCELED or last.reason != "stop":
        return None
    return last.stop_by or "an operator"


def _last_run(runs: tuple[Run, ...]) -> str | None:
    ended = [run for run in runs if not run.is_open]
    return ended[-1].id if ended else None


def _done_at(job: Job, runs: tuple[Run, ...]) -> datetime | None:
    if job.type is not JobType.ONESHOT or job.run_at is None:
        return None
    done = [
        run.ended_at
        for run in runs
        if run.state is State.SUCCEEDED
        and run.origin is Origin.SCHEDULE
        and run.slot_at == job.run_at
    ]
    return done[-1] if done else None


def _miss_between(turn: Turn, job: Job, anchor: datetime, marks: Sequence[datetime]) -> None:
    """Store a missed row for each stretch of slots that lies between two marks."""
    times = slots.slots_of(job, anchor)
    if times is None:
        return
    for after, before in pairwise(marks):
        first = times.next_after(after)
        if first is None or first >= before:
            continue
        until = before - _TICK
        last = times.newest(after, until) or first
        stretch = Missed(first=first, last=last, count=times.count(after, until))
        slots.add_stretch(turn, job.name, stretch, state=State.MISSED, why=_REASON)


def unknown(turn: Turn, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return the spools that may tell of runs that the database does not know of.

    Args:
        turn: The decision.
        sizes: How long the journal of each spool is.
    """
    found = {sid: turn.tx.supervisor(sid) for sid in sizes}
    return tuple(
        sid
        for sid, row in found.items()
        if row is None or (row.closed_at is not None and row.offset < sizes[sid])
    )


def news(turn: Turn, spools: Iterable[Spool]) -> tuple[Spool, ...]:
    """Return those that do tell of such runs: a supervisor may take one after the other."""
    found = []
    for spool in spools:
        row = turn.tx.supervisor(spool.sid)
        if _tells_of_a_run(spool.data) if row is None else _launches(spool.data[row.offset :]):
            found.append(spool)
    return tuple(found)


def _tells_of_a_run(data: bytes) -> bool:
    """Tell whether a journal says more than that its launch was withdrawn."""
    return any(not isinstance(fact, facts.Withdrawn) for _, fact in journal.lines(data, 0))


def catch_up_with(turn: Turn, spools: Sequence[Spool]) -> None:
    """Take in journals that a database does not know: it has gone back in time.

    A write-ahead log that was lost takes the last commits with it; what they said of
    execution is in the spools. Slots up to the last that these show have their row then.
    """
    launches = _take_in(turn, spools)
    locks.missing(turn)
    for job in turn.config.jobs:
        standing = turn.standing(job.name)
        through = standing.scheduled_through or standing.added_at
        shown = {it.slot for it in launches if it.job == job.name and it.slot is not None}
        later = sorted(slot for slot in shown if slot > through)
        if later:
            _miss_between(turn, job, standing.added_at, [through, *later])
            turn.tx.put_standing(replace(standing, scheduled_through=later[-1]))
    text = (
        f"The database did not know {len(spools)} journals: it has gone back in time, as when"
        " its write-ahead log is lost. Their runs have been taken in; runs that were waiting"
        " may be lost. clawctl alerts ack"
    )
    alerts.raise_alert(turn, BEHIND, None, None, text)
    turn.note("daemon.damaged", why=text)
