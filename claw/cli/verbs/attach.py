"""``attach``: what is typed goes to a job, what it says is shown."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty

from claw.cli import terminal
from claw.client.client import await_master
from claw.client.connection import LostConnectionError
from claw.client.stream import Stream
from claw.errors import ClawError
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.cli.context import Context

DETACH = b"\x1d"
"""^], as in telnet(1)."""
_CHUNK_BYTES = 4096
_AGAIN_S = 0.05
_LAST_WORDS_S = 0.5


def attach(context: Context) -> int:
    """Type at a job until the detach key, the end of what is to be typed, or the job's end."""
    connection = await_master(context.home.control_socket, 0.0)
    with contextlib.closing(Stream(connection)) as stream:
        child = stream.subscribe("job.attach", target=context.args["target"])
        stream.subscribe("log.follow", targets=[child["run"]], lines=0)
        return _Attached(stream, child).serve()


class _Attached:
    """One terminal, or one pipe, attached to one child."""

    def __init__(self, stream: Stream, child: dict[str, Any]) -> None:
        self._stream = stream
        self._child = child
        self._in_fd = sys.stdin.fileno()
        self._is_raw = bool(child["tty"]) and os.isatty(self._in_fd)
        self._typed = b""
        self._is_done = False  # nothing more will be typed
        self._resized_fd = -1  # readable once this terminal has another size

    def serve(self) -> int:
        """Pass on both ways; whatever happens, the terminal is as it was afterwards."""
        try:
            with _raw(self._in_fd) if self._is_raw else contextlib.nullcontext():
                status = self._loop()
        except KeyboardInterrupt:
            status = 0
        except LostConnectionError:
            terminal.note("the daemon has gone; the job runs on")
            status = 1
        if self._is_raw:
            terminal.note("")
            terminal.note("detached")
        return status

    def _loop(self) -> int:
        with self._resizing():
            return self._pass_on()

    def _pass_on(self) -> int:
        patience_s: float | None
        while True:
            if self._typed and not self._send():
                patience_s = _AGAIN_S
            else:
                patience_s = _LAST_WORDS_S if self._is_done else None
            if not self._show():  # what came while an answer was awaited
                return 0
            waiting: list[Any] = [self._stream]
            waiting += [] if self._is_done or self._typed else [self._in_fd]
            waiting += [self._resized_fd] if self._resized_fd >= 0 else []
            ready = select.select(waiting, [], [], patience_s)[0]
            if self._resized_fd in ready:
                os.read(self._resized_fd, _CHUNK_BYTES)
                self._resize()
            if self._stream in ready and not self._show():
                return 0
            if self._in_fd in ready and not self._read():
                return 0
            if not ready and self._is_done and not self._typed:
                return 0

    def _read(self) -> bool:
        """Take in what is typed; False: that was the detach key."""
        data = os.read(self._in_fd, _CHUNK_BYTES)
        if self._is_raw and DETACH in data:
            self._typed = data.partition(DETACH)[0]
            self._send()
            return False
        self._is_done = not data
        self._typed = data
        return True

    def _send(self) -> bool:
        """Send what was typed; False: there was no room for some of it."""
        data = self._typed.decode("latin-1")
        taken = self._stream.subscribe("job.type", run=self._child["run"], data=data)["taken"]
        self._typed = self._typed[taken:]
        return not self._typed

    def _show(self) -> bool:
        """Show what the job has said; False: it says no more."""
        told = self._stream.next(0.0)
        while told is not None:
            if isinstance(told, Notification):
                if told.method == "end":
                    return False
                if told.method == "log":
                    terminal.write(told.params["text"])
            told = self._stream.next(0.0)
        terminal.flush()
        return True

    @contextlib.contextmanager
    def _resizing(self) -> Iterator[None]:
        """Have the job's terminal be as large as this one, now and whenever that changes."""
        if not self._is_raw:
            yield
            return
        self._resized_fd, writing = os.pipe()
        os.set_blocking(writing, False)
        old_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        old = signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
        try:
            self._resize()
            # Whoever reads this may type: the terminal is raw, and the job's is as large.
            terminal.note(f"attached to {self._child['job']}: ^] to leave\r")
            yield
        finally:
            signal.signal(signal.SIGWINCH, old)
            signal.set_wakeup_fd(old_fd)
            os.close(self._resized_fd)
            os.close(writing)

    def _resize(self) -> None:
        size = os.get_terminal_size(self._in_fd)
        with contextlib.suppress(ClawError):
            self._stream.subscribe(
                "job.resize", run=self._child["run"], rows=size.lines, columns=size.columns
            )


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Have every key come as it is; a signal that ends this program comes through cleanly."""
    old = termios.tcgetattr(fd)

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    ending = (signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.signal(number, leave) for number in ending]
    try:
        tty.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, old)
        for number, handler in zip(ending, handlers, strict=True):
            signal.signal(number, handler)
