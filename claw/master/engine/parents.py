"""What the child of a run is told of the runs that it comes of, and given of what they left.

=========================  ================================================================
``CLAW_PARENT_RUN``        the run; ``_JOB``: its job
``CLAW_PARENT_STATUS``     how it ended; ``_EXIT``: its child's exit status, 128 and the number
                           of a signal, empty if it had none
``_OUTPUT_FILE``           what its last attempt printed to standard output
``_RESULT_FILE``           the result that its last attempt left; not set if it left none
``CLAW_PARENT_RUNS``       the runs that it follows, by spaces; of several each is told too,
                           as ``CLAW_PARENT_<JOB>_RUN``, ``_STATUS`` ...
=========================  ================================================================

A run that repeats another one is told the same. One that another run's child has asked for is
told of that run and its job alone: it may still be running.
"""

import os

from claw.master.engine import descent
from claw.master.engine.turn import Turn
from claw.model import outcome
from claw.model.handout import Handouts, Slice, in_capitals
from claw.model.job import Job
from claw.model.run import Run
from claw.store.records import Tx

OUTPUT_BYTES = 1 << 20
"""So much of what a parent has printed is handed out: of more, whole lines of its end."""

_PREFIX = "CLAW_PARENT_"


def hand_out(turn: Turn, _job: Job, run: Run, found: Handouts) -> None:
    """Add what is known of a run's parents."""
    parent = None if run.lineage.parent is None else turn.tx.run(run.lineage.parent)
    if parent is None:
        return
    found.tell({f"{_PREFIX}RUN": parent.id, f"{_PREFIX}JOB": parent.job})
    followed = descent.parents_of(_first(turn, run))
    if not followed:
        return
    found.tell({f"{_PREFIX}RUNS": " ".join(followed)})
    facts(turn.tx, parent, _PREFIX, "parent", found)
    if len(followed) > 1:
        for other in map(turn.tx.run, followed):
            if other is not None:
                prefix = f"{_PREFIX}{in_capitals(other.job)}_"
                found.tell({f"{prefix}RUN": other.id})
                facts(turn.tx, other, prefix, f"parent-{other.job}", found)


def _first(turn: Turn, run: Run) -> Run:
    """Return the run that a run repeats, or the one that that repeats; else itself."""
    before: Run | None = run
    while before is not None and before.replay_of is not None:
        run, before = before, turn.tx.run(before.replay_of)
    return run if before is None else before


def facts(tx: Tx, run: Run, prefix: str, name: str, found: Handouts) -> None:
    """Add how a run has ended, and what it has left.

    Args:
        tx: The transaction.
        run: It has ended.
        prefix: Begins the names of variables.
        name: Begins the names of files.
        found: Is added to.
    """
    code = outcome.exit_word(run.exit_code, run.signal)
    found.tell({f"{prefix}STATUS": str(run.state), f"{prefix}EXIT": code})
    printed = _printed(tx, run)
    if printed:
        found.give(f"{prefix}OUTPUT_FILE", f"{name}.out", printed)
    else:  # nothing to be read needs no file of its own
        found.tell({f"{prefix}OUTPUT_FILE": os.devnull})
    result = tx.result(run.id, run.attempt)
    if result is not None:
        found.give(f"{prefix}RESULT_FILE", f"{name}.json", result.encode())


def _printed(tx: Tx, run: Run) -> bytes | Slice:
    """Return what the last attempt of a run has printed to standard output."""
    for one in tx.outputs(run.id):
        if (one.attempt, one.stream) != (run.attempt, "stdout"):
            continue
        if one.data is not None:
            return one.data
        end = one.begin + one.size
        begin = max(one.begin, end - OUTPUT_BYTES, 0)
        path = f"{run.job}/{run.id}.out"
        return Slice(path, begin, end - begin, from_line=begin > one.begin)
    return b""
