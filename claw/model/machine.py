"""The state machine of a run: what happens to it, and what follows, as pure data.

::

    what happens                       move
    claim                              queued → claimed
    unclaim: it was never launched     claimed → queued, or → canceled once its end was asked
    refuse: it could not be spawned    claimed → failed, or retry_wait
    turn_away: a gate                  queued → skipped
    revoke                             queued, retry_wait → canceled
    ask_end                            none: the intent is noted, the supervisor is told
    fold: a line of its journal        claimed → running → a final state, or → queued
                                       (restart, replay), or → retry_wait
    requeue: its restart is due        running, claimed → queued
    resume: its retry is due           retry_wait → queued
    lose: supervisor and child gone    claimed, running → crashed; canceled once its end was
                                       asked; → queued once its restart was asked; → retry_wait
                                       with delivery at-least-once

What ended badly by itself is followed by another attempt as `claw.model.retry` says.

A `Step` is written whole in one transaction; its move has exactly one event.
"""

from dataclasses import dataclass
from datetime import datetime

from claw.model import failure, outcome, record, retry, watchdog, wellbeing
from claw.model.effect import Dispatch, Effect, Recheck, Settled, StopRun
from claw.model.evidence import NOTHING, Evidence
from claw.model.fact import (
    Ended,
    Exited,
    Fact,
    Health,
    Main,
    Note,
    Ready,
    Restarting,
    SpawnFailed,
    Started,
    Status,
    Stopping,
)
from claw.model.outcome import Outcome
from claw.model.retry import NO_RULES, Rules
from claw.model.run import ACTIVE, Attempt, Phase, Run, State, may_move
from claw.model.values import quick, replace


@quick
@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a run."""

    run: Run  # as it is from now on
    attempt: Attempt | None = None  # to be stored as it is here
    note: str | None = None  # an event beside the move's: "attempt.started" ...
    why: str | None = None
    by: str | None = None
    effects: tuple[Effect, ...] = ()


def claim(run: Run, *, sid: str, at: datetime, instance: int | None = None) -> Step:
    """Give a queued run to a supervisor that is to be launched.

    Args:
        run: The run.
        sid: The supervisor.
        at: Now.
        instance: Its number, in a service that has several instances.
    """
    number = run.attempt + 1
    claimed = replace(
        run,
        state=State.CLAIMED,
        claimed_at=at,
        attempt=number,
        sid=sid,
        waiting_for=None,
        phase=Phase.STARTING,
        instance=instance,
    )
    attempt = Attempt(run=run.id, no=number, sid=sid, cause=run.cause)
    return Step(claimed, attempt, why=run.cause)


def unclaim(
    run: Run, *, why: str, at: datetime, due_at: datetime, rules: Rules = NO_RULES
) -> Step:
    """Put back a claimed run that was never launched; its attempt never was."""
    back = replace(run, attempt=run.attempt - 1)
    is_kept = run.stop_why == outcome.SHUTDOWN and rules.is_at_least_once
    if run.stop_why not in {None, outcome.RESTART} and not is_kept:
        return _end(back, outcome.asked(run.stop_why), by=run.stop_by, at=at)
    queued = replace(_queued(back, due_at), cause=run.cause)
    return Step(queued, why=why, effects=(Dispatch(),))


def refuse(
    run: Run, attempt: Attempt, *, error: str, at: datetime, rules: Rules = NO_RULES
) -> Step:
    """End an attempt that could not be launched and never will be."""
    failed = replace(attempt, error=error, ended_at=at)
    result = Outcome(State.FAILED, outcome.SPAWN_FAILED)
    last = _Last(attempt=failed, result=result, at=at)
    return replace(_over(run, last, rules), attempt=failed, why=error)


def requeue(run: Run, at: datetime) -> Step:
    """Put a run back in the queue for its next attempt, by cause of a restart."""
    effects = (*_settled(run), Dispatch())
    return Step(_queued(run, at), why=outcome.RESTART, by=run.stop_by, effects=effects)


def resume(run: Run) -> Step:
    """Put a run back in the queue whose wait for another attempt is over."""
    return Step(replace(run, state=State.QUEUED, waiting_for=None), why=run.cause)


def turn_away(run: Run, *, why: str, at: datetime) -> Step:
    """End a queued run that a gate does not let pass."""
    return _end(run, Outcome(State.SKIPPED, why), at=at)


def revoke(run: Run, *, why: str, by: str, at: datetime) -> Step:
    """End a run that has not begun."""
    return _end(run, Outcome(State.CANCELED, why), by=by, at=at)


def ask_end(run: Run, *, why: str, by: str) -> Step:
    """Note that somebody wants an active run to end, or to be made anew (``restart``).

    The first wish for a final end stands; it overrides a restart, never the reverse.
    """
    if run.stop_why is not None and (run.stop_why != outcome.RESTART or why == run.stop_why):
        return Step(run, effects=stop_effects(run))
    phase = Phase.STOPPING if run.state is State.RUNNING else run.phase
    asked = replace(run, stop_why=why, stop_by=by, phase=phase)
    return Step(asked, note="attempt.stopping", why=why, by=by, effects=stop_effects(asked))


def stop_effects(run: Run) -> tuple[Effect, ...]:
    """Return what tells the supervisor of an active run that it shall end, if it shall."""
    if run.sid is None or run.stop_why is None or run.state not in ACTIVE:
        return ()
    return (StopRun(run.id, run.sid, run.stop_why, run.stop_by or ""),)


def lose(
    run: Run, attempt: Attempt | None, *, why: str, at: datetime, rules: Rules = NO_RULES
) -> Step:
    """End the attempt of a run whose supervisor and child are gone without a last line."""
    gone = None if attempt is None else replace(attempt, error=why, ended_at=at)
    if run.stop_why == outcome.RESTART:
        return replace(requeue(run, at), attempt=gone)
    if run.stop_why is not None:
        result = outcome.asked(run.stop_why)
    else:
        result = Outcome(State.CRASHED, "lost")
    last = _Last(attempt=gone, result=result, at=at)
    return replace(_over(run, last, rules), attempt=gone, why=why)


def fold(
    run: Run,
    attempt: Attempt | None,
    fact: Fact,
    *,
    sid: str,
    rules: Rules = NO_RULES,
    evidence: Evidence = NOTHING,
) -> tuple[Step, ...]:
    """Return the steps that a journal line means, in order.

    A line of a supervisor that the run has moved on from, or of a run that is final,
    completes the record of its attempt and touches nothing else.

    Args:
        run: As it is.
        attempt: The one that the line is about, when it is known already.
        fact: The line.
        sid: Whose journal it is.
        rules: What counts as success, and whether another attempt follows one that is none.
        evidence: What is known of the attempt when the line ends it.
    """
    note, text = _note(fact)
    if isinstance(fact, Exited) and run.sid == sid and _failed_before_exec(run, attempt):
        fact, note = replace(fact, code=None, signal=None), None
    recorded = record.of_attempt(run, attempt, fact, sid)
    if run.sid != sid or not run.is_active:
        return (Step(run, recorded, note=note, why=text),) if recorded != attempt else ()
    steps = [] if run.state is State.RUNNING or _fits(fact) else [_begun(run, fact.at)]
    run = steps[-1].run if steps else run
    match fact:
        case Ended():
            result = outcome.decide(
                fact.why,
                attempt=attempt,
                stop_why=run.stop_why,
                success_codes=rules.success_codes,
            )
            result = outcome.reconsider(result, attempt, rules.skip_code, evidence)
            result = watchdog.judge(result, attempt, rules.watch, evidence, fact.at)
            last = _Last(attempt=attempt, result=result, at=fact.at, evidence=evidence)
            steps += _ended(run, last, rules, fact)
        case Started() | Ready() | SpawnFailed() | Stopping() | Exited() | Restarting():
            note = None if isinstance(fact, Stopping) and run.stop_why else note
            after = record.of_run(run, fact)
            steps.append(Step(after, recorded, note, text, _by(fact), _look_again(after)))
        case Note():
            steps.append(Step(run, note="attempt.note", why=fact.text))
        case Health() | Status() | Main() if fact.attempt == run.attempt:
            now = wellbeing.of_run(run, fact), wellbeing.of_attempt(attempt, fact)
            effects = _look_again(run) if isinstance(fact, Main) else ()
            steps.append(Step(*now, *wellbeing.event(fact), effects=effects))
        case _:
            pass
    return tuple(steps)


def _failed_before_exec(run: Run, attempt: Attempt | None) -> bool:
    """Tell whether an exit status is only claw's own, of a child that never was the program."""
    return run.is_active and attempt is not None and attempt.error is not None


def _by(fact: Fact) -> str | None:
    return fact.by if isinstance(fact, Stopping) else None


def _look_again(run: Run) -> tuple[Effect, ...]:
    """Return what has a run's checks begin or end with what has just become of it."""
    return (Recheck(run.job, run.id),)


def _fits(fact: Fact) -> bool:
    """Tell whether a line makes sense before the run is seen to run.

    It does not when the ``started`` line was lost to a full disk: then the run began.
    """
    return not isinstance(fact, Exited | Restarting) and not (
        isinstance(fact, Ended) and fact.why in outcome.OWN_ENDS - {"spawn"}
    )


def _begun(run: Run, at: datetime) -> Step:
    begun = replace(
        run,
        state=State.RUNNING,
        started_at=run.started_at or at,
        phase=Phase.STOPPING if run.stop_why else Phase.UP,
    )
    return Step(begun)


def _note(fact: Fact) -> tuple[str | None, str | None]:
    """Return the type of the event that a line is worth, and why it happened."""
    match fact:
        case Started():
            who = "nobody saw it begin" if fact.pid is None else f"pid {fact.pid}"
            return "attempt.started", f"attempt {fact.attempt}, {who}"
        case Ready() if fact.by != "none":
            return "attempt.ready", fact.by
        case SpawnFailed():
            return "attempt.failed", fact.error
        case Stopping():
            return "attempt.stopping", record.stop_text(fact)
        case Exited():
            return "attempt.exited", _exited_text(fact)
        case _:
            return None, None


def _exited_text(fact: Exited) -> str:
    text = exit_text(fact.code, fact.signal, timed_out=fact.timed_out)
    return "; ".join((text, *fact.aftermath))


def exit_text(code: int | None, signal: int | None, *, timed_out: bool = False) -> str:
    """Return how a child ended, for people: ``exit 3``, ``signal 9``, ``status unknown``."""
    if signal is not None:
        text = f"signal {signal}"
    elif code is not None:
        text = f"exit {code}"
    else:
        text = "status unknown"
    return f"{text}, timed out" if timed_out else text


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class _Last:
    """How a run's attempt has ended."""

    attempt: Attempt | None
    result: Outcome  # of the run, if nothing follows
    at: datetime
    evidence: Evidence = NOTHING


def _ended(run: Run, last: _Last, rules: Rules, fact: Ended) -> list[Step]:
    by = fact.by or run.stop_by
    if last.result.state is State.QUEUED:
        return [replace(requeue(run, fact.at), by=by)]
    steps = []
    if not may_move(run.state, last.result.state):
        steps.append(_begun(run, fact.at))
        run = steps[-1].run
    return [*steps, replace(_over(run, last, rules), by=by)]


def _over(run: Run, last: _Last, rules: Rules) -> Step:
    """Return what becomes of a run whose attempt is over: its end, or another attempt."""
    result, at = last.result, last.at
    if result.reason == outcome.SHUTDOWN and rules.is_at_least_once:
        back = replace(_queued(run, at), cause=retry.REPLAY)
        return Step(back, why=outcome.SHUTDOWN, effects=(*_settled(run), Dispatch()))
    if result.state not in retry.BAD or run.stop_why not in _NOT_ASKED:
        return _end(run, result, by=run.stop_by, at=at)
    verdict = retry.decide(rules, run, _ending(last))
    run = replace(
        run,
        retries=verdict.retries,
        limited=verdict.limited,
        alike=verdict.alike,
        fingerprint=verdict.fingerprint,
    )
    if verdict.due_at is None or verdict.cause is None:
        end = Outcome(verdict.state, verdict.reason, result.note)
        return _end(run, end, by=run.stop_by, at=at)
    text = retry.waiting_text(_how(last), verdict, rules)
    waiting = replace(
        _queued(run, verdict.due_at),
        state=State.RETRY_WAIT,
        cause=verdict.cause,
        waiting_for=text,
    )
    return Step(waiting, why=text, effects=(*_settled(run), Dispatch()))


_NOT_ASKED = {None, outcome.SHUTDOWN, outcome.LOCK_LOST}
"""Why an attempt ends although nobody wants the run's end."""


def _ending(last: _Last) -> retry.Ending:
    result, attempt = last.result, last.attempt
    code, signal = (attempt.exit_code, attempt.signal) if attempt else (None, None)
    status = outcome.exit_status(result.state, code, signal)
    return retry.Ending(
        state=result.state,
        reason=result.reason,
        at=last.at,
        exit_status=status,
        started_at=attempt.started_at if attempt else None,
        fingerprint=failure.fingerprint(result.reason, status, last.evidence.tail),
        is_limited=last.evidence.is_limited,
    )


def _how(last: _Last) -> str:
    """Return how an attempt has ended, for people."""
    attempt, reason = last.attempt, last.result.reason
    if attempt is None or reason not in {"exit_code", "signal"}:
        return reason or str(last.result.state)
    return exit_text(attempt.exit_code, attempt.signal)


def _queued(run: Run, due_at: datetime) -> Run:
    return replace(
        run,
        state=State.QUEUED,
        due_at=due_at,
        sid=None,
        pid=None,
        phase=None,
        phase_until=None,
        stop_why=None,
        stop_by=None,
        cause=outcome.RESTART,
    )


def _end(run: Run, result: Outcome, *, at: datetime, by: str | None = None) -> Step:
    final = replace(
        run,
        state=result.state,
        ended_at=at,
        reason=result.reason,
        note=result.note,
        pid=None,
        phase=None,
        phase_until=None,
        waiting_for=None,
    )
    why = result.reason or result.note or exit_text(final.exit_code, final.signal)
    return Step(final, why=why, by=by, effects=(*_settled(run), Dispatch()))


def _settled(run: Run) -> tuple[Effect, ...]:
    return () if run.sid is None else (Settled(run.sid, run.id),)
