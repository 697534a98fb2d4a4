"""One command for the masters of several hosts at once: a clawctl for each, side by side.

Each line is told with the host that says it: of what goes on as it comes, else all of a host's
in one piece, in the order in which they were named. With ``--json`` it is one object with a
reply for each host, or of what comes line by line each with its host. The exit status is the
worst.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading

from claw.cli import homes, masters, terminal
from claw.cli.render import jsontext
from claw.errors import UsageError
from claw.kernel import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType
    from typing import IO, Any, Never

_END_S = 2.0
"""So long a clawctl may take that is asked to end."""
_MOST_WAITING = 1000
"""So many lines may wait to be told; who says more waits as well."""


class _Host:
    """A clawctl for one host, and what of its words is still needed."""

    def __init__(self, host: str, words: Sequence[str], given: int | None) -> None:
        self.name = homes.label_of(host)
        self.out: list[str] = []
        self.complaint = ""
        self.open_streams = 0  # that are read
        environ = {name: value for name, value in os.environ.items() if name != homes.HOST}
        with _again(given) as stdin:
            # In a session of its own it has no terminal, where several would ask for passwords.
            self.process = subprocess.Popen(  # noqa: S603
                [*masters.interpreter(), "-H", host, *words],
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={**environ, **masters.search_path()},
                start_new_session=True,
            )

    def read(self, lines: _Lines) -> None:
        """Have each line put there, and a None for each of both streams in the end."""
        for stream, is_err in ((self.process.stdout, False), (self.process.stderr, True)):
            args = stream, is_err, lines
            threading.Thread(target=self._read, args=args, daemon=True).start()
            self.open_streams += 1

    def _read(self, stream: IO[str], is_err: bool, lines: _Lines) -> None:  # noqa: FBT001
        with stream:
            for line in stream:
                lines.put((self, line.rstrip("\n"), is_err))
        lines.put((self, None, is_err))

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self) -> None:
        """Close what it spoke by; nobody reads that any more."""
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


if TYPE_CHECKING:
    _Lines = queue.Queue[tuple[_Host, str | None, bool]]


class _Place:
    """Where all of them speak, one line at a time."""

    def __init__(self, width: int, *, is_json: bool, has_lines: bool) -> None:
        self._width = width
        self._is_json = is_json
        self._has_lines = has_lines

    def tell(self, host: _Host, line: str, *, is_err: bool) -> None:
        if is_err:
            host.complaint = line
            terminal.note(_with_host(host.name, line))
        elif not self._has_lines:
            host.out.append(line)
        elif self._is_json:
            self._tell_object(host, line)
        else:
            self._tell_line(host, line)

    def tell_whole(self, host: _Host) -> None:
        """Tell all that one has said which has ended; objects are told together."""
        if self._is_json or self._has_lines:
            return
        for line in host.out:
            self._tell_line(host, line)

    def _tell_line(self, host: _Host, line: str) -> None:
        terminal.say(f"{host.name:{self._width}}  {line}".rstrip())
        terminal.flush()

    def _tell_object(self, host: _Host, line: str) -> None:
        try:
            found = {"host": host.name, **json.loads(line)}
        except (ValueError, TypeError):
            terminal.note(_with_host(host.name, f"it says what is no JSON object: {line}"))
            return
        terminal.say(jsontext.render_line(found))
        terminal.flush()


def _with_host(host: str, line: str) -> str:
    """Return a line of complaint; clawctl's own has the host in it mostly."""
    rest = line.removeprefix("clawctl: ")
    return line if rest.startswith(f"{host}: ") else f"clawctl: {host}: {rest}"


def run(
    hosts: Sequence[str],
    words: Sequence[str],
    *,
    is_json: bool,
    has_lines: bool,
    reads_input: bool = False,
) -> int:
    """Run a command line for each host, and return the highest exit status.

    Args:
        hosts: Their addresses, as somebody has written them.
        words: What stands after ``clawctl -H HOST``.
        is_json: Whether programs are to read what it says.
        has_lines: Whether that is an object a line.
        reads_input: Whether each is to be given standard input, which ends before they begin.

    Raises:
        UsageError: A host is named twice.
    """
    names = [homes.label_of(one) for one in hosts]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice", hint="name each host once")
    place = _Place(max(map(len, names)), is_json=is_json, has_lines=has_lines)
    running: list[_Host] = []
    lines: _Lines = queue.Queue(_MOST_WAITING)
    with _held_input(is_wanted=reads_input) as given, _ended_by_signals():
        try:
            running.extend(_Host(one, words, given) for one in hosts)
            for one in running:
                one.read(lines)
            waiting = list(running)
            for host, line, is_err in _said(running, lines):
                if line is not None:
                    place.tell(host, line, is_err=is_err)
                while waiting and not waiting[0].open_streams:
                    place.tell_whole(waiting.pop(0))
            statuses = [one.process.wait() for one in running]
        finally:
            _end_all(running, lines)
    if is_json and not has_lines:
        replies = {
            one.name: _reply_of(one, status)
            for one, status in zip(running, statuses, strict=True)
        }
        terminal.say(jsontext.render({"hosts": replies}))
    return max(abs(status) for status in statuses)


def _said(running: Sequence[_Host], lines: _Lines) -> Iterator[tuple[_Host, str | None, bool]]:
    """Yield what they say until all are done; None: one of its two streams is at its end.

    The last item: whether it is a complaint.
    """
    while any(one.open_streams for one in running):
        host, line, is_err = lines.get()
        if line is None:
            host.open_streams -= 1
        yield host, line, is_err


def _end_all(running: Sequence[_Host], lines: _Lines) -> None:
    for one in running:
        one.stop()
    for _ in _said(running, lines):  # so that no thread waits for a place
        pass
    for one in running:
        one.close()


@contextlib.contextmanager
def _held_input(*, is_wanted: bool) -> Iterator[int | None]:
    """Read standard input to its end, if that is wanted, into memory that is opened again."""
    if not is_wanted or sys.stdin is None:
        yield None
        return
    limits.leave_no_core()  # it may be a secret
    with open(os.memfd_create("input"), "wb") as held:  # noqa: PTH123
        while data := sys.stdin.buffer.read(1 << 16):
            held.write(data)
        held.flush()
        yield held.fileno()


@contextlib.contextmanager
def _again(held: int | None) -> Iterator[IO[bytes] | int]:
    """Open what was read, from its beginning; nothing where nothing was."""
    if held is None:
        yield subprocess.DEVNULL
        return
    with open(f"/proc/self/fd/{held}", "rb") as stream:  # noqa: PTH123
        yield stream


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have the signals that end a program end it in order: those that it has begun as well."""
    before = {
        one: signal.signal(one, _end)
        for one in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(one) is signal.SIG_DFL
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _end(number: int, _frame: FrameType | None) -> Never:
    raise SystemExit(128 + number)


def _reply_of(host: _Host, status: int) -> Any:
    try:
        return json.loads("\n".join(host.out))
    except ValueError:
        return {"error": host.complaint.removeprefix("clawctl: "), "exit_status": status}
