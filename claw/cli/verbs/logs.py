"""``logs``."""

from __future__ import annotations

import sys

from claw.cli import terminal
from claw.cli.prefix import Prefixer
from claw.cli.render import jsontext
from claw.client.follow import follow_logs
from claw.errors import NotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_LINES_OF_ONE = 100
_LINES_OF_MANY = 10
_PATTERN = frozenset("*?[")


def logs(context: Context) -> int:
    """Show output: the last lines, and with -f what comes."""
    if context.args["follow"]:
        return _follow(context)
    targets = _spelled_out(context, context.args["targets"])
    if len(targets) == 1 and context.args["targets"]:
        reply = _read(context, targets[0], _LINES_OF_ONE)
        terminal.write(jsontext.render(reply) + "\n" if context.is_json else reply["text"])
        return 0
    found = [(target, _read(context, target, _LINES_OF_MANY)) for target in targets]
    if context.is_json:
        replies = [{"target": target, **reply} for target, reply in found]
        terminal.say(jsontext.render({"logs": replies}))
        return 0
    prefixer = Prefixer([target for target, _ in found], terminal.style_of(sys.stdout))
    for target, reply in found:
        terminal.write(prefixer.lines(target, "both", reply["text"]) + prefixer.rest())
    return 0


def _follow(context: Context) -> int:
    targets = context.args["targets"] or ["all"]
    asked = {
        "targets": targets,
        "lines": _lines(context, _LINES_OF_MANY),
        "stream": _stream(context.args),
    }
    is_plain = len(targets) == 1 and not _is_pattern(targets[0])
    prefixer = Prefixer([], terminal.style_of(sys.stdout))
    for log in follow_logs(context.home, asked, terminal.note):
        if context.is_json:
            shown = {name: log[name] for name in log if name != "subscription"}
            terminal.write(jsontext.render_line(shown) + "\n")
        else:
            stream = log.get("stream", "")
            text = log["text"]
            terminal.write(text if is_plain else prefixer.lines(log["job"], stream, text))
    terminal.write(prefixer.rest())
    return 0


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
