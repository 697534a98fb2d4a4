"""What a line of a journal changes in a run, and in the record of its attempt."""

from claw.model import outcome
from claw.model.fact import (
    OUT_OF_MEMORY,
    Exited,
    Fact,
    Ready,
    Restarting,
    SpawnFailed,
    Started,
    Stopping,
)
from claw.model.run import Attempt, Phase, Run, State
from claw.model.values import replace


def of_attempt(run: Run, attempt: Attempt | None, fact: Fact, sid: str) -> Attempt | None:
    """Return the attempt with what the line tells of it."""
    match fact:
        case Started():
            attempt = attempt or _later_attempt(run, fact.attempt, sid)
            return replace(attempt, pid=fact.pid, start_ticks=fact.start, started_at=fact.at)
        case Ready():
            return None if attempt is None else replace(attempt, ready_at=fact.at)
        case Stopping() if fact.why in outcome.FAILURES:
            return None if attempt is None else replace(attempt, ended_for=stop_text(fact))
        case SpawnFailed():
            attempt = attempt or _later_attempt(run, fact.attempt, sid)
            error = f"{fact.stage}: {fact.error}" if fact.stage else fact.error
            return replace(attempt, error=error, ended_at=fact.at)
        case Exited():
            attempt = attempt or _later_attempt(run, fact.attempt, sid)
            return replace(
                attempt,
                ended_at=fact.at,
                exit_code=fact.code,
                signal=fact.signal,
                timed_out=fact.timed_out,
                cpu_time_s=fact.cpu_time_s,
                max_memory_bytes=fact.max_memory_bytes,
                dropped_bytes=fact.dropped_bytes,
                ended_for=OUT_OF_MEMORY if fact.out_of_memory else attempt.ended_for,
            )
        case _:
            return attempt


def _later_attempt(run: Run, number: int, sid: str) -> Attempt:
    """Return an attempt that the supervisor began by itself."""
    return Attempt(run=run.id, no=number, sid=sid, cause="restart")


def of_run(
    run: Run, fact: Started | Ready | SpawnFailed | Stopping | Exited | Restarting
) -> Run:
    """Return the run as it is from that line on."""
    stopping = run.stop_why is not None
    match fact:
        case Started():
            return replace(
                run,
                state=State.RUNNING,
                attempt=max(run.attempt, fact.attempt),
                pid=fact.pid,
                exit_code=None,
                signal=None,
                started_at=run.started_at or fact.at,
                phase=Phase.STOPPING if stopping else _phase_at_start(fact),
                phase_until=None,
                health=None,
                health_why=None,
                status_text=None,
            )
        case Ready():
            is_starting = run.phase is Phase.STARTING and fact.attempt == run.attempt
            return replace(run, phase=Phase.UP) if is_starting else run
        case SpawnFailed():
            return replace(run, pid=None)
        case Stopping():
            asked = not stopping and fact.why not in outcome.FAILURES
            return replace(
                run,
                phase=Phase.STOPPING,
                stop_why=fact.why if asked else run.stop_why,
                stop_by=fact.by if asked else run.stop_by,
            )
        case Exited():
            return replace(
                run, pid=None, exit_code=fact.code, signal=fact.signal, health=None,
                survivors=", ".join(fact.survivors) or None,
                left_running=", ".join(fact.left) or None,
            )  # fmt: skip
        case Restarting():
            return replace(
                run,
                attempt=fact.attempt,
                restarts=fact.restarts,
                pid=None,
                phase=Phase.STOPPING if stopping else Phase.BACKOFF,
                phase_until=fact.until,
            )


def _phase_at_start(fact: Started) -> Phase:
    return Phase.UP if fact.ready == "none" else Phase.STARTING


def stop_text(fact: Stopping) -> str:
    """Return why a supervisor ends a child: a word, and what it has seen."""
    return f"{fact.why}: {fact.text}" if fact.text else fact.why
