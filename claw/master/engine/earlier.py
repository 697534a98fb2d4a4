"""What the child of a run is told of earlier runs of its job: ``CLAW_CONTEXT_FILE``.

A JSON list, newest first, of runs that succeeded or failed by themselves: ``run``, ``state``,
``exit``, ``started_at``, ``ended_at``, ``summary``, ``result`` and ``score``.
"""

import json
from typing import Any

from claw.master.engine.turn import Turn
from claw.model import context, outcome
from claw.model.context import LOOKED_AT, Context
from claw.model.handout import Handouts
from claw.model.job import Job
from claw.model.keeping import beginning
from claw.model.run import Run, State
from claw.store.records import Tx

RESULT_BYTES = 64 << 10
"""A result that is larger is not told: `clawctl runs result` has it."""

_TEXT = 500
"""So many letters of each thing that a run was asked with, or has left, are looked through for
words: with 50 runs that takes some 20 ms, in which nothing else is decided."""


def hand_out(turn: Turn, job: Job, run: Run, found: Handouts) -> None:
    """Give what the job wants to be told of earlier runs."""
    if job.context is Context.NONE:
        return
    told = [_told(turn.tx, job, one) for one in _earlier(turn.tx, run)]
    texts = [_text(one) for one in told] if job.context is Context.HYBRID else [""] * len(told)
    wanted = _wanted(turn.tx, run) if job.context is Context.HYBRID else ""
    picked = [
        {**told[place], "score": None if score is None else round(score, 4)}
        for place, score in context.chosen(job.context, job.context_limit, wanted, texts)
    ]
    found.give("CLAW_CONTEXT_FILE", "context.json", json.dumps(picked).encode())


def _earlier(tx: Tx, run: Run) -> list[Run]:
    """Return the last runs of a job whose own child has brought about how they ended."""
    ended = [
        one
        for state in (State.SUCCEEDED, State.FAILED)
        for one in tx.runs_page(job=run.job, state=state, limit=LOOKED_AT)
        if one.exit_code is not None or one.signal is not None
    ]
    return sorted(ended, key=lambda one: one.id, reverse=True)[:LOOKED_AT]


def _told(tx: Tx, job: Job, run: Run) -> dict[str, Any]:
    status = outcome.exit_word(run.exit_code, run.signal)
    result = tx.result(run.id, run.attempt)
    is_small = result is not None and len(result.encode()) <= RESULT_BYTES
    return {
        "run": run.id,
        "state": str(run.state),
        "exit": int(status) if status else None,
        "args": list(run.args),
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "summary": _summary(tx, job, run),
        "result": json.loads(result) if result is not None and is_small else None,
    }


def _summary(tx: Tx, job: Job, run: Run) -> str:
    """Return the beginning of what a run's last attempt has printed, within its budget."""
    budget = job.output.summary
    parts = []
    for one in tx.outputs(run.id):
        if one.attempt == run.attempt and one.size and budget > 0:
            known = one.summary or ""
            if one.data is not None:
                known = beginning(one.data, budget, one.size)
            parts.append(known)
            budget -= len(known.encode())
    return "".join(parts)


def _text(told: dict[str, Any]) -> str:
    result = "" if told["result"] is None else json.dumps(told["result"], ensure_ascii=False)
    return _beginnings([" ".join(told["args"]), told["summary"], result])


def _wanted(tx: Tx, run: Run) -> str:
    """Return the words that a run is asked for with."""
    parts = [" ".join(run.args), " ".join(value for _, value in run.env)]
    lineage = run.lineage
    happened = None if lineage.event is None else tx.happening(lineage.event)
    if happened is not None:
        parts += [happened.name, happened.data]
    result = None if lineage.parent is None else tx.result(lineage.parent)
    return _beginnings([*parts, result or ""])


def _beginnings(parts: list[str]) -> str:
    return "\n".join(part[:_TEXT] for part in parts)
