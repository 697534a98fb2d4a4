"""``clawctl`` as a person or a script runs it: both outputs, and commands that go on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.kit import nursery

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a command line has printed, and how it ended."""

    words: tuple[str, ...]
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines of its standard output."""
        return self.out.splitlines()

    @property
    def fault(self) -> str:
        """The one line that an error is told with."""
        [line] = self.err.splitlines()
        assert line.startswith("clawctl: "), line
        return line


class Shell:
    """A place to type ``clawctl`` at: a folder and an environment.

    Args:
        environ: What every command gets, on top of this process's own.
        cwd: Where it is typed; claw itself is found from anywhere.
    """

    def __init__(self, environ: Mapping[str, str], cwd: Path = ROOT) -> None:
        self.environ = {**os.environ, **environ, "PYTHONPATH": str(ROOT)}
        self.cwd = cwd

    def __call__(self, *words: str, status: int | None = 0) -> Said:
        """Run a command line; ``status`` is what it has to exit with, None: anything."""
        done = nursery.run(
            ["claw", *words], cwd=self.cwd, environ=self.environ, patience_s=PATIENCE_S
        )
        said = Said(words, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in said.err, said
        assert status is None or said.status == status, said
        return said

    def sh(self, script: str) -> Said:
        """Run a line of shell in which ``$CLAWCTL`` is the program."""
        done = subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=self.cwd,
            env={**self.environ, "CLAWCTL": " ".join(command_line(()))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            text=True,
            check=False,
        )
        return Said((script,), done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> "Going":
        """Begin a command line that goes on by itself, in a process group of its own."""
        return Going(words, self.cwd, self.environ)


class Going:
    """A command line that is under way; its outputs are read as they come.

    A context manager; what still runs at its end is killed.
    """

    def __init__(self, words: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> None:
        pipes = [os.pipe(), os.pipe()]
        try:
            self.process = nursery.begin(
                ["claw", *words], cwd=cwd, environ=environ, out=pipes[0][1], err=pipes[1][1]
            )
        finally:
            for _, end in pipes:
                os.close(end)
        self._out: list[str] = []
        self._err: list[str] = []
        self._news = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(end, into), daemon=True)
            for (end, _), into in zip(pipes, (self._out, self._err), strict=True)
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end(status=None)

    def _read(self, end: int, into: list[str]) -> None:
        with os.fdopen(end) as stream:
            for line in stream:
                with self._news:
                    into.append(line.rstrip("\n"))
                    self._news.notify_all()

    @property
    def out(self) -> list[str]:
        """The lines of standard output so far."""
        return list(self._out)

    @property
    def err(self) -> list[str]:
        """The lines of standard error so far."""
        return list(self._err)

    def wait_line(self, wanted: Callable[[str], bool], count: int = 1) -> str:
        """Return the count-th line of standard output that is wanted, when it comes."""
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while True:
                found = [line for line in self._out if wanted(line)]
                if len(found) >= count:
                    return found[count - 1]
                left_s = deadline - time.monotonic()
                assert left_s > 0, f"no such line: {self._out} {self._err}"
                self._news.wait(min(left_s, 0.5))

    def wait_text(self, text: str, count: int = 1) -> str:
        """Return the count-th line of standard output that has a text, when it comes."""
        return self.wait_line(lambda line: text in line, count)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal to its whole process group, as a terminal does on ^C."""
        os.killpg(self.process.pid, number)

    def end(self, *, status: int | None) -> Said:
        """Wait for its end and return what it said; ``status`` as for `Shell`."""
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        said = Said((), code, "\n".join(self._out), "\n".join(self._err))
        assert status is None or code == status, said
        return said


def command_line(words: Sequence[str]) -> list[str]:
    """Return what runs ``clawctl`` with some words."""
    return [sys.executable, "-m", "claw", *words]
