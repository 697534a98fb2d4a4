"""Batches: ``run --each``, ``wait BATCH``, ``runs retry``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from claw.cli import terminal, utf8
from claw.client.client import await_master
from claw.client.connection import LostConnectionError
from claw.client.follow import BACK, GONE
from claw.commands.calls_batches import PER_REQUEST
from claw.errors import NotFoundError, TimedOutError, UnreachableError, UsageError
from claw.kernel import clock
from claw.model import ids
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_FOR_EVER_S = float("inf")
_LOOK_S = 0.5
_MOST_BYTES = 900_000
"""Of one run: a line of the protocol has a mebibyte."""
_PART_BYTES = 250_000
"""Of the runs in one request, about: what takes long to read holds up others."""


def run_each(context: Context) -> int:
    """Ask for a run for each line of a file, all of them or none."""
    args = context.args
    runs = _runs_of(_read(args["each"]), is_json=args["jsonl"])
    if not runs:
        raise UsageError(f"--each: {args['each']} has no line that says anything")
    reply: dict[str, Any] = {}
    common = len(json.dumps([dict(args["env"]), args["arg"]]))
    *parts, last = parts_of(runs, common)
    with terminal.Progress() as progress:
        for part in parts:
            reply = _ask(context, part, reply.get("batch"), is_last=False)
            progress.show(f"{reply['count']} of {len(runs)} runs handed in")
        reply = _ask(context, last, reply.get("batch"), is_last=True)
    if not context.is_json or not (args["wait"] or args["follow"]):
        context.show(reply)
        terminal.flush()
    if not (args["wait"] or args["follow"]):
        return 0
    return wait_for(context, reply["batch"], None, is_told=args["follow"])


def parts_of(runs: list[dict[str, Any]], common: int = 0) -> list[list[dict[str, Any]]]:
    """Return the runs as requests, none of which holds up others for long.

    Args:
        runs: All of them.
        common: So many bytes each request has for what they have in common.

    Raises:
        UsageError: One is too large for any request.
    """
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for no, run in enumerate(runs, 1):
        own = len(json.dumps(run)) + 2
        if common + own > _MOST_BYTES:
            raise UsageError(
                f"--each: run {no} has {own} bytes beside {common} of --env and --arg, and a"
                f" request at most {_MOST_BYTES}",
                hint="put what is long into a file, and its name into the line",
            )
        is_full = len(parts[-1]) == PER_REQUEST or size + own > _PART_BYTES
        if parts[-1] and is_full:
            parts.append([])
            size = 0
        parts[-1].append(run)
        size += own
    return parts


def _ask(
    context: Context, runs: list[dict[str, Any]], batch: str | None, *, is_last: bool
) -> dict[str, Any]:
    """Ask for runs of a batch; the last ones complete it."""
    args = context.args
    reply: dict[str, Any] = context.ask(
        "run.submit_batch",
        job=args["job"],
        runs=runs,
        at=args["at"].isoformat() if args["at"] is not None else None,
        delay_s=args["in"],
        env=dict(args["env"]) or None,
        args=args["arg"] or None,
        force=args["force"] or None,
        priority=args["priority"],
        batch=batch,
        more=None if is_last else True,
    )
    return reply


def _read(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"--each: {name} cannot be read: {why}") from None
    return utf8.text_of(data, f"--each {name}")


def _runs_of(text: str, *, is_json: bool) -> list[dict[str, Any]]:
    """Return what each line asks for; lines that are empty ask for nothing."""
    lines = [(no, line) for no, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not is_json:
        return [{"args": [line.removesuffix("\r")]} for _no, line in lines]
    return [_run_of(no, line) for no, line in lines]


def _run_of(no: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise UsageError(f"--each: line {no} is no JSON: {error}") from None
    if isinstance(found, list):
        found = {"args": found}
    if not isinstance(found, dict) or not found.keys() <= {"args", "env"}:
        raise UsageError(
            f'--each: line {no} has to be like {{"args": ["x"], "env": {{"A": "1"}}}}'
        )
    return found


def find(context: Context, target: str) -> str | None:
    """Return the whole id of the batch that a target names; None: it names none."""
    try:
        found: str = context.client.call("run.batch", batch=target)["batch"]
    except NotFoundError:
        return None
    return found


def wait_for(context: Context, batch: str, timeout_s: float | None, *, is_told: bool) -> int:
    """Wait until all runs of a batch are over.

    Args:
        context: The command line.
        batch: The batch.
        timeout_s: How long at most; None: for ever.
        is_told: How far it is, is written whenever that has changed, terminal or not.

    Returns:
        0 when none has failed, else 1.

    Raises:
        TimedOutError: They took too long.
    """
    deadline = None if timeout_s is None else clock.monotonic() + timeout_s
    told = ""
    with terminal.Progress() as progress:
        while True:
            found = _look(context, batch, deadline)
            if found["done"] == found["total"]:
                break
            text = how_far(found)
            progress.show(f"batch {ids.short(batch)}: {text}")
            if is_told and not progress.is_shown and text != told:
                terminal.note(text)
            told = text
            if deadline is not None and clock.monotonic() >= deadline:
                raise TimedOutError(
                    f"batch {ids.short(batch)} is not over after {timeout_s:g} s: {text}"
                )
            time.sleep(_LOOK_S)
    if context.is_json:
        context.show(found)
    else:
        terminal.say(how_far(found))
    return 1 if found["failed"] else 0


def _look(context: Context, batch: str, deadline: float | None) -> dict[str, Any]:
    """Ask how far a batch is; a daemon that goes meanwhile is waited for."""
    was_lost = False
    while True:
        try:
            found: dict[str, Any] = context.client.call("run.batch", batch=batch)
        except UnreachableError as error:
            if not was_lost and not isinstance(error, LostConnectionError):
                raise
            if not was_lost:
                terminal.note(GONE)
            was_lost = True
            _await_daemon(context, batch, deadline)
            continue
        if was_lost:
            terminal.note(BACK)
        return found


def _await_daemon(context: Context, batch: str, deadline: float | None) -> None:
    left_s = _FOR_EVER_S if deadline is None else max(0.0, deadline - clock.monotonic())
    try:
        await_master(context.home.control_socket, left_s).close()
    except UnreachableError as error:
        text = f"batch {ids.short(batch)} is not known to be over in time"
        raise TimedOutError(f"{text}: {error.message}") from None


def how_far(found: dict[str, Any]) -> str:
    """Return how far a batch is, on one line."""
    done = f"{found['done']} of {found['total']} done"
    parts = [done, f"{found['running']} running", f"{found['failed']} failed"]
    if found["left_s"] is not None and found["done"] < found["total"]:
        parts.append(f"about {format_duration(float(round(found['left_s'])))} left")
    return ", ".join(parts)


def retry(context: Context) -> int:
    """Run again what has failed."""
    context.show(context.call("run.retry", targets=context.args["targets"]))
    return 0
