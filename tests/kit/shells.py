"""Shells on terminals of their own, typed at as a person would."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
TAB, TO_START, FORGET = "\t", "\x01", "\x05\x15"
PROMPT = "ready$ "
MARK = "+++"

_CONTROLS = re.compile(
    r"\x1b(?:\[[0-9;?>=]*[A-Za-z]|[()][0-9A-B]|[=>]|\][^\x07\x1b]*(?:\x07|\x1b\\))"
)


class ShellUnderTest:
    """An interactive shell; a context manager.

    Args:
        argv: What starts it.
        environ: Its whole environment.
        cwd: Where it begins.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 150, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *argv],
            cwd=cwd,
            env=dict(environ),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._said = ""

    def __enter__(self) -> Self:
        self.wait_for(PROMPT)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Press keys; what was said before is forgotten."""
        self._said = ""
        os.write(self._ours, keys.encode())

    @property
    def said(self) -> str:
        """What it has said since, its controls of the terminal left out."""
        return _CONTROLS.sub("", self._said)

    def wait_for(self, *texts: str) -> str:
        """Wait until it has said some texts, and return all that it has said."""
        deadline = time.monotonic() + PATIENCE_S
        while not all(text in self.said for text in texts):
            self._hear(deadline, texts)
        return self.said

    def _hear(self, deadline: float, wanted: object) -> None:
        left_s = deadline - time.monotonic()
        assert left_s > 0, f"{wanted} not in {self.said!r}"
        if select.select([self._ours], [], [], min(left_s, 1.0))[0]:
            with contextlib.suppress(OSError):  # EIO: it has ended
                self._said += os.read(self._ours, 65536).decode(errors="replace")

    def offered(self, line: str, *texts: str) -> str:
        """Type a line and a tab, and return what is listed, once some texts are."""
        self.type(line + TAB)
        found = self.wait_for(*texts)
        self._written(FORGET)
        return found

    def completed(self, line: str) -> list[str]:
        """Type a line and a tab, and return the words that stand there then."""
        self.type(line + TAB)
        return self._written(TO_START)  # keys are read in order: after the completion

    def _written(self, keys: str) -> list[str]:
        """Press keys, and return the words of the line as it is then."""
        self.type(f"{keys}printf '<%s>' {MARK} \r")
        said = self.wait_for(f"<{MARK}>", PROMPT)
        while PROMPT not in said.rpartition(f"<{MARK}>")[2]:
            said = self.wait_for_more(said)
        return re.findall(r"<([^<>]*)>", said.rpartition(f"<{MARK}>")[2])

    def wait_for_more(self, said: str) -> str:
        """Wait until it has said more than that, and return all."""
        deadline = time.monotonic() + PATIENCE_S
        while self.said == said:
            self._hear(deadline, "more")
        return self.said


def program(folder: Path) -> Path:
    """Make a folder with a ``clawctl`` in it, and return it."""
    folder.mkdir()
    script = folder / "clawctl"
    script.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m claw "$@"\n')
    script.chmod(0o755)
    return folder


def bash(folder: Path, environ: Mapping[str, str], *lines: str) -> ShellUnderTest:
    """Start bash with some lines in its rc file."""
    rc = folder / "bashrc"
    own = [f"PS1='{PROMPT}'", "bind 'set bell-style none'",
           "bind 'set show-all-if-ambiguous on'", "bind 'set completion-query-items -1'",
           "bind 'set enable-bracketed-paste off'",
           "bind 'set page-completions off'"]  # fmt: skip
    rc.write_text("\n".join([*lines, *own]) + "\n")
    return ShellUnderTest(["bash", "--noprofile", "--rcfile", str(rc), "-i"], environ, folder)


def zsh(folder: Path, environ: Mapping[str, str]) -> ShellUnderTest:
    """Start zsh with the script in its ``fpath``."""
    lines = [f"fpath=({ROOT}/completions $fpath)", "autoload -Uz compinit", "compinit -u -D",
             f"PS1='{PROMPT}'", "unsetopt beep prompt_sp zle_bracketed_paste", "LISTMAX=1000",
             "unset zle_bracketed_paste", "bindkey -e"]  # fmt: skip
    (folder / ".zshrc").write_text("\n".join(lines) + "\n")
    return ShellUnderTest(["zsh", "-d", "-i"], {**environ, "ZDOTDIR": str(folder)}, folder)


def fish(folder: Path, environ: Mapping[str, str]) -> ShellUnderTest:
    """Start fish with the script sourced."""
    begin = (
        f"source {ROOT}/completions/clawctl.fish; set -g fish_greeting;"
        f" set -g fish_autosuggestion_enabled 0; function fish_prompt; echo -n '{PROMPT}'; end"
    )
    own = {"XDG_CONFIG_HOME": f"{folder}/config", "XDG_DATA_HOME": f"{folder}/data"}
    return ShellUnderTest(["fish", "-i", "--init-command", begin], {**environ, **own}, folder)


def has(name: str) -> bool:
    """Tell whether a shell is here."""
    return shutil.which(name) is not None
