"""``job.*`` that reach into a running child: signals, and having it read its settings again."""

from collections.abc import Awaitable, Callable, Sequence

import trio

from claw.config import kinds
from claw.errors import ClawError, ConflictError, TimedOutError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.wiring import Json, Services
from claw.model import instances
from claw.model.run import Run
from claw.store.records import Tx
from claw.wire.supervision import Message

RELOAD_S = 60.0
"""How long a ``reload_command`` may take."""
_PATIENCE_S = 5.0
"""How long a supervisor may take to answer."""

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
        told = f": {said_last}" if said_last else ""
        raise ConflictError(f"the reload command of {run.job!r} {how}{told}")


def _how(said: Message) -> str:
    if said["code"] is not None:
        return f"failed, exit {said['code']}"
    return f"was ended by signal {said['signal']}"


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
            str(run.sid), patience_s=2 * patience_s, **message
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
