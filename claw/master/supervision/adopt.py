"""A new master finds out what became of everything while there was none.

The order of trust is from durable to live: the database, the journals, then the kernel
(lock, heartbeat, boot id). Journals are read first, so whatever finished meanwhile is
settled by its own ``exited`` line; the rest is judged by `claw.master.supervision.verdict`.
"""

import logging
import os
import shutil
import signal
from dataclasses import dataclass

import trio

from claw.kernel import clock, files, pidfd, process
from claw.master.decider import Decider
from claw.master.engine import armed, journal, rebuild, services
from claw.master.engine.turn import Turn
from claw.master.supervision.evidence import Evidencing
from claw.master.supervision.fostering import Fostering
from claw.master.supervision.journals import Gist, apply_from, read_gist
from claw.master.supervision.links import Links
from claw.master.supervision.spools import journal_sizes, read_spools
from claw.master.supervision.verdict import Verdict, judge
from claw.model.home import Home
from claw.model.run import Run, State, Supervisor
from claw.supervisor import swift
from claw.wire import supervision

_LOG = logging.getLogger("claw.adopt")
_GONE_S = 5.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A supervisor whose run is not over, as the database has it."""

    supervisor: Supervisor
    run: Run


def unsettled(turn: Turn) -> tuple[Unsettled, ...]:
    """Return the supervisors that are not closed, with their runs."""
    found = turn.tx.open_supervisors()
    pairs = ((one, turn.tx.run(one.run)) for one in found)
    return tuple(Unsettled(one, run) for one, run in pairs if run is not None)


def tell_again(turn: Turn) -> None:
    """Name what supervisors are to be told that may not have been."""
    journal.pending_stops(turn)
    armed.withdraw(turn, "another master has begun")


class Adoption:
    """Decides about every unsettled attempt at the start of a master."""

    def __init__(
        self,
        home: Home,
        decide: Decider,
        evidencing: Evidencing,
        fostering: Fostering,
        links: Links,
    ) -> None:
        self._home = home
        self._decide = decide
        self._evidencing = evidencing
        self._fostering = fostering
        self._links = links

    async def adopt(self, nursery: trio.Nursery) -> int:
        """Decide about all of them; followers run in ``nursery``. Return how many live."""
        await self._fostering.wait_idle()
        await self._read_unknown()
        for one in await self._decide(unsettled):
            await self._read_journal(one.supervisor)
        adopted = 0
        for one in await self._decide(unsettled):
            adopted += await self._judge(one, nursery)
        await self._decide(tell_again)
        return adopted

    async def _read_unknown(self) -> None:
        """Take in the spools that the database does not know."""
        sizes = journal_sizes(self._home)
        unknown = await self._decide(lambda turn: rebuild.unknown(turn, sizes))
        spools = list(read_spools(self._home, unknown))
        strange = await self._decide(lambda turn: rebuild.news(turn, spools))
        if strange:
            _LOG.error("the database does not know %d journals: it has gone back", len(strange))
            news = await self._evidencing.look_into(strange)
            await self._decide(lambda turn: rebuild.catch_up_with(turn, news))

    async def _read_journal(self, supervisor: Supervisor) -> None:
        path = f"{self._home.spool}/{supervisor.sid}/journal"
        await apply_from(path, supervisor.sid, supervisor.offset, self._evidencing.apply)

    async def _judge(self, one: Unsettled, nursery: trio.Nursery) -> bool:
        sid, run = one.supervisor.sid, one.run
        spool = f"{self._home.spool}/{sid}"
        records = f"{self._home.launches}/{run.id}.{run.attempt}", f"{spool}/journal"
        is_held = files.is_locked(f"{spool}/lock")
        verdict = judge(
            is_held=is_held,
            is_known=not is_held and await self._fostering.knows(sid),
            # Only a claim can be: a run that is active waits in backoff without a file.
            is_unlaunched=run.state is State.CLAIMED and not any(map(files.exists, records)),
        )
        if verdict is Verdict.ADOPT:
            nursery.start_soon(self._links.watch, sid, one.supervisor.offset)
            return True
        # What it wrote last, it may have written since its journal was read.
        await self._read_journal(one.supervisor)
        if not await self._is_unsettled(sid):
            return False
        if verdict is Verdict.REQUEUE:
            await self._decide(lambda turn: journal.never_launched(turn, run.id, run.attempt))
            return False
        if await self.lose(sid):
            return False
        nursery.start_soon(self._links.watch, sid, one.supervisor.offset)
        return True

    async def _is_unsettled(self, sid: str) -> bool:
        return any(one.supervisor.sid == sid for one in await self._decide(unsettled))

    async def lose(self, sid: str) -> bool:
        """A supervisor is gone for good: end what is left of its child, then say so.

        All under the supervisor's own lock, and with a last line in its journal, so that a
        replacement that comes late finds its run ended, and leaves.

        Returns:
            False when it is not lost: someone holds the lock, or has written the end.
        """
        files.make_folder(f"{self._home.spool}/{sid}")
        lock_fd = files.open_lock(f"{self._home.spool}/{sid}/lock")
        try:
            if not files.try_lock(lock_fd):
                return False
            path = f"{self._home.spool}/{sid}/journal"
            gist = await trio.to_thread.run_sync(read_gist, path)
            if await self._has_end(sid, path):
                return False
            is_unsaid = not gist.has_begun or await self._is_of_another(sid, gist)
            # A host that went down may have taken along what the journal said last.
            is_unbegun = is_unsaid and not await self._decide(services.has_booted)
            if not is_unbegun or not await self._put_back(sid, gist):
                await self._bury(sid, gist)
        finally:
            os.close(lock_fd)
        return True

    async def _has_end(self, sid: str, path: str) -> bool:
        """Tell whether a journal has an end that is still to be taken in.

        One that has been taken in, and after which the run goes on, was of a run before it: of
        this one the journal may say nothing, if the host went down before it was on disk.
        """
        found = [one for one in await self._decide(unsettled) if one.supervisor.sid == sid]
        offset = found[0].supervisor.offset if found else 0
        return (await trio.to_thread.run_sync(read_gist, path, offset)).is_ended

    async def _is_of_another(self, sid: str, gist: Gist) -> bool:
        """Tell whether a journal says nothing of the claim, only of runs before it."""
        found = [one.run for one in await self._decide(unsettled) if one.supervisor.sid == sid]
        return any(
            run.state is State.CLAIMED and gist.launched != (run.id, run.attempt)
            for run in found
        )

    async def _put_back(self, sid: str, gist: Gist) -> bool:
        """A launch was cut short, and nothing of it has begun: the run is queued again.

        Returns:
            False when it cannot be: the run is further, or the launch file is another's.
        """
        found = [one for one in await self._decide(unsettled) if one.supervisor.sid == sid]
        if not found or found[0].run.state is not State.CLAIMED:
            return False
        run = found[0].run
        path = f"{self._home.launches}/{run.id}.{run.attempt}"
        if files.exists(path) and files.read_all(path) not in {b"", sid.encode()}:
            return False
        files.remove(path)
        await self._decide.patiently(
            lambda turn: journal.never_launched(turn, run.id, run.attempt)
        )
        if not gist.has_begun:
            shutil.rmtree(f"{self._home.spool}/{sid}", ignore_errors=True)
        return True

    async def _bury(self, sid: str, gist: Gist) -> None:
        _LOG.warning("supervisor %s is gone, and nobody took over its child", sid)
        same_boot = gist.boot == clock.boot_id()
        child = gist.child or await trio.to_thread.run_sync(_unrecorded, gist)
        if same_boot and child is not None:
            await self._end_leftovers(*child)
        why = "its supervisor was lost" if same_boot else "the host went down"
        await self._decide.patiently(lambda turn: journal.lost(turn, sid, why))
        self._write_end(sid)
        self._evidencing.forget(sid)

    def _write_end(self, sid: str) -> None:
        last = {"ev": "ended", "at": clock.wall(), "b": clock.boottime(), "why": "exit"}
        line = supervision.encode({**last, "attempt": 0, "by": "claw"})
        try:
            fd = files.open_append(f"{self._home.spool}/{sid}/journal")
            try:
                files.append(fd, b"\n" + line)  # what was there may be torn
            finally:
                os.close(fd)
        except OSError as error:
            _LOG.error("the journal of %s cannot be ended: %s", sid, error)

    async def _end_leftovers(self, pid: int, start: int) -> None:
        """Kill a child that nobody can supervise any more, so that none runs beside it."""
        victims = await _found_of(pid, start)
        fds = [fd for one in victims if (fd := _open(one)) is not None]
        try:
            for fd in fds:
                pidfd.send_signal(fd, signal.SIGKILL)
            with trio.move_on_after(_GONE_S):
                for fd in fds:
                    await trio.lowlevel.wait_readable(fd)
        finally:
            for fd in fds:
                os.close(fd)


def _unrecorded(gist: Gist) -> tuple[int, int] | None:
    """Look for a child whose begin nobody has lived to put on record."""
    if gist.launched is None:
        return None
    return swift.find_anywhere(*gist.launched, gist.supervisors)


async def _found_of(pid: int, start: int) -> list[int]:
    """Return a process and its descendants as soon as they can be told; []: it has gone."""
    while True:
        try:
            return [pid, *process.descendants_of(pid)] if pidfd.is_alive(pid, start) else []
        except OSError as error:
            _LOG.error("what is left of a run cannot be found, trying again: %s", error)
            await trio.sleep(_PAUSE_S)


def _open(pid: int) -> int | None:
    try:
        return pidfd.open_pid(pid)
    except OSError:
        return None
