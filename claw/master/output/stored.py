"""Output as the database has it, for runs whose files are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from claw.master.wiring import Json
from claw.model.keeping import Kept
from claw.store.records import Tx

_LOOKED_AT = 100
"""So many of a job's last runs are looked at."""


def newest(tx: Tx, *, job: str, run: str | None) -> str | None:
    """Return the run that output is stored of: this one, or a job's newest that has any."""
    if run is not None:
        return run if tx.has_output(run) else None
    found = tx.runs_page(job=job, limit=_LOOKED_AT)
    return next((one.id for one in found if tx.has_output(one.id)), None)


def tail(run: str, streams: Sequence[str], lines: int, tx: Tx) -> Json:
    """Return the last lines of a run's output, as `claw.master.output.logs.read` has them.

    Of output that was too long to be kept whole, what there is of its end.
    """
    texts: dict[str, str] = {}
    for one in tx.outputs(run):
        if one.stream in streams:
            texts[one.stream] = texts.get(one.stream, "") + _text_of(one)
    shown = {stream: _last(texts[stream], lines) for stream in streams if stream in texts}
    return {
        "text": "".join(_ended(text) for text in shown.values()),
        "source": "database",
        "path": None,
        "parts": [
            {"stream": stream, "path": None, "run": run, "text": text}
            for stream, text in shown.items()
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Output of one run to one stream, as far as the database has it."""

    run: str
    stream: str
    text: str
    at: datetime | None  # when the run ended


def of_runs(
    runs: Sequence[str], streams: Sequence[str], lines: int | None, tx: Tx
) -> list[Stored]:
    """Return the output of some runs, in their order.

    Args:
        runs: The runs.
        streams: Which of their outputs.
        lines: So many of the last lines of each; None: all.
        tx: The transaction.
    """
    found = []
    for run_id in runs:
        run = tx.run(run_id)
        for stream in streams:
            kept = [one for one in tx.outputs(run_id) if one.stream == stream]
            text = "".join(_text_of(one) for one in kept)
            if text and run is not None:
                text = text if lines is None else _last(text, lines)
                found.append(Stored(run=run_id, stream=stream, text=text, at=run.ended_at))
    return found


def runs_between(job: str, since: float | None, until: float | None, tx: Tx) -> tuple[str, ...]:
    """Return the last runs of a job, oldest first, that were under way within some time."""
    found = []
    for run in tx.runs_page(job=job, limit=_LOOKED_AT):
        begun, ended = run.started_at, run.ended_at
        if begun is None or ended is None:
            continue
        is_late = until is not None and begun.timestamp() > until
        is_early = since is not None and ended.timestamp() < since
        if not is_late and not is_early:
            found.append(run.id)
    return tuple(reversed(found))


def _text_of(one: Kept) -> str:
    return one.excerpt or "" if one.data is None else one.data.decode(errors="replace")


def _last(text: str, lines: int) -> str:
    found = text.splitlines(keepends=True)
    return "".join(found[-lines:]) if lines else ""


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
