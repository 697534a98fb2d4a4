"""Entry of ``clawctl``: the short way for a bare ``status``, and what errors look like.

Only what a bare ``clawctl status`` needs is imported here; all else comes by
`claw.cli.dispatch`, when it is asked for.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from claw.cli import homes, terminal
from claw.cli.render import jsontext, status
from claw.client.connection import Connection
from claw.errors import BUG_EXIT_STATUS, ClawError, ConfigError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

INTERRUPTED = 130
"""Exit status after ^C: 128 and the number of SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""Exit status when nobody reads the output any more, as `head` ends its writers."""

_BARE = (["status"], ["list"], ["ls"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status.

    Args:
        argv: The words after ``clawctl``; None: those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    is_short = argv is None and _is_short(words)
    if is_short:
        gc.disable()  # too short a life to leave garbage
    try:
        terminal.prepare()
        result = _run(words)
        terminal.flush()
    except BrokenPipeError:
        terminal.abandon_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except ClawError as error:
        tell(error)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the last edge: what nobody foresaw
        return _tell_unforeseen(error)
    if is_short:
        # Taking the interpreter apart would cost as much as a tenth of the whole command.
        os._exit(result)
    return result


def _run(words: list[str]) -> int:
    if words[:1] == ["_complete"]:
        named: int = importlib.import_module("claw.cli.naming").complete(words[1:])
        return named
    if not _is_bare_status(words):
        result: int = importlib.import_module("claw.cli.dispatch").dispatch(words)
        return result
    return _bare_status(is_json=len(words) > 1)


def _is_short(words: Sequence[str]) -> bool:
    """Tell whether a command line is one that people, or their shells, wait for."""
    asks_for_help = words[-1:] in (["-h"], ["--help"]) and "--" not in words
    return not words or asks_for_help or words[:1] == ["_complete"] or _is_bare_status(words)


def _is_bare_status(words: Sequence[str]) -> bool:
    if "," in os.environ.get(homes.HOST, ""):
        return False
    is_json = words[-1:] == ["--json"]
    return list(words[:-1] if is_json else words) in _BARE


def _bare_status(*, is_json: bool) -> int:
    home = homes.choose(os.environ, os.geteuid(), homes.here())
    with Connection(home.control_socket) as connection:
        reply = connection.ask("job.status", {})
    if is_json:
        terminal.say(jsontext.render(reply))
        return 0
    style = terminal.style_of(sys.stdout)
    terminal.say(status.render(reply, style, clock.now()))
    for warning in reply.get("warnings", ()):
        terminal.warn(warning)
    return 0


def tell(error: ClawError) -> None:
    """Say what is wrong and what to do, on one line; diagnostics have one each."""
    diagnostics = error.diagnostics if isinstance(error, ConfigError) else ()
    for line in diagnostics:
        terminal.note(line)
    if (error.message,) != diagnostics:
        glue = " " if error.message.endswith("?") else ": "
        text = f"{error.message}{glue}{error.hint}" if error.hint else error.message
        terminal.note("clawctl: " + " ".join(text.split("\n")))
    if os.environ.get("CLAW_DEBUG"):
        sys.excepthook(type(error), error, error.__traceback__)


def _tell_unforeseen(error: Exception) -> int:
    if os.environ.get("CLAW_DEBUG"):
        sys.excepthook(type(error), error, error.__traceback__)
    if isinstance(error, OSError):
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        terminal.note(f"clawctl: {where}{error.strerror or error}")
        return 1
    what = " ".join(f"{type(error).__name__}: {error}".split())
    terminal.note(f"clawctl: this is a mistake in claw: {what}: CLAW_DEBUG=1 shows more")
    return BUG_EXIT_STATUS
