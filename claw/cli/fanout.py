"""One command for the masters of several hosts at once: a clawctl for each, side by side.

Each line is told with the host that says it; with ``--json`` it is one object with a reply for
each host, or of what comes line by line each with its host. The exit status is the worst.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading

from claw.cli import homes, masters, terminal
from claw.cli.render import jsontext
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO, Any


class _Host:
    """What one host says."""

    def __init__(self, host: str, words: Sequence[str], place: _Place) -> None:
        self.name = homes.label_of(host)
        self.place = place
        self.out: list[str] = []
        self.err: list[str] = []
        environ = {name: value for name, value in os.environ.items() if name != homes.HOST}
        # In a session of its own it has no terminal, where several would ask for passwords.
        self.process = subprocess.Popen(  # noqa: S603
            [*masters.interpreter(), "-H", host, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**environ, **masters.search_path()},
            start_new_session=True,
        )
        self.readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, False)),
            threading.Thread(target=self._read, args=(self.process.stderr, True)),
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, stream: IO[str], is_err: bool) -> None:  # noqa: FBT001
        with stream:
            for line in stream:
                (self.err if is_err else self.out).append(line.rstrip("\n"))
                self.place.tell(self, line.rstrip("\n"), is_err=is_err)

    def end(self) -> int:
        """Wait for its end, and return its status."""
        for reader in self.readers:
            reader.join()
        return self.process.wait()


class _Place:
    """Where all of them speak, one line at a time."""

    def __init__(self, width: int, *, is_json: bool, has_lines: bool) -> None:
        self._width = width
        self._is_json = is_json
        self._has_lines = has_lines
        self._one = threading.Lock()

    def tell(self, host: _Host, line: str, *, is_err: bool) -> None:
        with self._one:
            if is_err:
                terminal.note(_with_host(host.name, line))
            elif not self._is_json:
                terminal.say(f"{host.name:{self._width}}  {line}".rstrip())
                terminal.flush()
            elif self._has_lines:
                terminal.say(jsontext.render_line({"host": host.name, **json.loads(line)}))
                terminal.flush()


def _with_host(host: str, line: str) -> str:
    """Return a line of complaint; clawctl's own has the host in it mostly."""
    rest = line.removeprefix("clawctl: ")
    return line if rest.startswith(f"{host}: ") else f"clawctl: {host}: {rest}"


def run(hosts: Sequence[str], words: Sequence[str], *, is_json: bool, has_lines: bool) -> int:
    """Run a command line for each host, and return the highest exit status.

    Args:
        hosts: Their addresses, as somebody has written them.
        words: What stands after ``clawctl -H HOST``.
        is_json: Whether programs are to read what it says.
        has_lines: Whether that is an object a line.

    Raises:
        UsageError: A host is named twice.
    """
    names = [homes.label_of(one) for one in hosts]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice", hint="name each host once")
    place = _Place(max(map(len, names)), is_json=is_json, has_lines=has_lines)
    running = [_Host(one, words, place) for one in hosts]
    try:
        statuses = [one.end() for one in running]
    except KeyboardInterrupt:
        for one in running:
            one.process.terminate()
        raise
    if is_json and not has_lines:
        replies = {
            one.name: _reply_of(one, status)
            for one, status in zip(running, statuses, strict=True)
        }
        terminal.say(jsontext.render({"hosts": replies}))
    return max(abs(status) for status in statuses)


def _reply_of(host: _Host, status: int) -> Any:
    try:
        return json.loads("\n".join(host.out))
    except ValueError:
        said = host.err[-1].removeprefix("clawctl: ") if host.err else ""
        return {"error": said, "exit_status": status}
