"""``logs``."""

from __future__ import annotations

import sys
from collections import deque

from claw.cli import terminal
from claw.cli.lines import Lines
from claw.cli.prefix import Prefixer
from claw.cli.render import jsontext
from claw.client.follow import follow_logs
from claw.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.cli.context import Context

    Found = tuple[str, dict[str, Any]]

_LINES_OF_ONE = 100
_LINES_OF_MANY = 10
_PATTERN = frozenset("*?[")
_SELECTING = ("since", "until", "grep")
_EVER = "1970-01-01T00:00:00+00:00"
_MISSED = "{count} files of {job!r} were removed (log.keep) before they could be shown"


def logs(context: Context) -> int:
    """Show output: the last lines, those of some time, and with -f what comes."""
    if _asks_for_lines(context.args) or context.args["follow"]:
        return _show_lines(context)
    targets = _spelled_out(context, context.args["targets"])
    if len(targets) == 1 and context.args["targets"]:
        reply = _read(context, targets[0], _LINES_OF_ONE)
        if "steps" in reply:
            return _show_several(context, list(_of_steps(context, reply)))
        if _is_shaped(reply) and not context.is_json:
            return _show_lines(context)
        terminal.write(jsontext.render(reply) + "\n" if context.is_json else reply["text"])
        return 0
    found = [(target, _read(context, target, _LINES_OF_MANY)) for target in targets]
    if any(_is_shaped(reply) for _, reply in found) and not context.is_json:
        return _show_lines(context)
    return _show_several(context, found)


def _of_steps(context: Context, whole: dict[str, Any]) -> Iterator[Found]:
    """Yield what the steps of a workflow have printed."""
    for one in whole["steps"]:
        yield one["step"], _read(context, one["run"], _LINES_OF_ONE)


def _show_several(context: Context, found: list[Found]) -> int:
    if context.is_json:
        replies = [{"target": target, **reply} for target, reply in found]
        terminal.say(jsontext.render({"logs": replies}))
        return 0
    prefixer = Prefixer([target for target, _ in found], terminal.style_of(sys.stdout))
    for target, reply in found:
        terminal.write(prefixer.lines(target, "both", reply["text"]) + prefixer.rest())
    return 0


def _asks_for_lines(args: dict[str, Any]) -> bool:
    """Tell whether each line is to be looked at, and not just shown."""
    return args["timestamps"] or any(args[name] is not None for name in _SELECTING)


def _is_shaped(reply: dict[str, Any]) -> bool:
    """Tell whether a job wants its lines to be shown other than as they are."""
    return bool(reply.get("timestamps") or reply.get("format"))


def _show_lines(context: Context) -> int:
    args = context.args
    targets = args["targets"] or ["all"]
    is_one = len(targets) == 1 and not _is_pattern(targets[0])
    shown = Lines(
        Prefixer([], terminal.style_of(sys.stdout)),
        is_one=is_one,
        is_json=context.is_json,
        timestamps=args["timestamps"],
        grep=args["grep"],
    )
    last = _last_lines(args)
    asked = _asked(args, targets, _LINES_OF_ONE if is_one else _LINES_OF_MANY)
    held: deque[str] = deque(maxlen=last)
    for log in follow_logs(context.home, asked, terminal.note):
        if log.get("missed"):
            terminal.note(_MISSED.format(count=log["missed"], job=log["job"]))
        texts = shown.feed(log)
        if last is None:
            terminal.write("".join(texts))
        else:
            held.extend(texts)
    held.extend(shown.rest())
    terminal.write("".join(held))
    return 0


def _last_lines(args: dict[str, Any]) -> int | None:
    """Return how many of the lines that are found are shown, when that is bounded."""
    is_chosen_here = args["grep"] is not None and not args["follow"]
    lines: int | None = args["lines"]
    return lines if is_chosen_here else None


def _asked(args: dict[str, Any], targets: list[str], lines: int) -> dict[str, Any]:
    """Return the parameters of ``log.follow``."""
    has_times = args["since"] is not None or args["until"] is not None
    asked: dict[str, Any] = {"targets": targets, "stream": _stream(args)}
    if args["lines"] is not None:
        asked["lines"] = args["lines"]
    elif not has_times:
        asked["lines"] = _LINES_OF_MANY if args["follow"] else lines
    if args["grep"] is not None and not args["follow"]:
        asked.pop("lines", None)
        asked["since"] = _EVER
    for name in ("since", "until"):
        if args[name] is not None:
            asked[name] = args[name].isoformat()
    if args["timestamps"]:
        asked["times"] = True
    if not args["follow"]:
        asked["stop"] = True
    return asked


def _spelled_out(context: Context, targets: list[str]) -> list[str]:
    """Return the jobs that patterns mean; other targets are left to the master."""
    if not targets:
        targets = ["all"]
    found: dict[str, None] = {}
    for target in targets:
        if _is_pattern(target):
            jobs = context.call("job.status", targets=[target])["jobs"]
            found.update(dict.fromkeys(job["name"] for job in jobs))
        else:
            found[target] = None
    if not found:
        raise NotFoundError("there are no jobs", hint="clawctl init")
    return list(found)


def _is_pattern(target: str) -> bool:
    return target == "all" or target.startswith("tag:") or not _PATTERN.isdisjoint(target)


def _read(context: Context, target: str, lines: int) -> dict[str, Any]:
    reply: dict[str, Any] = context.call(
        "log.read", target=target, lines=_lines(context, lines), stream=_stream(context.args)
    )
    return reply


def _lines(context: Context, default: int) -> int:
    lines: int | None = context.args["lines"]
    return default if lines is None else lines


def _stream(args: dict[str, Any]) -> str:
    if args["stdout"] == args["stderr"]:
        return "both"
    return "stdout" if args["stdout"] else "stderr"
