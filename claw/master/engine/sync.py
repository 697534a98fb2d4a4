"""Brings the standings of jobs in line with a configuration: at the start, and by reload.

What operators have said stays: a job that is stopped or paused is so afterwards. A job
counts slots from when it was added, was enabled, or got another schedule.
"""

from collections.abc import Collection
from dataclasses import dataclass

from claw.master.engine import (
    alerts,
    armed,
    fileevents,
    intents,
    journal,
    lifetimes,
    services,
    slots,
    steps,
)
from claw.master.engine.turn import Turn
from claw.model import instances
from claw.model.effect import Dispatch, Reschedule
from claw.model.gates import Standing
from claw.model.job import Config, Job, JobType
from claw.model.values import replace


@dataclass(frozen=True, slots=True)
class Synced:
    """What a configuration changed."""

    added: tuple[str, ...]
    changed: tuple[str, ...]  # enabled, or the schedule
    removed: tuple[str, ...]


def sync(
    turn: Turn,
    *,
    old: Config | None = None,
    restart: Collection[str] = (),
    start: bool = True,
    by: str = "reload",
) -> Synced:
    """Apply ``turn.config`` to the standings, runs and slots, and say so by events.

    Args:
        turn: The decision, with the new configuration.
        old: What was in force until now: slots up to now are settled by it. None at the
            start of a master.
        restart: Jobs whose active runs are to be made anew with the new definition.
        start: Begin services that are new or were enabled; False at the start of a
            master, which adopts first and then calls `services.autostart`.
        by: For the events.
    """
    armed.withdraw(turn, "the configuration has changed")
    standings = turn.tx.standings()
    added = tuple(job.name for job in turn.config.jobs if job.name not in standings)
    removed = tuple(name for name in standings if turn.config.job(name) is None)
    for name in removed:
        _remove(turn, name, by)
    for name in added:
        _add(turn, turn.job(name), by)
    changed = tuple(
        job.name
        for job in turn.config.jobs
        if job.name in standings and _change(turn, job, standings[job.name], old, by)
    )
    _fit_to_scale(turn, old, by)
    for name in restart:
        if turn.config.job(name) is not None and name in standings:
            intents.renew(turn, name, by=by)
    if start:
        services.autostart(turn)
        journal.pending_stops(turn)  # the order in which jobs stop may be another one now
    fileevents.sync(turn)
    turn.tx.look_again()
    turn.emit(Reschedule(), Dispatch())
    return Synced(added, changed, removed)


def _fit_to_scale(turn: Turn, old: Config | None, by: str) -> None:
    """Begin and end instances of services whose configured number has changed."""
    for job in turn.config.jobs:
        standing = turn.standing(job.name)
        if standing.scale is not None and standing.scaled_from != job.instances:
            turn.tx.put_standing(replace(standing, scale=None, scaled_from=None))
        if job.type is not JobType.CONTINUOUS:
            continue
        before = None if old is None else old.job(job.name)
        wanted = instances.wanted(job, standing)
        was = wanted if before is None else instances.wanted(before, standing)
        if was != wanted or old is None:
            services.fit_to_scale(turn, job, by=by, before=was)


def _add(turn: Turn, job: Job, by: str) -> None:
    turn.tx.put_standing(
        Standing(
            name=job.name,
            added_at=turn.now,
            active_since=turn.now,
            enabled=job.enabled,
            scheduled_through=turn.now,
            schedule_key=slots.schedule_key(job),
        )
    )
    turn.note("job.added", job=job.name, by=by)


def _remove(turn: Turn, name: str, by: str) -> None:
    """Forget a job and end its runs; their history stays, and what workflows have begun.

    What is armed is withdrawn already; if it has begun by then, it is ended (`journal`).
    """
    for run in turn.tx.open_runs(name):
        if not (steps.goes_on(turn.tx, run) or run.is_armed(turn.now)):
            turn.end(run, why=intents.REMOVED, by=by)
    turn.tx.delete_standing(name)
    turn.tx.delete_instances(name)
    turn.tx.delete_rollout(name)
    turn.tx.delete_timing(name)
    turn.tx.delete_ping(name)
    turn.tx.delete_sla(name)
    alerts.resolve_all(turn, name, "the job is gone")
    turn.note("job.removed", job=name, by=by)


def _change(turn: Turn, job: Job, before: Standing, old: Config | None, by: str) -> bool:
    """Take in what of a definition is kept in the standing; tell whether any of it changed."""
    key = slots.schedule_key(job)
    what = []
    if before.enabled is not job.enabled:
        what.append("enabled" if job.enabled else "disabled")
    if before.schedule_key != key:
        what.append("schedule")
    if not what:
        return False
    if old is not None and old.job(job.name) is not None:
        earlier = Turn(turn.tx, old, turn.now)
        slots.settle(earlier, job.name)
        turn.emit(*earlier.effects)
        turn.changes += earlier.changes
    turn.tx.put_standing(_changed(turn, job, key, "schedule" in what))
    turn.note("job.changed", job=job.name, why=", ".join(what), by=by)
    return True


def _changed(turn: Turn, job: Job, key: str, is_rescheduled: bool) -> Standing:  # noqa: FBT001
    standing = turn.standing(job.name)
    if is_rescheduled:
        standing = lifetimes.revive(turn, standing)
    begins_anew = is_rescheduled or (job.enabled and not standing.enabled)
    through = standing.scheduled_through
    if begins_anew:  # but after a clock that was set back not before its mark
        through = max(turn.now, through or turn.now)
    open_run = turn.tx.open_runs(job.name)
    return replace(
        standing,
        enabled=job.enabled,
        up=standing.up and (standing.enabled or bool(open_run)),
        active_since=turn.now if begins_anew else standing.active_since,
        scheduled_through=through,
        schedule_key=key,
        done_at=None if is_rescheduled else standing.done_at,
    )
