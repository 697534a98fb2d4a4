"""Watchdog jobs: a check that looks again and again at something which claw does not run.

What runs by the schedule is the check, and its end says how it stands with what it watches:

=================================  ======================================================
the check                          the run
=================================  ======================================================
exits 0 and prints terminal JSON   succeeded, ``finished: done``; there is nothing more to
                                   watch, and the job goes
exits 0                            succeeded: it goes on
exits 2                            succeeded, ``try later``: nothing is known just now
exits 1                            failed, ``stuck: ...``: somebody has to look
any of the two before, too late    failed, ``stuck: ...``
in any other way                   failed: the check itself did
=================================  ======================================================

Terminal is a JSON object with ``"terminal": true``, or whose ``status`` is one of `TERMINAL`:
all of the output, or its last line.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from claw.model.evidence import Evidence, Printed
from claw.model.outcome import EXIT_CODE, Outcome
from claw.model.run import Attempt, Run, State
from claw.model.units import format_duration

TERMINAL = frozenset({"done", "ok", "error", "interrupted"})
"""Words of ``status`` that nothing follows."""
STUCK_CODE, LATER_CODE = 1, 2
TIMEOUT_S = 60.0
"""How long a check may take that says nothing of that."""
TRY_LATER = "try later"
_FINISHED, _STUCK = "finished: ", "stuck: "
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchdog:
    """What of a job makes it one."""

    timeout_s: float = 0.0  # so long what it watches may take; 0: for ever
    on_stuck: str = ""  # the job that is begun then
    self_destruct: bool = True  # it goes when what it watches is finished


@dataclass(frozen=True, slots=True)
class Watch:
    """What decides about the end of a check."""

    timeout_s: float
    stuck_at: datetime | None  # None: never


def judge(
    result: Outcome,
    attempt: Attempt | None,
    watch: Watch | None,
    evidence: Evidence,
    at: datetime,
) -> Outcome:
    """Return what becomes of a run whose check has ended.

    Args:
        result: What its exit status alone makes of it.
        attempt: The last one.
        watch: None: it is no check.
        evidence: What it has printed.
        at: When it ended.
    """
    code = None if attempt is None else attempt.exit_code
    is_own = result.state is State.SUCCEEDED or result.reason == EXIT_CODE
    if watch is None or code is None or not is_own:
        return result
    if code == STUCK_CODE:
        return Outcome(State.FAILED, f"{_STUCK}the check says so")
    if code not in {0, LATER_CODE}:
        return result
    status = _terminal(evidence) if code == 0 else None
    if status is not None:
        return Outcome(State.SUCCEEDED, None, f"{_FINISHED}{status}")
    if watch.stuck_at is not None and watch.stuck_at <= at:
        return Outcome(
            State.FAILED, f"{_STUCK}not finished within {format_duration(watch.timeout_s)}"
        )
    return Outcome(State.SUCCEEDED, None, TRY_LATER if code else result.note)


def is_finished(run: Run) -> bool:
    """Tell whether a check has found that what it watches is finished."""
    return run.state is State.SUCCEEDED and (run.note or "").startswith(_FINISHED)


def is_stuck(run: Run) -> bool:
    """Tell whether a check has found that what it watches is stuck."""
    return run.state is State.FAILED and (run.reason or "").startswith(_STUCK)


def _terminal(evidence: Evidence) -> str | None:
    """Return in which status what is watched has ended; None: it has not."""
    out = next((one for one in evidence.printed if one.stream == "stdout"), None)
    if out is None:
        return None
    for text in _texts(out):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        status = found.get("status") if isinstance(found, dict) else None
        is_known = isinstance(status, str) and status in TERMINAL
        if isinstance(found, dict) and (found.get("terminal") is True or is_known):
            return status[:_LONGEST] if isinstance(status, str) else "terminal"
    return None


def _texts(out: Printed) -> list[bytes]:
    """Return all that was printed, if that is known, and its last line."""
    last = out.tail.rstrip().rpartition(b"\n")[2]
    return [out.head, last] if out.is_whole else [last]
