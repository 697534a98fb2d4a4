"""Output as the database has it, for runs whose files are gone."""

from collections.abc import Sequence

from claw.master.wiring import Json
from claw.store.records import Tx

_LOOKED_AT = 25
"""So many of a job's last runs are looked at for one with output."""


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
            text = (one.data or b"").decode(errors="replace") if one.excerpt is None else ""
            texts[one.stream] = texts.get(one.stream, "") + (one.excerpt or text)
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


def _last(text: str, lines: int) -> str:
    found = text.splitlines(keepends=True)
    return "".join(found[-lines:]) if lines else ""


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else f"{text}\n"
