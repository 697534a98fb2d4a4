"""``run.result`` and ``run.output``: what runs have left behind."""

import json
from functools import partial

from claw.errors import ConflictError, DeniedError, NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import no_run
from claw.master.output import logs, whole
from claw.master.output.follow import Output
from claw.master.wiring import Json
from claw.model import ids, instances
from claw.model.evidence import NOT_TAKEN
from claw.model.keeping import Kept
from claw.model.run import Run
from claw.store.records import Tx

_EVENTS = 1000


async def result(call: Call, params: Params) -> Json:
    """Return the value that a run's child has handed back."""
    attempt = params.get("attempt")

    def read(tx: Tx) -> tuple[Run, str | None, str]:
        run = _find(tx, params["run"])
        text = tx.result(run.id, attempt)
        return run, text, why_none(tx, run, attempt) if text is None else ""

    run, text, why = await call.services.store.read(read)
    if text is None:
        raise NotFoundError(
            f"run {ids.short(run.id)} has no result: {why}",
            hint=f"clawctl runs show {ids.short(run.id)}",
        )
    return {"run": run.id, "job": run.job, "result": json.loads(text)}


def why_none(tx: Tx, run: Run, attempt: int | None) -> str:
    """Say why a run has no result: it left none, or none that can be taken."""
    if attempt in {None, run.attempt}:
        for event in reversed(tx.events(run=run.id, kind="attempt.note", limit=_EVENTS)):
            if (event.why or "").startswith(NOT_TAKEN):
                return event.why or ""
    of = "it" if attempt is None else f"attempt {attempt} of it"
    return f"{of} left none in $CLAW_RESULT_FILE"


async def set_result(call: Call, params: Params) -> Json:
    """Keep a value that a child hands back; what its attempt leaves in the file goes before."""
    own = call.connection.run
    text = json.dumps(call.services.confidant.redactor.mask_all(params["value"]))
    if own is None:
        raise DeniedError(
            "only the child of a run hands back a result", hint="$CLAW_SOCKET, $CLAW_TOKEN"
        )

    def decide(turn: Turn) -> Json:
        run = turn.run(own)
        if not run.is_active:
            raise ConflictError(f"run {ids.short(own)} has ended: {run.state}")
        turn.tx.put_result(run.id, run.attempt, text)
        return {"run": run.id}

    return await call.commit(decide)


async def output(call: Call, params: Params) -> Json:
    """Return a piece of what a run has printed."""
    stream, attempt = params["stream"], params.get("attempt")

    def read(tx: Tx) -> tuple[Run, tuple[Kept, ...]]:
        run = _find(tx, params["run"])
        if attempt is not None and tx.attempt(run.id, attempt) is None:
            raise NotFoundError(
                f"run {ids.short(run.id)} has no attempt {attempt}",
                hint=f"clawctl runs show {ids.short(run.id)}",
            )
        return run, tuple(one for one in tx.outputs(run.id) if one.stream == stream)

    run, kept = await call.services.store.read(read)
    look = partial(_piece, call, run, stream, params.get("from", ""))
    try:
        piece = await logs.in_thread(partial(look, kept, attempt))
    except ValueError:
        raise UsageError("run.output: 'from' is no `next` of an earlier piece") from None
    shown = {"run": run.id, "job": run.job, "stream": stream, "attempt": attempt}
    if piece is not None:
        text = piece.data.decode(errors="replace")
        known = call.services.config.current.job(run.job)
        if known is not None and known.log.mask_secrets:
            text = call.services.confidant.redactor.mask(text)
        return {**shown, "text": text, "source": "file", "path": piece.path, "next": piece.next}
    wanted = [one for one in kept if attempt in {None, one.attempt}]
    text = "".join((one.data or b"").decode(errors="replace") for one in wanted)
    source = "database" if any(one.data is not None for one in wanted) else "none"
    return {**shown, "text": text, "source": source, "path": None, "next": None}


def _piece(
    call: Call,
    run: Run,
    stream: str,
    cursor: str,
    kept: tuple[Kept, ...],
    attempt: int | None,
) -> whole.Piece | None:
    """Return what the files have; None: the database is to be asked."""
    home = call.services.home
    label = instances.label(run.job, run.instance)
    if attempt is None:
        return whole.from_files(home, label, run.id, stream, cursor)
    one = next((one for one in kept if one.attempt == attempt), None)
    if one is None or one.data is not None:
        return None
    if one.begin < 0:
        raise ConflictError(
            f"the output of attempt {attempt} goes over several files",
            hint=f"clawctl runs output {ids.short(run.id)} shows all of them",
        )
    path = f"{home.job_log(label)}/{Output(run.id, stream).name}"
    return whole.from_range(path, one.begin, one.begin + one.size, cursor)


def _find(tx: Tx, text: str) -> Run:
    found = targets.find_run(tx, text)
    if found is None:
        raise no_run(text)
    return found
