"""``start``, ``stop``, ``restart``, ``pause``, ``resume`` and ``signal``."""

from __future__ import annotations

from claw.cli.verbs.settle import Settling, is_ending, is_on_its_way
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.cli.context import Context

    Job = dict[str, Any]

_DOWN = frozenset({"backoff", "fatal", "failed", "exited", "stopped"})


def start(context: Context) -> int:
    """Release jobs and start them; services are waited for."""
    return _act(context, "job.start", is_on_its_way, is_to_run=True)


def stop(context: Context) -> int:
    """End the runs of jobs, and wait until they have ended."""
    return _act(context, "job.stop", is_ending, is_to_run=False)


def restart(context: Context) -> int:
    """End what runs and start it anew; services are waited for."""
    return _act(context, "job.restart", is_on_its_way, is_to_run=True)


def pause(context: Context) -> int:
    """Have nothing new begin."""
    context.show(context.call("job.pause", targets=context.args["targets"]))
    return 0


def resume(context: Context) -> int:
    """Take up what was paused."""
    context.show(context.call("job.resume", targets=context.args["targets"]))
    return 0


def signal(context: Context) -> int:
    """Send a signal."""
    args = context.args
    context.show(context.call("job.signal", signal=args["signal"], targets=args["targets"]))
    return 0


def _act(
    context: Context, method: str, is_moving: Callable[[Job], bool], *, is_to_run: bool
) -> int:
    args = context.args
    if args["wait"] and args["no_wait"]:
        raise UsageError("--wait and --no-wait exclude each other")
    asked = {"targets": args["targets"], "force": args.get("force") or None}
    if args["no_wait"]:
        context.show(context.call(method, **asked))
        return 0
    with Settling(context.home) as settling:
        reply = context.call(method, **asked)
        jobs = settling.wait(args["targets"], is_moving, args["timeout"])
    by_name = {job["name"]: job for job in jobs}
    for result in reply["results"]:
        _bring_up_to_date(result, by_name.get(result["job"]))
    context.show(reply)
    is_well = not is_to_run or not any(_is_down(job) for job in jobs)
    return 0 if is_well else 1


def _bring_up_to_date(result: dict[str, Any], job: Job | None) -> None:
    """Put into a result how its job is now, after the wait."""
    if job is not None:
        result["state"] = job["state"]
        result["why"] = job.get("why")
        result["pid"] = job.get("pid")


def _is_down(job: Job) -> bool:
    return job["type"] == "continuous" and job["state"] in _DOWN
