"""``start``, ``stop``, ``restart``, ``pause``, ``resume`` and ``signal``."""

from __future__ import annotations

from claw.cli import terminal
from claw.cli.verbs.settle import Settling, is_being_renewed, is_ending, is_on_its_way
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
    return _act_on_targets(context, "job.start", is_on_its_way, is_to_run=True)


def stop(context: Context) -> int:
    """End the runs of jobs, and wait until they have ended."""
    return _act_on_targets(context, "job.stop", is_ending, is_to_run=False)


def restart(context: Context) -> int:
    """End what runs and start it anew; services are waited for."""
    args = context.args
    if args["batch"] is not None and args["all_at_once"]:
        raise UsageError("--batch and --all-at-once exclude each other")
    more = {"batch": args["batch"], "all_at_once": args["all_at_once"] or None}
    return _act_on_targets(context, "job.restart", is_being_renewed, is_to_run=True, **more)


def scale(context: Context) -> int:
    """Change how many instances of services there are; new ones are waited for."""
    counts = dict(context.args["counts"])
    asked = {"counts": counts}
    return _act(context, "job.scale", asked, list(counts), _is_moving, is_to_run=True)


def _is_moving(job: Job) -> bool:
    return is_on_its_way(job) or job["state"] == "stopping"


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


def _act_on_targets(
    context: Context,
    method: str,
    is_moving: Callable[[Job], bool],
    *,
    is_to_run: bool,
    **more: object,
) -> int:
    targets = context.args["targets"]
    asked = {"targets": targets, "force": context.args.get("force") or None, **more}
    return _act(context, method, asked, targets, is_moving, is_to_run=is_to_run)


def _act(
    context: Context,
    method: str,
    asked: dict[str, Any],
    targets: list[str],
    is_moving: Callable[[Job], bool],
    *,
    is_to_run: bool,
) -> int:
    args = context.args
    if args["wait"] and args["no_wait"]:
        raise UsageError("--wait and --no-wait exclude each other")
    if args["no_wait"]:
        context.show(context.call(method, **asked))
        return 0
    with Settling(context.home) as settling:
        reply = context.call(method, **asked)
        jobs = settling.wait(targets, is_moving, args["timeout"])
    by_name = {job["name"]: job for job in jobs}
    for result in reply["results"]:
        _bring_up_to_date(result, by_name.get(result.get("name") or result["job"]))
    touched = {result["job"] for result in reply["results"] if result.get("run")}
    stopped = [job for job in jobs if job.get("job", job["name"]) in touched]
    left = [] if is_to_run else _named("cannot be ended, and lives on", stopped, "survivors")
    spared = (
        [] if is_to_run else _named("left running by its kill_mode", stopped, "left_running")
    )
    reply["warnings"] = [*reply.get("warnings", ()), *left, *spared]
    context.show(reply)
    failed = _failed_rollouts(jobs) if is_to_run else []
    for text in failed:
        terminal.note(f"clawctl: {text}")
    is_well = not (failed or any(map(_is_down, jobs)) if is_to_run else left)
    return 0 if is_well else 1


def _failed_rollouts(jobs: list[Job]) -> list[str]:
    """Return what is to be said of rolling restarts that have stopped at a failure."""
    found = {job["job"]: job["rollout"] for job in jobs if job.get("rollout")}
    return [
        f"the rolling restart of {name} stopped: {rollout['failed']}; "
        f"not restarted: {', '.join(f'{name}@{no}' for no in rollout['todo']) or 'none'}"
        for name, rollout in found.items()
        if rollout["failed"] is not None
    ]


def _named(what: str, jobs: list[Job], key: str) -> list[str]:
    """Return what to say of jobs whose last run has left processes, which it names."""
    found = [(job["name"], (job.get("last") or {}).get(key)) for job in jobs]
    return [f"{name}: {what}: {pids}" for name, pids in found if pids]


def _bring_up_to_date(result: dict[str, Any], job: Job | None) -> None:
    """Put into a result how its job is now, after the wait."""
    if job is not None:
        result["state"] = job["state"]
        result["why"] = job.get("why")
        result["pid"] = job.get("pid")


def _is_down(job: Job) -> bool:
    return job["type"] == "continuous" and job["state"] in _DOWN
