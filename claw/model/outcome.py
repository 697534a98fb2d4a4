"""How a run ended: from its last attempt and the last line of its journal.

::

    the journal ends with    and                          the run is
    stop cancel shutdown
    overlap removed ...      -                            canceled, reason: that word
    dependency_failed        -                            failed, dependency_failed
    lock_lost                -                            failed, lock_lost
    restart                  nobody has asked for an end  queued again, cause restart
    timeout                  -                            timed_out
    ready_timeout watchdog
    unhealthy resources      -                            failed, reason: that word
    spawn                    -                            failed, spawn_failed
    start_limit              -                            failed, start_limit ("fatal")
    exit                     a code of success_codes      succeeded
    exit                     skip_code, IDEMPOTENT_SKIP   succeeded, note: already done
    exit                     a success, and a check that  failed, reason: check: EXPRESSION
                             says fail has found something
    exit                     another code, or a signal    failed
    exit                     the status is unknown        crashed, unknown_exit

A restart that was asked for is made also when the child ended by itself just before. A
child that ended by itself before its stop took hold keeps the end that it had.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from claw.model.evidence import Evidence
from claw.model.outputcheck import Then
from claw.model.run import Attempt, State

RESTART = "restart"
SHUTDOWN = "shutdown"
FAILURES = frozenset({"ready_timeout", "resources", "timeout", "unhealthy", "watchdog"})
"""Why a supervisor ends a child that has failed: a service's restart policy follows."""
OWN_ENDS = FAILURES | {"exit", "spawn", "start_limit"}
"""What a journal ends with when nobody asked for the end."""

START_LIMIT = "start_limit"
DEPENDENCY = "dependency"
"""Why a run is ended with on_dependency_failure = "stop"."""
DEPENDENCY_FAILED = "dependency_failed"
"""Why a run is ended with on_dependency_failure = "fail"."""
LOCK_LOST = "lock_lost"
"""Why a run is ended whose lock is another's, or may be."""
SPAWN_FAILED = "spawn_failed"
UNKNOWN_EXIT = "unknown_exit"
EXIT_CODE = "exit_code"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state that a run takes at the end of its journal, and why.

    ``queued`` is the one state here that is not final: the run goes on.
    """

    state: State
    reason: str | None
    note: str | None = None  # what its child has said beside its exit status


def decide(
    ended_why: str,
    *,
    attempt: Attempt | None,
    stop_why: str | None,
    success_codes: Collection[int],
) -> Outcome:
    """Return what becomes of a run whose supervisor is done.

    Args:
        ended_why: Of the journal's ``ended`` line.
        attempt: The last one; None when none began.
        stop_why: What the master was asked to end the run for, if it was.
        success_codes: Exit codes that count as success.
    """
    return Outcome(*_state(ended_why, attempt, stop_why, success_codes))


def _state(
    ended_why: str, attempt: Attempt | None, stop_why: str | None, success: Collection[int]
) -> tuple[State, str | None]:
    if stop_why == RESTART and (ended_why == RESTART or ended_why in OWN_ENDS):
        return State.QUEUED, None
    if ended_why == RESTART:
        # A stop came after the restart, or nobody here knows of either.
        return _asked(stop_why) if stop_why else (State.QUEUED, None)
    if ended_why in OWN_ENDS:
        return _own_end(ended_why, attempt, success)
    return _asked(ended_why if stop_why in {None, RESTART} else stop_why)


_FAILED_BY = {DEPENDENCY_FAILED, LOCK_LOST}


def asked(stop_why: str) -> Outcome:
    """Return what becomes of a run that is ended for a reason that somebody gave."""
    return Outcome(*_asked(stop_why))


def _asked(stop_why: str | None) -> tuple[State, str | None]:
    state = State.FAILED if stop_why in _FAILED_BY else State.CANCELED
    return state, stop_why


def _own_end(
    ended_why: str, attempt: Attempt | None, success: Collection[int]
) -> tuple[State, str | None]:
    if ended_why == START_LIMIT:
        return State.FAILED, START_LIMIT
    if ended_why == "timeout" or (attempt and attempt.timed_out):
        return State.TIMED_OUT, "timeout"
    failure = ended_why if ended_why in FAILURES else attempt and attempt.failure
    if failure:
        return State.FAILED, failure
    if ended_why == "spawn" or (attempt and attempt.error):
        return State.FAILED, SPAWN_FAILED
    return _exit(attempt, success)


def _exit(attempt: Attempt | None, success: Collection[int]) -> tuple[State, str | None]:
    if attempt is None or (attempt.exit_code is None and attempt.signal is None):
        return State.CRASHED, UNKNOWN_EXIT
    if attempt.exit_code in success:
        return State.SUCCEEDED, None
    return State.FAILED, "signal" if attempt.signal is not None else EXIT_CODE


ALREADY_DONE = "already done"
"""The note of a run whose child says that there was nothing to do."""


IDEMPOTENT_SKIP = "IDEMPOTENT_SKIP"
"""The first line of a child's output that says so too."""


def reconsider(
    result: Outcome, attempt: Attempt | None, skip_code: int | None, evidence: Evidence
) -> Outcome:
    """Return what becomes of a run that has ended by itself, by what its child has said.

    Args:
        result: What its exit status alone makes of it.
        attempt: The last one.
        skip_code: The exit status that says that there was nothing to do.
        evidence: What is known of its output.
    """
    code = None if attempt is None else attempt.exit_code
    if code is None or not (result.state is State.SUCCEEDED or result.reason == EXIT_CODE):
        return result
    if code == skip_code or evidence.first_line.strip() == IDEMPOTENT_SKIP:
        return Outcome(State.SUCCEEDED, None, ALREADY_DONE)
    if result.state is not State.SUCCEEDED:
        return replace(result, note="; ".join(evidence.remarks) or None)
    bad = next((one.match for one in evidence.found if one.then is Then.FAIL), None)
    if bad is not None:
        return Outcome(State.FAILED, f"check: {bad}")
    return Outcome(result.state, result.reason, "; ".join(evidence.remarks) or None)


TIMED_OUT_STATUS = 124
NOT_RUN_STATUS = 125
_SIGNALED = 128


def exit_word(code: int | None, signal: int | None) -> str:
    """Return a child's exit status as a shell's ``$?`` has it; empty: it had none."""
    if signal is not None:
        return str(_SIGNALED + signal)
    return "" if code is None else str(code)


def exit_status(state: State | str, code: int | None, signal: int | None) -> int:
    """Return what a process exits with that stands for a run, as shells have it.

    Args:
        state: In which the run ended.
        code: Its child's exit code, if it had one.
        signal: The signal that ended the child, if one did.

    Returns:
        The child's own code, but 1 of one that exited 0 and yet failed; 128 and its signal;
        124 timed out; 125 never really run.
    """
    if state == State.TIMED_OUT:
        return TIMED_OUT_STATUS
    if code is not None:
        return 1 if code == 0 and state == State.FAILED else code
    if signal is not None:
        return _SIGNALED + signal
    return 0 if state == State.SUCCEEDED else NOT_RUN_STATUS
