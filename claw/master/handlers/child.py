"""``job.*`` that reach into a running child: signals, reloads, and what is typed at it."""

from collections.abc import Awaitable, Callable, Sequence
from weakref import WeakKeyDictionary

import trio

from claw.config import kinds
from claw.errors import ClawError, ConflictError, TimedOutError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.control.connection import Connection
from claw.master.wiring import Json, Services
from claw.model import instances
from claw.model.job import Stdin
from claw.model.run import Run
from claw.store.records import Tx
from claw.wire.supervision import Message

RELOAD_S = 60.0
"""How long a ``reload_command`` may take."""
_PATIENCE_S = 5.0
"""How long a supervisor may take to answer."""

_ATTACHED: WeakKeyDictionary[Connection, set[str]] = WeakKeyDictionary()
"""The runs that each connection is attached to: who types is on record by that."""

Act = Callable[[Run], Awaitable[None]]


async def send_signal(call: Call, params: Params) -> Json:
    """Send a signal to the children of jobs or runs."""
    number = parse_signal(params["signal"])
    return await _on_each(call, params, lambda run: _signal(call.services, run, number))


async def reload(call: Call, params: Params) -> Json:
    """Have the children of jobs or runs read their settings again, each in its own way."""
    return await _on_each(call, params, lambda run: _reload(call.services, run))


async def _on_each(call: Call, params: Params, act: Act) -> Json:
    """Do something to each child; what fails for all of them is the request's error."""
    services = call.services
    runs = await services.store.read(lambda tx: active_runs(tx, services, params["targets"]))
    if not runs:
        raise ConflictError("none of them has a child just now", hint="clawctl status")
    results, problems = [], []
    for run in runs:
        label = instances.label(run.job, run.instance)
        result: Json = {"job": run.job, "name": label, "state": "running", "run": run.id}
        try:
            await act(run)
        except ClawError as error:
            problems.append(error)
            result["error"] = error.message
        results.append(result)
    if len(problems) == len(runs):
        raise problems[0]
    return {"results": results, "warnings": [error.message for error in problems]}


async def _signal(services: Services, run: Run, number: int) -> None:
    answer = await ask(services, run, op="signal", number=number)
    if not answer.get("sent", True):
        raise ConflictError(f"job {run.job!r} has no child just now")


async def _reload(services: Services, run: Run) -> None:
    job = services.config.current.job(run.job)
    if job is None:
        raise ConflictError(f"job {run.job!r} is not configured any more")
    if not job.reload_command:
        await _signal(services, run, job.reload_signal)
        return
    said = await ask(
        services, run, patience_s=RELOAD_S + _PATIENCE_S,
        op="perform", what="reload", timeout_s=RELOAD_S,
    )  # fmt: skip
    if said["code"] != 0:
        how = f"took longer than {RELOAD_S:g} s" if said["timed_out"] else _how(said)
        said_last = said["output"].strip().rpartition("\n")[2]
        told = services.confidant.redactor.mask(f": {said_last}" if said_last else "")
        raise ConflictError(f"the reload command of {run.job!r} {how}{told}")


def _how(said: Message) -> str:
    if said["code"] is not None:
        return f"failed, exit {said['code']}"
    return f"was ended by signal {said['signal']}"


async def attach(call: Call, params: Params) -> Json:
    """Let a client type at a child: what it types comes by ``job.type``."""
    services = call.services
    runs = await services.store.read(lambda tx: active_runs(tx, services, [params["target"]]))
    if len(runs) != 1:
        hint = "name one of its instances, like web@1" if runs else "clawctl status"
        what = "has several children" if runs else "has no child just now"
        raise ConflictError(f"{params['target']!r} {what}", hint=hint)
    [run] = runs
    job = services.config.current.job(run.job)
    if job is None or not (job.tty or job.stdin is Stdin.OPEN):
        raise ConflictError(
            f"job {run.job!r} reads nothing",
            hint='stdin = "open" or tty = true lets one type, after a restart; '
            f"clawctl logs -f {run.job} shows what it says",
        )
    _ATTACHED.setdefault(call.connection, set()).add(run.id)
    label = instances.label(run.job, run.instance)
    return {"job": label, "run": run.id, "pid": run.pid, "tty": job.tty}


async def type_(call: Call, params: Params) -> Json:
    """Give a child something to read."""
    run = await _attached(call, params["run"])
    data = params["data"]
    if any(ord(letter) > _LAST_BYTE for letter in data):
        raise UsageError("job.type: each letter of 'data' stands for a byte, up to \\u00ff")
    said = await ask(call.services, run, op="type", data=data)
    if said["taken"] is None:
        raise ConflictError(f"job {run.job!r} has no child just now")
    return {"taken": said["taken"]}


async def resize(call: Call, params: Params) -> Json:
    """Say how large the terminal is that a child is looked at on."""
    run = await _attached(call, params["run"])
    await ask(call.services, run, op="resize", rows=params["rows"], columns=params["columns"])
    return {}


_LAST_BYTE = 255


async def _attached(call: Call, run_id: str) -> Run:
    if run_id not in _ATTACHED.get(call.connection, ()):
        raise ConflictError("this connection is not attached to that run", hint="job.attach")
    run = await call.services.store.read(lambda tx: tx.run(run_id))
    if run is None or not run.is_active or run.sid is None:
        raise ConflictError("that run is over")
    return run


async def ask(
    services: Services, run: Run, *, patience_s: float = _PATIENCE_S, **message: object
) -> Message:
    """Ask the supervisor of a run something.

    Raises:
        TimedOutError: It does not answer.
        ClawError: There is none, or it refused.
    """
    with trio.move_on_after(patience_s):
        return await services.supervisors.call(
            str(run.sid), patience_s=2 * patience_s, run=run.id, **message
        )
    raise TimedOutError(
        f"the supervisor of {run.job!r} did not answer within {patience_s:g} s",
        hint=f"clawctl why {run.job}",
    )


def active_runs(tx: Tx, services: Services, wanted: Sequence[str]) -> list[Run]:
    """Return the runs of targets that have a child just now."""
    chosen = targets.choose(tx, services.config.current, wanted)
    runs = chosen.open_runs(tx).values()
    return [run for run in runs if run.is_active and run.sid and run.pid]


def parse_signal(text: str) -> int:
    """Return the number of a signal: ``HUP``, ``SIGHUP`` and ``1`` are the same.

    Raises:
        UsageError: There is no such signal.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) < 4  # noqa: PLR2004
    try:
        return kinds.SIGNAL.parse(int(text) if is_number else text)
    except ValueError:
        raise UsageError(
            f"there is no signal {text[:40]!r}", hint="a name such as HUP, or a number"
        ) from None
