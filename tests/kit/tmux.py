"""A program in a terminal of tmux, as a person sees it: keys are typed, the screen is read."""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pytest

from tests.kit.clawctl import command_line

PATIENCE_S = 30.0
Open = Callable[..., "Tmux"]
"""Opens a window, as `windows` yields it."""
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")


class Tmux:
    """A server of tmux with one window, and a program in it.

    A context manager; what runs in it is ended with it.

    Args:
        socket: Where the server listens: a short path.
        words: The program.
        environ: Its environment.
        width: Columns of the window.
        height: Its lines.
    """

    def __init__(
        self,
        socket: Path,
        words: Sequence[str],
        environ: Mapping[str, str],
        *,
        width: int = 100,
        height: int = 30,
    ) -> None:
        self._socket = socket
        self._environ = {**environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self._environ.pop("TMUX", None)
        # What is left of the screen afterwards, and how it ended, is seen as well.
        script = f"trap : INT; {shlex.join(words)}; echo EXIT $?; exec sleep 1000"
        size = ("-x", str(width), "-y", str(height))
        self._tmux("new-session", "-d", *size, "/bin/sh", "-c", script)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._tmux("kill-server")

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", str(self._socket), "-f", os.devnull, *words],
            env=self._environ,
            capture_output=True,
            timeout=PATIENCE_S,
            text=True,
            check=True,
        )
        return done.stdout

    def keys(self, *names: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", *names)

    def type(self, text: str) -> None:
        """Type letters."""
        self._tmux("send-keys", "-l", "--", text)

    def resize(self, width: int, height: int) -> None:
        """Have the window another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p").splitlines()

    @property
    def is_alternate(self) -> bool:
        """Whether a program has the whole screen."""
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    @property
    def program(self) -> int:
        """The pid of the program."""
        shell = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        [child] = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(child)

    def until(self, wanted: Callable[[list[str]], bool], what: str = "") -> list[str]:
        """Return the screen as soon as it is as wanted."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            lines = self.lines
            if wanted(lines):
                return lines
            assert time.monotonic() < deadline, f"no {what}:\n" + "\n".join(lines)
            time.sleep(0.05)

    def see(self, text: str) -> list[str]:
        """Return the screen as soon as a text is on it."""
        return self.until(lambda lines: any(text in line for line in lines), repr(text))

    def see_not(self, text: str) -> list[str]:
        """Return the screen as soon as a text is not on it any more."""
        return self.until(lambda lines: all(text not in line for line in lines), f"no {text!r}")


@contextlib.contextmanager
def windows(*words: str, environ: Mapping[str, str], state: Path) -> Iterator[Open]:
    """Yield a function that opens a window with ``clawctl`` in it; all are closed in the end.

    It takes more words, the window's columns and lines, and more variables.

    Args:
        words: What every window's command line begins with.
        environ: The environment of all.
        state: Where clawctl keeps what it remembers.
    """
    with contextlib.ExitStack() as stack:

        def open_(*more: str, size: tuple[int, int] = (100, 30), **variables: str) -> Tmux:
            given = {**environ, "XDG_STATE_HOME": str(state), **variables}
            # The path of a socket may not be long.
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claw-")))
            line = command_line((*words, *more))
            window = Tmux(folder / "tmux", line, given, width=size[0], height=size[1])
            return stack.enter_context(window)

        yield open_
