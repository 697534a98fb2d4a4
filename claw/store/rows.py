"""Rows to model values and back; the one place that knows both.

Times are whole microseconds since the epoch, lists are JSON, truths are 0 and 1.
"""

import json
import sqlite3
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

from claw.model.event import Event
from claw.model.gates import InstanceStanding, Standing
from claw.model.lineage import ALONE, Lineage
from claw.model.rollout import Renewal, Rollout
from claw.model.run import Attempt, Origin, Phase, Priority, Run, State, Supervisor

Value = str | bytes | int | float | None
Row = dict[str, Value]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as it is stored."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the time that a stored number means."""
    return _EPOCH + timedelta(microseconds=value)


def micros_or_none(at: datetime | None) -> int | None:
    """Return a time as it is stored, or None."""
    return None if at is None else micros(at)


def instant_or_none(value: int | None) -> datetime | None:
    """Return the time that a stored number means, or None."""
    return None if value is None else instant(value)


_TALLY = ("retries", "limited", "alike", "fingerprint")
"""What is counted of a run's attempts, stored as it is."""

_LINEAGE = ("parent", "root", "depth", "workflow", "step", "event")
"""What a run comes of, stored as it is."""


def row_of_run(run: Run) -> Row:
    """Return what is stored of a run."""
    return {
        "id": run.id,
        "job": run.job,
        "state": run.state,
        "origin": run.origin,
        "origin_key": run.origin_key,
        "queued_at": micros(run.queued_at),
        "due_at": micros(run.due_at),
        "slot_at": micros_or_none(run.slot_at),
        "slot_until": micros_or_none(run.slot_until),
        "slot_count": run.slot_count,
        "claimed_at": micros_or_none(run.claimed_at),
        "started_at": micros_or_none(run.started_at),
        "ended_at": micros_or_none(run.ended_at),
        "attempt": run.attempt,
        "cause": run.cause,
        "sid": run.sid,
        "phase": run.phase,
        "phase_until": micros_or_none(run.phase_until),
        "pid": run.pid,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason,
        "waiting_for": run.waiting_for,
        "stop_why": run.stop_why,
        "stop_by": run.stop_by,
        "restarts": run.restarts,
        "env": json.dumps(run.env),
        "args": json.dumps(run.args),
        "asked_by": run.asked_by,
        "forced": int(run.forced),
        "replay_of": run.replay_of,
        "instance": run.instance,
        "health": run.health,
        "health_why": run.health_why,
        "status_text": run.status_text,
        "survivors": run.survivors,
        "left_running": run.left_running,
        "priority": run.priority,
        "batch": run.batch,
        "dedup_key": run.dedup_key,
        "expires_at": micros_or_none(run.expires_at),
        "note": run.note,
        "dead_at": micros_or_none(run.dead_at),
        "dead_why": run.dead_why,
        "reinjected_as": run.reinjected_as,
        **{name: getattr(run, name) for name in _TALLY},
        **{name: getattr(run.lineage, name) for name in _LINEAGE},
    }


def run_of_row(row: sqlite3.Row) -> Run:
    """Return the run that a row holds."""
    return Run(
        id=row["id"],
        job=row["job"],
        state=State(row["state"]),
        origin=Origin(row["origin"]),
        origin_key=row["origin_key"],
        queued_at=instant(row["queued_at"]),
        due_at=instant(row["due_at"]),
        slot_at=instant_or_none(row["slot_at"]),
        slot_until=instant_or_none(row["slot_until"]),
        slot_count=row["slot_count"],
        claimed_at=instant_or_none(row["claimed_at"]),
        started_at=instant_or_none(row["started_at"]),
        ended_at=instant_or_none(row["ended_at"]),
        attempt=row["attempt"],
        cause=row["cause"],
        sid=row["sid"],
        phase=None if row["phase"] is None else Phase(row["phase"]),
        phase_until=instant_or_none(row["phase_until"]),
        pid=row["pid"],
        exit_code=row["exit_code"],
        signal=row["signal"],
        reason=row["reason"],
        waiting_for=row["waiting_for"],
        stop_why=row["stop_why"],
        stop_by=row["stop_by"],
        restarts=row["restarts"],
        env=_pairs(row["env"]),
        args=_strings(row["args"]),
        asked_by=row["asked_by"],
        forced=bool(row["forced"]),
        replay_of=row["replay_of"],
        instance=row["instance"],
        health=row["health"],
        health_why=row["health_why"],
        status_text=row["status_text"],
        survivors=row["survivors"],
        left_running=row["left_running"],
        priority=Priority(row["priority"]),
        batch=row["batch"],
        dedup_key=row["dedup_key"],
        expires_at=instant_or_none(row["expires_at"]),
        note=row["note"],
        dead_at=instant_or_none(row["dead_at"]),
        dead_why=row["dead_why"],
        reinjected_as=row["reinjected_as"],
        **{name: row[name] for name in _TALLY},
        lineage=_lineage(row),
    )


def _lineage(row: sqlite3.Row) -> Lineage:
    known = {name: row[name] for name in _LINEAGE}
    return Lineage(**known) if any(known.values()) else ALONE


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text)) if text != "[]" else ()


def _strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()


def row_of_attempt(attempt: Attempt) -> Row:
    """Return what is stored of an attempt."""
    return {
        "run": attempt.run,
        "no": attempt.no,
        "sid": attempt.sid,
        "cause": attempt.cause,
        "pid": attempt.pid,
        "start_ticks": attempt.start_ticks,
        "started_at": micros_or_none(attempt.started_at),
        "ready_at": micros_or_none(attempt.ready_at),
        "ended_at": micros_or_none(attempt.ended_at),
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "timed_out": int(attempt.timed_out),
        "ended_for": attempt.ended_for,
        "error": attempt.error,
        "cpu_time_s": attempt.cpu_time_s,
        "max_memory_bytes": attempt.max_memory_bytes,
        "dropped_bytes": attempt.dropped_bytes,
    }


def attempt_of_row(row: sqlite3.Row) -> Attempt:
    """Return the attempt that a row holds."""
    return Attempt(
        run=row["run"],
        no=row["no"],
        sid=row["sid"],
        cause=row["cause"],
        pid=row["pid"],
        start_ticks=row["start_ticks"],
        started_at=instant_or_none(row["started_at"]),
        ready_at=instant_or_none(row["ready_at"]),
        ended_at=instant_or_none(row["ended_at"]),
        exit_code=row["exit_code"],
        signal=row["signal"],
        timed_out=bool(row["timed_out"]),
        ended_for=row["ended_for"],
        error=row["error"],
        cpu_time_s=row["cpu_time_s"],
        max_memory_bytes=row["max_memory_bytes"],
        dropped_bytes=row["dropped_bytes"],
    )


def row_of_supervisor(supervisor: Supervisor) -> Row:
    """Return what is stored of a supervisor."""
    return {
        "sid": supervisor.sid,
        "run": supervisor.run,
        "job": supervisor.job,
        "created_at": micros(supervisor.created_at),
        "offset": supervisor.offset,
        "pid": supervisor.pid,
        "start_ticks": supervisor.start_ticks,
        "boot": supervisor.boot,
        "version": supervisor.version,
        "closed_at": micros_or_none(supervisor.closed_at),
    }


def supervisor_of_row(row: sqlite3.Row) -> Supervisor:
    """Return the supervisor that a row holds."""
    return Supervisor(
        sid=row["sid"],
        run=row["run"],
        job=row["job"],
        created_at=instant(row["created_at"]),
        offset=row["offset"],
        pid=row["pid"],
        start_ticks=row["start_ticks"],
        boot=row["boot"],
        version=row["version"],
        closed_at=instant_or_none(row["closed_at"]),
    )


def row_of_standing(standing: Standing) -> Row:
    """Return what is stored of a job's standing."""
    return {
        "name": standing.name,
        "added_at": micros(standing.added_at),
        "active_since": micros(standing.active_since),
        "up": int(standing.up),
        "stopped_by": standing.stopped_by,
        "paused_by": standing.paused_by,
        "enabled": int(standing.enabled),
        "epoch": standing.epoch,
        "crashes": standing.crashes,
        "scheduled_through": micros_or_none(standing.scheduled_through),
        "done_at": micros_or_none(standing.done_at),
        "schedule_key": standing.schedule_key,
        "last_run": standing.last_run,
        "scale": standing.scale,
        "scaled_from": standing.scaled_from,
    }


def standing_of_row(row: sqlite3.Row) -> Standing:
    """Return the standing that a row holds."""
    return Standing(
        name=row["name"],
        added_at=instant(row["added_at"]),
        active_since=instant(row["active_since"]),
        up=bool(row["up"]),
        stopped_by=row["stopped_by"],
        paused_by=row["paused_by"],
        enabled=bool(row["enabled"]),
        epoch=row["epoch"],
        crashes=row["crashes"],
        scheduled_through=instant_or_none(row["scheduled_through"]),
        done_at=instant_or_none(row["done_at"]),
        schedule_key=row["schedule_key"],
        last_run=row["last_run"],
        scale=row["scale"],
        scaled_from=row["scaled_from"],
    )


def row_of_instance(one: InstanceStanding) -> Row:
    """Return what is stored of an instance's standing."""
    return {
        "job": one.job,
        "no": one.no,
        "stopped_by": one.stopped_by,
        "last_run": one.last_run,
    }


def instance_of_row(row: sqlite3.Row) -> InstanceStanding:
    """Return the standing of an instance that a row holds."""
    return InstanceStanding(
        job=row["job"], no=row["no"], stopped_by=row["stopped_by"], last_run=row["last_run"]
    )


def row_of_rollout(rollout: Rollout) -> Row:
    """Return what is stored of a rolling restart."""
    return {
        "job": rollout.job,
        "at": micros(rollout.at),
        "by": rollout.by,
        "why": rollout.why,
        "batch": rollout.batch,
        "todo": json.dumps(rollout.todo),
        "busy": json.dumps([astuple(one) for one in rollout.busy]),
        "done": json.dumps(rollout.done),
        "failed": rollout.failed,
    }


def rollout_of_row(row: sqlite3.Row) -> Rollout:
    """Return the rolling restart that a row holds."""
    return Rollout(
        job=row["job"],
        at=instant(row["at"]),
        by=row["by"],
        why=row["why"],
        batch=row["batch"],
        todo=tuple(json.loads(row["todo"])),
        busy=tuple(Renewal(*one) for one in json.loads(row["busy"])),
        done=tuple(json.loads(row["done"])),
        failed=row["failed"],
    )


def row_of_event(event: Event) -> Row:
    """Return what is stored of an event; the database numbers it."""
    return {
        "at": micros(event.at),
        "type": event.type,
        "job": event.job,
        "run": event.run,
        "old": event.old,
        "new": event.new,
        "why": event.why,
        "by": event.by,
    }


def event_of_row(row: sqlite3.Row) -> Event:
    """Return the event that a row holds."""
    return Event(
        cursor=row["cursor"],
        at=instant(row["at"]),
        type=row["type"],
        job=row["job"],
        run=row["run"],
        old=row["old"],
        new=row["new"],
        why=row["why"],
        by=row["by"],
    )
