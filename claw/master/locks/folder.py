"""Locks in a folder that several masters reach: one record for each, written whole.

``NAME.json`` is the record (`claw.model.lock.Record`). It is read and replaced while
``NAME.mutex`` is held by flock(2), for an instant; a new one is written aside, synced and
renamed over it, so that no crash leaves half of one. The record of a free lock stays there: it
has the last fencing number.

On NFS that needs version 4, or version 3 with its lock daemon, and a mount without
``local_lock``: Linux then makes an flock(2) a lock of the server, and reads anew what was
written under it by another host.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import TypeVar

import trio

from claw.kernel import clock, files
from claw.master.locks.backend import Holder, LockTroubleError
from claw.model import lock
from claw.model.lock import Claimant, Grant, Locks, Record, Waiting

_PATIENCE_S = 5.0
_PAUSE_S = 0.01
_HANDLE_BYTES = 12
_MOST_BYTES = 1 << 16
_THREADS = 16

T = TypeVar("T")


class Folder:
    """The `Backend` in a folder."""

    def __init__(self, settings: Locks) -> None:
        """Take where it is."""
        self._folder = settings.folder.rstrip("/") or "/"
        self._waiting = Waiting()
        self._threads = trio.CapacityLimiter(_THREADS)  # a dead server must hang no others

    async def acquire(self, name: str, claimant: Claimant) -> Grant | Holder:
        """See `Backend`."""
        return await self._in_thread(partial(self._acquire, name, claimant))

    async def renew(self, name: str, claimant: Claimant, grant: Grant) -> bool:
        """See `Backend`."""
        return await self._in_thread(partial(self._renew, name, claimant, grant))

    async def release(self, name: str, grant: Grant) -> None:
        """See `Backend`."""
        await self._in_thread(partial(self._release, name, grant))

    async def look(self, name: str) -> Holder | None:
        """See `Backend`."""
        return await self._in_thread(partial(self._look, name))

    async def take_away(self, name: str) -> Holder | None:
        """See `Backend`."""
        return await self._in_thread(partial(self._take_away, name))

    async def _in_thread(self, call: Callable[[Event], T]) -> T:
        """Make a call that may hang; once nobody waits for it any more it changes nothing."""
        is_over = Event()

        def run() -> T:
            try:
                return call(is_over)
            except OSError as error:
                raise LockTroubleError(f"{self._folder}: {error.strerror or error}") from error

        try:
            return await trio.to_thread.run_sync(
                run, abandon_on_cancel=True, limiter=self._threads
            )
        finally:
            is_over.set()

    def _acquire(self, name: str, claimant: Claimant, is_over: Event) -> Grant | Holder:
        with self._mutex(name, is_over):
            old = self._read(name)
            may_take = self._waiting.is_over(name, old, clock.boottime())
            handle = clock.random(_HANDLE_BYTES).hex()
            new = lock.acquire(old, claimant, handle, is_over=may_take)
            if new is not None:
                self._write(name, new, is_over)
                return Grant(new.fence, new.handle)
        holder = _holder(old)
        assert holder is not None  # noqa: S101  else it would have been granted
        return holder

    def _renew(self, name: str, claimant: Claimant, grant: Grant, is_over: Event) -> bool:
        with self._mutex(name, is_over):
            record = lock.renew(self._read(name), grant.handle)
            if record is not None:
                self._write(name, replace(record, run=claimant.run), is_over)
        return record is not None

    def _release(self, name: str, grant: Grant, is_over: Event) -> None:
        with self._mutex(name, is_over):
            record = lock.release(self._read(name), grant.handle)
            if record is not None:
                self._write(name, record, is_over)

    def _look(self, name: str, _is_over: Event) -> Holder | None:
        os.close(files.open_folder(self._folder))  # one that is not there says nothing
        return _holder(self._read(name))

    def _take_away(self, name: str, is_over: Event) -> Holder | None:
        with self._mutex(name, is_over):
            record = self._read(name)
            if record.owner:
                self._write(name, Record(fence=record.fence), is_over)
        return _holder(record)

    @contextmanager
    def _mutex(self, name: str, is_over: Event) -> Iterator[None]:
        fd = files.open_lock(f"{self._folder}/{name}.mutex")
        try:
            deadline = clock.monotonic() + _PATIENCE_S
            while not files.try_lock(fd):
                if clock.monotonic() > deadline or is_over.is_set():
                    raise LockTroubleError(f"{self._folder}/{name}.mutex is held by somebody")
                time.sleep(_PAUSE_S)
            yield
        finally:
            os.close(fd)

    def _read(self, name: str) -> Record:
        path = f"{self._folder}/{name}.json"
        try:
            text, _facts = files.read_regular(path, _MOST_BYTES)
        except FileNotFoundError:
            return Record()
        try:
            return Record(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise LockTroubleError(f"{path} is no record of a lock: {error}") from error

    def _write(self, name: str, record: Record, is_over: Event) -> None:
        if is_over.is_set():  # and may have asked again: this call is none of its any more
            raise LockTroubleError("nobody waits for that any more")
        if record.owner:
            until = clock.now() + timedelta(seconds=record.lease_s)
            record = replace(record, until=until.isoformat())
        passing = f"{self._folder}/{name}.new"
        files.remove(passing)
        files.create_exclusive(passing, json.dumps(asdict(record)).encode())
        files.rename(passing, f"{self._folder}/{name}.json")


def _holder(record: Record) -> Holder | None:
    if not record.owner:
        return None
    until = datetime.fromisoformat(record.until) if record.until else None
    return Holder(
        owner=record.owner, host=record.host, run=record.run, fence=record.fence, until=until
    )
