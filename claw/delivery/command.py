"""Messages to a program: JSON on its standard input, the most of it in its environment."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from functools import partial

import trio

from claw.delivery.sending import Children, NotTakenError, Outgoing
from claw.kernel import memory, process
from claw.kernel.causes import reason

_INHERITED = ("CLAW_HOME", "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TZ", "USER")
_TAIL_BYTES = 2000
_PIPE_BYTES = 1 << 16
_SHOWN = 200
_LONGEST_VALUE = 32 << 10
_CLOSING_S = 5.0


class CommandSender:
    """See the module."""

    def __init__(
        self, argv: tuple[str, ...], children: Children, environment: Mapping[str, str]
    ) -> None:
        """Take what to run.

        Args:
            argv: The program and its arguments.
            children: Reaps it.
            environment: The daemon's.
        """
        self._argv = argv
        self._children = children
        self._env = {name: environment[name] for name in _INHERITED if name in environment}

    async def send(self, outgoing: Outgoing) -> None:
        """Run it; 0 is yes. Cancelled, it is killed with its process group."""
        reading, writing = os.pipe()
        output = trio.lowlevel.FdStream(reading)
        try:
            with self._children.starting():
                child = await trio.to_thread.run_sync(partial(self._start, outgoing, writing))
                self._children.own(child.pid)
        except BaseException:
            await trio.aclose_forcefully(output)
            raise
        finally:
            os.close(writing)
        tail = bytearray()
        try:
            async with output:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_read_tail, output, tail)
                    status = await self._children.reap_own(child)
                    nursery.cancel_scope.cancel()
                _read_rest(reading, tail)
        finally:
            if child.returncode is None:
                process.kill_group(child.pid, signal.SIGKILL)
                with trio.CancelScope(shield=True), trio.move_on_after(_CLOSING_S):
                    await self._children.reap_own(child)
        if status != 0:
            raise NotTakenError(_how(status, bytes(tail)))

    async def close(self) -> None:
        """Nothing is held."""

    def _start(self, outgoing: Outgoing, writing: int) -> "subprocess.Popen[bytes]":
        told = memory.shared("message", outgoing.as_json() + b"\n")
        try:
            os.lseek(told, 0, os.SEEK_SET)
            return subprocess.Popen(  # noqa: S603
                self._argv,
                stdin=told,
                stdout=writing,
                stderr=writing,
                cwd="/",
                env=self._env | _told_in_environment(outgoing),
                start_new_session=True,
            )
        except OSError as error:
            raise NotTakenError(f"{self._argv[0]}: {reason(error)}") from error
        finally:
            os.close(told)


async def _read_tail(stream: trio.lowlevel.FdStream, tail: bytearray) -> None:
    while piece := await stream.receive_some(_TAIL_BYTES):
        tail += piece
        del tail[:-_TAIL_BYTES]


def _read_rest(fd: int, tail: bytearray) -> None:
    """Read what a child that has ended has left in its pipe; others may still write there."""
    with contextlib.suppress(BlockingIOError):
        if piece := os.read(fd, _PIPE_BYTES):
            tail += piece


def _told_in_environment(outgoing: Outgoing) -> dict[str, str]:
    message = outgoing.message
    told = {
        "CLAW_EVENT_TYPE": message.get("type"),
        "CLAW_JOB": message.get("job"),
        "CLAW_RUN": message.get("run"),
        "CLAW_KIND": message.get("kind"),
        "CLAW_SUBJECT": outgoing.subject,
        "CLAW_TEXT": outgoing.text,
        "CLAW_TO": outgoing.to,
        "CLAW_CHANNEL": outgoing.channel,
        "CLAW_DELIVERY_ID": outgoing.key,
        "CLAW_TRY": outgoing.attempt,
    }
    return {name: _value(value) for name, value in told.items() if value is not None}


def _value(value: object) -> str:
    """Return what an environment can hold of a value."""
    data = str(value).replace("\0", "").encode(errors="replace")[:_LONGEST_VALUE]
    return data.decode(errors="ignore")


def _how(status: int, tail: bytes) -> str:
    how = f"signal {-status}" if status < 0 else f"exit {status}"
    said = " ".join(tail.decode(errors="replace").split())
    return f"the command ended with {how}" + (f": {said[-_SHOWN:]}" if said else "")
