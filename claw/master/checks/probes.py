"""One look at a child from outside. Each returns None when all is well, else why not.

What keeps claw itself from looking is no fault of the child: then `NoLookError` is raised.
"""

import importlib
import math
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import trio

from claw.errors import ClawError
from claw.kernel import clock, process
from claw.kernel.causes import reason
from claw.master.checks.reasons import NoLookError, fault
from claw.master.checks.subject import Subject
from claw.master.confidant import Confidant
from claw.model.checks import Health, HealthType, Probe
from claw.model.units import format_duration
from claw.secrets.resolving import UnresolvedError
from claw.wire.supervision import Message

_GRAIN = timedelta(seconds=1)
"""A file system's times may be so coarse."""
_SHOWN = 200
_STILL = {b"T": "it stands still (SIGSTOP)", b"t": "a debugger holds it"}
ANSWER_S = 5.0
"""A supervisor is given so much more to say how a command ended."""

Call = Callable[..., Awaitable[Message]]
"""Asks a supervisor something: (sid, patience_s=, op=, ...)."""
Look = Callable[[Subject, float], Awaitable[str | None]]


class Probes:
    """All kinds of looks; the one for HTTP is loaded when the first is wanted."""

    def __init__(self, call: Call, confidant: Confidant) -> None:
        self._call = call
        self._confidant = confidant
        self._http: Callable[[Probe], Awaitable[str | None]] | None = None
        self._threads: dict[str, trio.CapacityLimiter] = {}  # by path
        self._looks: dict[str, Look] = {
            str(HealthType.PROCESS): self._process,
            str(HealthType.HTTP): self._get,
            str(HealthType.TCP): self._connect,
            str(HealthType.FILE): self._file,
            str(HealthType.EXEC): self._exec,
        }

    async def look(self, subject: Subject, timeout_s: float) -> str | None:
        """Look once, for so long at most.

        Raises:
            NoLookError: That could not be done; what is looked at may well be well.
        """
        kind = str(subject.check.type)
        is_timed_there = kind == HealthType.EXEC  # by the supervisor
        with trio.move_on_after(math.inf if is_timed_there else timeout_s):
            try:
                found = await self._looks[kind](subject, timeout_s)
                return None if found is None else self._confidant.redactor.mask(found)
            except (OSError, RuntimeError) as error:  # "can't start new thread"
                raise NoLookError(reason(error)) from error
        return f"no answer within {format_duration(timeout_s)}"

    async def _process(self, subject: Subject, _timeout_s: float) -> str | None:
        fields = process.read_stat(subject.pid)
        if fields is None or process.says_ended(fields):
            return "it has ended"
        return _STILL.get(fields[0])

    async def _get(self, subject: Subject, _timeout_s: float) -> str | None:
        if self._http is None:
            self._http = importlib.import_module("claw.master.checks.http").Getter().get
        probe = subject.check.probe
        try:
            url = await self._confidant.fill_url(probe.url, user=subject.user)
        except UnresolvedError as error:
            raise NoLookError(error.message) from error
        return await self._http(probe if url == probe.url else replace(probe, url=url))

    async def _connect(self, subject: Subject, _timeout_s: float) -> str | None:
        address = subject.check.probe.address
        try:
            if address.startswith("/"):
                stream: trio.SocketStream = await trio.open_unix_socket(address)
            else:
                host, _, port = address.rpartition(":")
                stream = await trio.open_tcp_stream(host.strip("[]"), int(port))
        except OSError as error:
            return fault(address, error)
        await trio.aclose_forcefully(stream)
        return None

    async def _file(self, subject: Subject, _timeout_s: float) -> str | None:
        """Look at a file's age, in a thread: a dead network file system answers never."""
        path = os.path.join(subject.cwd, subject.check.probe.path)  # noqa: PTH118
        limiter = self._threads.setdefault(path, trio.CapacityLimiter(1))
        try:
            found = await trio.to_thread.run_sync(
                os.stat, path, abandon_on_cancel=True, limiter=limiter
            )
        except OSError as error:
            return fault(path, error)
        finally:
            if not limiter.borrowed_tokens:  # else a thread hangs, and another would too
                self._threads.pop(path, None)
        return _age_of(path, found.st_mtime, subject)

    async def _exec(self, subject: Subject, timeout_s: float) -> str | None:
        """Have the supervisor run the job's command; it watches the time itself."""
        what = "health" if isinstance(subject.check, Health) else "ready"
        patience_s = timeout_s + ANSWER_S
        try:
            answer = await self._call(
                subject.sid, patience_s=patience_s, op="perform", what=what,
                timeout_s=timeout_s, attempt=subject.attempt,
            )  # fmt: skip
        except ClawError as error:
            raise NoLookError(error.message) from error
        return _ending(answer, timeout_s)


def _age_of(path: str, written_at: float, subject: Subject) -> str | None:
    most_s = subject.check.probe.max_age_s
    if most_s is None:
        is_new = written_at >= (subject.started_at - _GRAIN).timestamp()
        return None if is_new else f"{path}: not written since the process was started"
    age_s = clock.wall() - written_at
    if age_s <= most_s:
        return None
    return f"{path}: written {format_duration(round(age_s))} ago"


def _ending(answer: Message, timeout_s: float) -> str | None:
    if answer.get("timed_out"):
        return f"the command took longer than {format_duration(timeout_s)}"
    if answer.get("code") == 0:
        return None
    code, signal = answer.get("code"), answer.get("signal")
    how = f"exit {code}" if signal is None else f"signal {signal}"
    said = " ".join(str(answer.get("output") or "").split())
    return f"the command ended with {how}" + (f": {said[-_SHOWN:]}" if said else "")
