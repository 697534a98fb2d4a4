"""``run``, ``cancel`` and ``wait``."""

from __future__ import annotations

import sys

from claw.cli import terminal, utf8
from claw.cli.verbs import batch, transient, workflows
from claw.cli.verbs.outcomes import exit_status_of
from claw.client.follow import wait_following
from claw.commands.method import MAX_LINES
from claw.errors import NotFoundError, UsageError
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_LINES = 10


def run(context: Context) -> int:
    """Ask for one run, and if wanted wait for its end."""
    args = context.args
    _check(args)
    if args["follow"]:
        _check_sight(context)
    if args["each"] is not None:
        return batch.run_each(context)
    reply = _ask(context)
    tell_hindrance(reply)
    if "workflow" in reply:
        return workflows.begun(context, reply)
    return _begun(context, reply)


def _begun(context: Context, reply: dict[str, Any]) -> int:
    args = context.args
    if not (args["wait"] or args["follow"]):
        context.show(reply)
        return 0
    if not context.is_json:
        if args["follow"]:
            terminal.note(f"run {reply['run']}")
        else:
            context.show(reply)
            terminal.flush()
    lines = MAX_LINES if args["follow"] else None
    ended = _wait_for(context, reply["run"], "ended", follow_from=lines, is_asked=True)
    if context.is_json:
        context.show({**reply, **ended})
    else:
        _tell_bad_end(ended)
    return exit_status_of(ended)


def tell_hindrance(reply: dict[str, Any]) -> None:
    """Say what keeps a run from beginning, of what is known at once."""
    if reply.get("state") == "skipped":
        terminal.note(f"skipped: {reply['reason']}")
    elif reply.get("state") == "awaiting_approval":
        short = ids.short(reply["run"])
        terminal.note(f"waits for {reply['reason']}: clawctl approve {short}")


def _check(args: dict[str, Any]) -> None:
    if args["at"] is not None and args["in"] is not None:
        raise UsageError("--at and --in exclude each other")
    if args["jsonl"] and args["each"] is None:
        raise UsageError("--jsonl says how the lines of --each are read: add --each")
    transient.check(args)
    utf8.check(args["cmd"] or (), "argument {} of the command")
    utf8.check(args["arg"] or (), "--arg number {}")
    utf8.check((f"{name}={value}" for name, value in args["env"]), "--env number {}")


def _check_sight(context: Context) -> None:
    """See that output can be followed: the socket for children of any user shows none.

    Raises:
        UsageError: It cannot.
    """
    if not context.may_control:
        raise UsageError(
            "--follow: the output of runs is not shown to children of other users",
            hint="--wait tells how the run has ended",
        )


def _ask(context: Context) -> dict[str, Any]:
    args = context.args
    times = {
        "at": args["at"].isoformat() if args["at"] is not None else None,
        "delay_s": args["in"],
    }
    method = "run.submit" if args["cmd"] is None else "run.transient"
    if args["cmd"] is not None:
        asked = transient.asked(args)
    else:
        asked = {
            "job": args["job"],
            "env": dict(args["env"]) or None,
            "args": args["arg"] or None,
            "force": args["force"] or None,
            "priority": args["priority"],
        }
    reply: dict[str, Any] = context.ask(method, **asked, **times)
    return reply


def cancel(context: Context) -> int:
    """End runs, or revoke those that wait."""
    args = context.args
    reply = context.call(
        "run.cancel",
        targets=args["targets"],
        why=args["reason"],
        terminate=args["terminate"] or None,
        descendants=args["descendants"] or None,
    )
    context.show(reply)
    return 0


def wait(context: Context) -> int:
    """Wait for a run's end, or until a job is so far."""
    args = context.args
    milestone = args["for"] or "ended"
    target, timeout_s = args["target"], args["timeout"]
    if ids.is_batch_id(target):
        return batch.wait_for(context, target, timeout_s, is_told=args["follow"])
    lines = _LINES if args["follow"] else None
    try:
        reply = _wait_for(context, target, milestone, timeout_s, follow_from=lines)
    except NotFoundError:
        found = batch.find(context, target)
        if found is None:
            raise
        return batch.wait_for(context, found, timeout_s, is_told=args["follow"])
    context.show(reply)
    is_ended_run = "id" in reply and milestone == "ended"
    return exit_status_of(reply) if is_ended_run else 0


def _wait_for(
    context: Context,
    target: str,
    milestone: str,
    timeout_s: float | None = None,
    *,
    follow_from: int | None,
    is_asked: bool = False,
) -> dict[str, Any]:
    """Wait; ``follow_from`` lines of output are shown first, and then what comes.

    What this command has asked for, a child may have asked for: it waits where it has asked.
    """
    if follow_from is not None:
        return wait_following(
            context.asked_home if is_asked else context.home,
            {"target": target, "for": milestone, "timeout_s": timeout_s},
            lines=follow_from,
            show=lambda log: _pass_on(log, is_json=context.is_json),
            note=terminal.note,
        )
    with terminal.Progress() as progress:
        progress.show(f"waiting for {target} ({milestone})")
        reply: dict[str, Any] = (context.asker if is_asked else context.client).wait(
            target, milestone, timeout_s
        )
    return reply


def _tell_bad_end(ended: dict[str, Any]) -> None:
    """Say why a run ended, where its exit status alone does not."""
    if ended.get("exit_code") is None and ended["state"] != "succeeded":
        attempts = ended.get("attempts") or []
        errors = [attempt.get("error") for attempt in attempts[-1:]]
        what = f"run {ids.short(ended['id'])} of {ended['job']} {ended['state']}"
        told = (text for text in (what, ended.get("reason"), *errors) if text)
        terminal.note(f"clawctl: {': '.join(told)}")


def _pass_on(log: dict[str, Any], *, is_json: bool) -> None:
    """Write a child's output to where the child wrote it; beside JSON, to standard error."""
    stream = sys.stderr if is_json or log.get("stream") == "stderr" else sys.stdout
    if stream is not None:
        stream.write(log["text"])
        stream.flush()
