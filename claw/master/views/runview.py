"""What ``runs show`` and ``runs list`` show of a run: rows in, JSON out."""

import json
import shlex
from collections.abc import Sequence

from claw.master.views.statusview import Json, iso
from claw.model.job import Job
from claw.model.keeping import Budget, Kept, ending
from claw.model.run import Attempt, Run, State, Supervisor
from claw.store.records import Tx

ATTEMPTS_SHOWN = 100
"""The last ones; a service may have thousands."""

ATTEMPTS_LISTED = 10


def show(tx: Tx, run: Run, limit: int = ATTEMPTS_SHOWN) -> Json:
    """Read what belongs to a run and return what is shown of it."""
    supervisor = None if run.sid is None else tx.supervisor(run.sid)
    shown = run_object(run, tx.attempts(run.id, limit), supervisor)
    result = None if run.is_active else tx.result(run.id)
    return {**shown, "result": None if result is None else json.loads(result)}


def show_whole(tx: Tx, run: Run, budget: Budget) -> Json:
    """Return what is shown of a run that is looked at alone: its last words, if it failed.

    Args:
        tx: The transaction.
        run: The run.
        budget: Of its job's output.
    """
    shown = show(tx, run)
    kept = tx.outputs(run.id)
    shown["output"] = [_output_object(one) for one in kept]
    if run.state in _FAILED:
        shown["excerpt"] = excerpt(kept, run.attempt, budget)
    return shown


_FAILED = {State.FAILED, State.TIMED_OUT, State.CRASHED}


def excerpt(kept: Sequence[Kept], attempt: int, budget: Budget) -> str | None:
    """Return the end of what an attempt has said, standard error if it used that."""
    last = [one for one in kept if one.attempt == attempt]
    if not last:
        return None
    one = last[-1] if last[-1].stream == "stderr" else last[0]
    return one.excerpt if one.data is None else ending(one.data, budget.excerpt, one.size)


def _output_object(one: Kept) -> Json:
    source = "file" if one.data is None else "database"
    return {"attempt": one.attempt, "stream": one.stream, "size": one.size, "source": source}


def page(tx: Tx, runs: Sequence[Run]) -> list[Json]:
    """Return what is shown of several runs, each with its last attempts."""
    return [show(tx, run, ATTEMPTS_LISTED) for run in runs]


def run_object(run: Run, attempts: Sequence[Attempt], supervisor: Supervisor | None) -> Json:
    """Return what is shown of a run."""
    is_served = supervisor is not None and run.is_active
    return {
        "id": run.id,
        "job": run.job,
        "instance": run.instance,
        "state": run.state,
        "origin": run.origin,
        "origin_key": run.origin_key,
        "asked_by": run.asked_by or None,
        "attempt": run.attempt,
        "cause": run.cause,
        "phase": run.phase,
        "pid": run.pid,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason or run.waiting_for,
        "waiting_for": run.waiting_for,
        "stop_why": run.stop_why,
        "stop_by": run.stop_by,
        "restarts": run.restarts,
        "retries": run.retries,
        "note": run.note,
        "dead_at": iso(run.dead_at),
        "dead_why": run.dead_why,
        "reinjected_as": run.reinjected_as,
        "queued_at": iso(run.queued_at),
        "due_at": iso(run.due_at),
        "slot_at": iso(run.slot_at),
        "slot_until": iso(run.slot_until),
        "slot_count": run.slot_count,
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration": duration_of(run),
        "args": list(run.args),
        "env": [name for name, _ in run.env],
        "replay_of": run.replay_of,
        "parent": run.lineage.parent,
        "depth": run.lineage.depth,
        "workflow": run.lineage.workflow,
        "step": run.lineage.step,
        "event": run.lineage.event,
        "executor": "local",
        "result": None,
        "supervisor_pid": supervisor.pid if supervisor and is_served else None,
        "attempts": [attempt_object(attempt) for attempt in attempts],
    }


def of_transient(job: Job | None) -> Json:
    """Return what is shown beside a run whose job is there for that run only."""
    if job is None or job.transient is None:
        return {"transient": False}
    return {
        "transient": True,
        "command": shlex.join(job.argv),
        "cwd": job.cwd,
        "user": job.user or None,
        "after": job.transient.after or None,
    }


def duration_of(run: Run) -> float | None:
    """Return how long a run that is over has taken, in seconds."""
    if run.started_at is None or run.ended_at is None:
        return None
    return max((run.ended_at - run.started_at).total_seconds(), 0.0)


def attempt_object(attempt: Attempt) -> Json:
    """Return what is shown of an attempt."""
    return {
        "no": attempt.no,
        "cause": attempt.cause,
        "pid": attempt.pid,
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "timed_out": attempt.timed_out,
        "ended_for": attempt.ended_for,
        "error": attempt.error,
        "started_at": iso(attempt.started_at),
        "ready_at": iso(attempt.ready_at),
        "ended_at": iso(attempt.ended_at),
        "cpu_time": attempt.cpu_time_s,
        "max_memory": attempt.max_memory_bytes,
        "dropped": attempt.dropped_bytes,
    }
