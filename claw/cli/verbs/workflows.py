"""``chain``, ``group``, ``chord`` and ``workflow ...``."""

from __future__ import annotations

from claw.cli import terminal
from claw.cli.render import flowgraph, workflow
from claw.cli.verbs.outcomes import exit_status_of
from claw.client.follow import follow_events
from claw.errors import ConflictError, UsageError
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

    Reply = dict[str, Any]

_LISTED = 20


def chain(context: Context) -> int:
    """Run jobs one after the other."""
    return _compose(context, "chain", on_failure=context.args["on_failure"])


def group(context: Context) -> int:
    """Run jobs side by side."""
    return _compose(context, "group", on_failure=context.args["on_failure"])


def chord(context: Context) -> int:
    """Run jobs side by side, and one more after all of them."""
    callback: list[str] = context.args["callback"] or []
    if len(callback) != 1:
        raise UsageError(
            "chord takes one job after --: it runs when all others have ended",
            hint="clawctl chord A B --follow -- C: options stand before the --",
        )
    return _compose(context, "chord", callback=callback[0], on=context.args["on"])


def _compose(context: Context, kind: str, **more: str | None) -> int:
    args = context.args
    reply = context.ask(
        "workflow.compose",
        kind=kind,
        jobs=list(args["jobs"]),
        name=args["name"],
        env=dict(args["env"]) or None,
        **more,
    )
    return begun(context, reply)


def begun(context: Context, reply: Reply) -> int:
    """Say which workflow has been asked for, and wait for it if that is wanted."""
    args = context.args
    if reply.get("state") == "skipped":
        terminal.note(f"skipped: {reply['reason']}")
    if not (args["wait"] or args["follow"]):
        context.show(reply)
        return 0
    if not context.is_json:
        context.show(reply)
        terminal.flush()
    return wait_for(context, reply["run"], is_told=args["follow"])


def list_workflows(context: Context) -> int:
    """List workflows."""
    args = context.args
    reply = context.call("workflow.list", job=args["job"], limit=args["limit"] or _LISTED)
    context.show(reply)
    return 0


def show(context: Context) -> int:
    """Show one workflow."""
    context.show(_shown(context))
    return 0


def _shown(context: Context) -> Reply:
    reply: Reply = context.call("workflow.show", workflow=context.args["workflow"])
    return reply


def cancel(context: Context) -> int:
    """End a workflow and its steps."""
    found = _shown(context)
    if found["run"] is None or found["ended_at"] is not None:
        state = f"is {found['state']}" if found["state"] else "has never run"
        raise ConflictError(f"workflow {found['job']} {state}: there is nothing to end")
    reply = context.call("run.cancel", targets=[found["run"]], why=context.args["reason"])
    context.show(reply)
    return 0


def retry(context: Context) -> int:
    """Run a workflow again from a step on."""
    args = context.args
    whole = args["workflow"]
    return begun(
        context, context.call("workflow.retry", workflow=whole, **{"from": args["from"]})
    )


def graph(context: Context) -> int:
    """Draw a workflow, or print it for a tool."""
    args = context.args
    if args["dot"] and args["mermaid"]:
        raise UsageError("--dot and --mermaid exclude each other")
    found = _shown(context)
    if args["dot"] or args["mermaid"]:
        terminal.say(flowgraph.dot(found) if args["dot"] else flowgraph.mermaid(found))
    else:
        context.show(found)
    return 0


class _OverError(Exception):
    """The workflow has ended."""


class _Telling:
    """Says what becomes of the steps of a workflow, each time something has."""

    def __init__(self, context: Context, run: str, *, is_told: bool) -> None:
        self._context = context
        self._run = run
        self._is_told = is_told
        self._told: dict[str, str] = {}
        self._progress = terminal.Progress()
        self.names: set[str] = set()
        self.found: Reply = {}

    def look(self, _cursor: int = 0) -> None:
        """Look how it stands.

        Raises:
            _OverError: It has ended.
        """
        self.found = self._context.client.call("workflow.show", workflow=self._run)
        self.names = {self.found["job"], *(step["job"] for step in self.found["steps"])}
        for step in self.found["steps"]:
            text = workflow.progress(step)
            if text and text != self._told.get(step["name"]):
                self._told[step["name"]] = text
                if self._is_told and not step["kept"]:
                    self._progress.show("")
                    terminal.note(text)
        self._progress.show(workflow.how_far(self.found))
        if self.found["ended_at"] is not None:
            self._progress.show("")
            raise _OverError


def wait_for(context: Context, run: str, *, is_told: bool) -> int:
    """Wait for the end of a workflow.

    Args:
        context: The command line.
        run: A run of the workflow's own.
        is_told: What becomes of its steps is written to standard error.

    Returns:
        0 when it has succeeded, 124 when it ran out of time, 125 when it was ended, else 1.
    """
    telling = _Telling(context, run, is_told=is_told)
    try:
        happening = follow_events(
            context.home, None, {"type": "run.*"}, terminal.note, on_start=telling.look
        )
        for event in happening:
            if event["job"] in telling.names:
                telling.look()
    except _OverError:
        pass
    found = telling.found
    if context.is_json:
        context.show_as(found, "workflow")
    elif found["state"] != "succeeded":
        short, reason = ids.short(found["id"]), found["reason"] or "nobody knows why"
        terminal.note(f"clawctl: workflow {short} of {found['job']} {found['state']}: {reason}")
    return exit_status_of({**found, "workflow": found["id"], "step": None})
