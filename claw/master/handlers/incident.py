"""``incident.*``: what a report needs and no other method tells."""

import errno
import json
import os

import trio

from claw.errors import NotFoundError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.wiring import Json
from claw.store.records import Tx

_RUNS = 20
_PIECE_BYTES = 256 << 10


async def subject(call: Call, params: Params) -> Json:
    """Tell which job and runs a report is about."""
    config, target = call.services.config.current, params["target"]

    def read(tx: Tx) -> Json:
        found = targets.choose_one(tx, config, target)
        if isinstance(found, targets.Aim):
            runs = tx.runs_page(job=found.job, limit=_RUNS)
            return {"job": found.job, "runs": [run.id for run in runs]}
        return {"job": found.job, "runs": [found.id]}

    return await call.services.store.read(read)


async def journals(call: Call, params: Params) -> Json:
    """Tell which supervisors had a run; one may have had several runs in turn."""

    def read(tx: Tx) -> list[str]:
        run = params["run"]
        sids = (*tx.sids_of(run), *(attempt.sid for attempt in tx.attempts(run)))
        return list(dict.fromkeys(sids))

    return {"sids": await call.services.store.read(read)}


async def journal(call: Call, params: Params) -> Json:
    """Read a piece of a journal: what it says of one run, or all."""
    sid, offset = params["sid"], params["offset"]
    if await call.services.store.read(lambda tx: tx.supervisor(sid)) is None:
        raise NotFoundError(f"no supervisor {sid[:60]!r}", hint="incident.journals lists them")
    path = f"{call.services.home.spool}/{sid}/journal"
    data = await trio.to_thread.run_sync(_read, path, offset)
    whole = data[: data.rfind(b"\n") + 1] or data
    has_more = len(data) == _PIECE_BYTES
    lines = whole.splitlines(keepends=True)
    if "run" in params:
        lines = [line for line in lines if is_of(line, params["run"])]
    return {
        "text": b"".join(lines).decode("utf-8", "replace"),
        "next": offset + len(whole) if has_more else None,
    }


def is_of(line: bytes, run: str) -> bool:
    """Tell whether a line of a journal is about a run, or about no run at all.

    One supervisor may have the runs of several jobs in turn. What is no whole line of JSON
    may be about any.
    """
    try:
        said = json.loads(line)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("run", run) == run


def _read(path: str, offset: int) -> bytes:
    """Return a piece of a file; nothing when it was removed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return b""
        raise
    try:
        return os.pread(fd, _PIECE_BYTES, offset)
    finally:
        os.close(fd)
