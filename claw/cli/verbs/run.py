"""``run``, ``cancel`` and ``wait``."""

from __future__ import annotations

import sys

from claw.cli import terminal
from claw.cli.verbs.outcomes import exit_status_of
from claw.client.follow import follow_logs
from claw.errors import UsageError
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_ALL_LINES = 100_000


def run(context: Context) -> int:
    """Ask for one run, and if wanted wait for its end."""
    args = context.args
    if args["at"] is not None and args["in"] is not None:
        raise UsageError("--at and --in exclude each other")
    reply = context.call(
        "run.submit",
        job=args["job"],
        at=args["at"].isoformat() if args["at"] is not None else None,
        delay_s=args["in"],
        env=dict(args["env"]) or None,
        args=args["arg"] or None,
        force=args["force"] or None,
    )
    if not (args["wait"] or args["follow"]):
        context.show(reply)
        return 0
    if args["follow"]:
        if not context.is_json:
            terminal.note(f"run {reply['run']}")
        _show_output(context, reply["run"])
    elif not context.is_json:
        context.show(reply)
        terminal.flush()
    ended = _wait_for_end(context, reply["run"], None)
    if context.is_json:
        context.show({**reply, **ended})
    return exit_status_of(ended)


def cancel(context: Context) -> int:
    """End runs, or revoke those that wait."""
    context.show(context.call("run.cancel", targets=context.args["targets"]))
    return 0


def wait(context: Context) -> int:
    """Wait for a run's end, or until a job is so far."""
    args = context.args
    milestone = args["for"] or "ended"
    if args["follow"]:
        _show_output(context, args["target"])
    reply = _wait_for(context, args["target"], milestone, args["timeout"])
    context.show(reply)
    is_ended_run = "id" in reply and milestone == "ended"
    return exit_status_of(reply) if is_ended_run else 0


def _wait_for_end(context: Context, run_id: str, timeout_s: float | None) -> dict[str, Any]:
    ended = _wait_for(context, run_id, "ended", timeout_s)
    if not context.is_json:
        _tell_bad_end(ended)
    return ended


def _wait_for(
    context: Context, target: str, milestone: str, timeout_s: float | None
) -> dict[str, Any]:
    with terminal.Progress() as progress:
        progress.show(f"waiting for {target} ({milestone})")
        reply: dict[str, Any] = context.client.wait(target, milestone, timeout_s)
    return reply


def _tell_bad_end(ended: dict[str, Any]) -> None:
    """Say why a run ended, where its exit status alone does not."""
    if ended.get("exit_code") is None and ended["state"] != "succeeded":
        attempts = ended.get("attempts") or []
        errors = [attempt.get("error") for attempt in attempts[-1:]]
        what = f"run {ids.short(ended['id'])} of {ended['job']} {ended['state']}"
        told = (text for text in (what, ended.get("reason"), *errors) if text)
        terminal.note(f"clawctl: {': '.join(told)}")


def _show_output(context: Context, target: str) -> None:
    """Pass on a run's output as it comes, until the run is over."""
    asked = {"targets": [target], "lines": _ALL_LINES, "stream": "both"}
    for log in follow_logs(context.home, asked, terminal.note):
        stream = sys.stderr if context.is_json or log.get("stream") == "stderr" else sys.stdout
        if stream is not None:
            stream.write(log["text"])
            stream.flush()
