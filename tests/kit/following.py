"""A reader who types all that a page of the documentation says, in its order."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from claw.cli import dispatch, parser
from claw.commands.table import FAMILIES
from claw.errors import ClawError
from tests.kit.documents import COMMANDS, ROOT, Block, Page, commands
from tests.kit.nursery import Nursery

PATIENCE_S = 60.0
_FOLLOWS = ("logs", "events", "daemon logs")
_KEYS = {"top": b"q", "shell": b"exit\r", "attach": b"\x1d"}
"""How one leaves what goes on; ^C for all else."""


class Daemon(Protocol):
    """What a reader needs of a daemon that is there already."""

    def take(self, config: str) -> None:
        """Make this the whole configuration, and start what is not running."""


def programs(folder: Path, nursery: Nursery) -> Path:
    """Make a folder with ``clawctl`` and ``clawd`` in it, and return it.

    Args:
        folder: What is made.
        nursery: What forks a ``clawctl`` that is not on a terminal.
    """
    folder.mkdir()
    thin = f"{sys.executable} -I -S {ROOT}/tests/kit/thin.py {nursery.path}"
    for name, words, before in (
        ("clawctl", "claw", f'[ -t 1 ] || exec {thin} "$@"\n'),
        ("clawd", "claw clawd", ""),
    ):
        script = folder / name
        script.write_text(
            f"#!/bin/sh\nexport PYTHONPATH={ROOT}\n{before}"
            f'exec {sys.executable} -m {words} "$@"\n'
        )
        script.chmod(0o755)
    return folder


class Reader:
    """A shell that goes on over all blocks of a page; a context manager.

    Args:
        page: What is read.
        folder: Where it begins; also its HOME.
        environ: Its whole environment.
        daemon: What takes the page's configuration; None: the page itself sees to that.
    """

    def __init__(
        self, page: Page, folder: Path, environ: Mapping[str, str], daemon: Daemon | None
    ) -> None:
        self._page = page
        self._folder = folder
        self._daemon = daemon
        self._config: list[str] = []
        self._names: dict[str, str] = {}
        told, tells = os.pipe()
        self._told = os.fdopen(told, "rb", buffering=0)
        self._tells = tells
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            cwd=folder,
            env={**environ, "HOME": str(folder)},
            pass_fds=[tells],
            start_new_session=True,
        )
        os.close(tells)
        (folder / "stdin").touch()

    def __enter__(self) -> "Reader":
        self._type("set -m", "the page")
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self._told.close()

    def read(self) -> None:
        """Do all that the page says.

        Raises:
            AssertionError: A command did not end as the page has it.
        """
        for block in self._page.blocks:
            self._prepare(block)
            if block.language in COMMANDS and not block.order("not run"):
                self._carry_out(block)

    def leave(self) -> None:
        """Stop the daemon that the page has started, if it still runs."""
        self._type("! clawctl version --json >/dev/null || clawctl daemon stop || :", "the end")

    def _prepare(self, block: Block) -> None:
        config, file, setup = block.order("config"), block.order("file"), block.order("setup")
        for one in block.orders:
            if one.words.startswith("let "):
                name, _, command = one.words.removeprefix("let ").partition(" = ")
                self._names[name] = self._type(command, block.where).strip()
                assert self._names[name], f"{block.where}: {command} says nothing"
        if config is not None:
            text = self._meant(block.text)
            self._config = [*(self._config if config.words == "more" else []), text]
            assert self._daemon is not None, f"{block.where}: this page has no daemon"
            self._daemon.take("\n".join(self._config))
        if file is not None:
            mark = "END-OF-FILE"
            self._type(
                f"mkdir -p \"$(dirname {file.words})\"; cat > {file.words} <<'{mark}'\n"
                f"{block.text.rstrip()}\n{mark}",
                block.where,
            )
        if setup is not None:
            self._type(block.text, block.where)

    def _meant(self, text: str) -> str:
        """Return a text with what its names stand for here."""
        for name, meant in self._names.items():
            text = text.replace(name, meant)
        return text

    def _carry_out(self, block: Block) -> None:
        exits = [one.words for one in block.orders if one.words.startswith("exits ")]
        for statement in block.statements:
            typed = self._meant(statement)
            wanted = {0}
            for one in exits:
                numbers, _, text = one.removeprefix("exits ").partition(": ")
                wanted = set(map(int, numbers.split("|"))) if text in statement else wanted
            goes_on = block.order("goes on")
            if goes_on_by_itself(statement) or (goes_on and goes_on.words in statement):
                self._look_at(typed, block.where)
            else:
                self._type(typed, block.where, wanted)

    def _type(self, script: str, where: str, wanted: Collection[int] = (0,)) -> str:
        """Run a script in the shell, and return what it printed."""
        typed, out, err = (self._folder / f".{name}" for name in ("typed", "out", "err"))
        given = self._folder / "stdin"  # what a page's setup has written for its commands
        typed.write_text(f"{script}\n")
        assert self._shell.stdin is not None
        self._shell.stdin.write(
            f'. {typed} <{given} >{out} 2>{err}; printf "%s\\n" $? >&{self._tells}\n'.encode()
        )
        self._shell.stdin.flush()
        ready = select.select([self._told], [], [], PATIENCE_S)[0]
        told = self._told.read(16) if ready else b""
        said = f"{where}: {script}\n{out.read_text()}{err.read_text()}"
        assert told, f"it does not come back: {said}"
        assert int(told) in wanted, f"exit status {int(told)}: {said}"
        assert "Traceback" not in err.read_text(), said
        return out.read_text()

    def _look_at(self, statement: str, where: str) -> None:
        """Begin what goes on, on a terminal, and end it once it has said something."""
        environ = self._type("env -0", where).split("\0")
        here = self._type("pwd", where).strip()
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        process = subprocess.Popen(
            ["setsid", "--ctty", "bash", "-c", statement],
            cwd=here,
            env={"TERM": "xterm", **dict(one.split("=", 1) for one in environ if "=" in one)},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        try:
            said = _leave(ours, process, _KEYS.get(_name(statement), b"\x03"))
        finally:
            process.kill()
            process.wait()
            os.close(ours)
        assert said.strip(), f"{where}: {statement}: it says nothing"
        assert "Traceback" not in said, f"{where}: {statement}: {said}"
        assert "clawctl: " not in said, f"{where}: {statement}: {said}"


def _leave(terminal: int, process: subprocess.Popen[bytes], keys: bytes) -> str:
    said, deadline, typed_at = b"", time.monotonic() + PATIENCE_S, 0.0
    while process.poll() is None:
        assert time.monotonic() < deadline, f"it does not end: {said!r}"
        if said.strip() and time.monotonic() - typed_at > 1:
            typed_at = time.monotonic()
            os.write(terminal, keys)
        if select.select([terminal], [], [], 0.2)[0]:
            with contextlib.suppress(OSError):  # EIO: it has ended
                said += os.read(terminal, 65536)
    return said.decode(errors="replace")


def _name(statement: str) -> str:
    words = commands(statement)[0]
    return words[1] if words[0] == "clawctl" and len(words) > 1 else words[0]


def goes_on_by_itself(statement: str) -> bool:
    """Whether a statement is one command that ends only when it is told to."""
    found = commands(statement)
    if len(found) != 1 or found[0][0] not in ("clawctl", "clawd"):
        return False
    if found[0][0] == "clawd":
        return found[0][1:2] not in (["--version"], ["--help"])
    _given, rest = dispatch.take_globals(found[0][1:])
    if not rest:
        return False
    command, rest = dispatch.look_up(rest)
    args = parser.parse(command, rest)
    return (
        command.name in ("top", "attach")
        or (command.name == "shell" and not args["command"])
        or (command.name == "up" and not args["detach"])
        or (command.name in _FOLLOWS and bool(args["follow"]))
    )


def wrong(words: list[str]) -> str:
    """Return what is wrong with the words of a command line; "" when nothing is."""
    if words[0] != "clawctl":
        return ""
    try:
        given, rest = dispatch.take_globals(words[1:])
        if not rest or given.flags & {"-h", "--help", "--version"} or rest[0] == "help":
            return ""
        command, rest = dispatch.look_up(rest)
        if not {"-h", "--help"} & set(rest):
            parser.parse(command, rest)
    except ClawError as error:
        return f"{shlex.join(words)}: {error.message} {error.hint}"
    return ""


def unknown_in_sentence(span: str) -> str:
    """Return what a sentence names that is not there; its words may be stand-ins."""
    words = re.split(r"\s+", span.replace("\n", " ").strip())[1:]
    for count, word in enumerate(words):
        if re.search(r"[|\[\]]", word):  # alternatives: `batch run|show`
            words[count] = re.split(r"[|\[\]]", word)[0]
    try:
        given, rest = dispatch.take_globals(words)
        if not rest or given.flags or rest[0].upper() == rest[0] or rest[0] == "help":
            return ""
        if rest[0] in FAMILIES and (len(rest) == 1 or rest[1].startswith("-")):
            return ""
        command, rest = dispatch.look_up(rest)
    except ClawError as error:
        return f"`{span}`: {error.message} {error.hint}"
    known = {flag for one in command.params for flag in one.flags} | {"--json", "-h", "--help"}
    before = rest[: rest.index("--")] if "--" in rest else rest
    for word in before:
        name = word.split("=", 1)[0].rstrip(",.;:")
        if re.fullmatch(r"--[a-z][a-z-]*|-[a-z]", name) and name not in known:
            return f"`{span}`: {command.name} has no option {name}"
    return ""
