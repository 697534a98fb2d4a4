"""One sleeper for all due times: the next slot of each schedule, the next delayed run.

It wakes when the earliest is due, when a schedule changes, and when the wall clock is set;
a hundred thousand schedules cost it one entry each in a heap, and nothing while it sleeps.
"""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import trio

from claw.errors import StoreError
from claw.kernel import alarm, clock
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider, Deciding
from claw.master.engine import armed, openhours, slots
from claw.master.engine import arming as arm
from claw.master.engine.dispatch import Claim  # noqa: TC001
from claw.master.engine.turn import Turn
from claw.model import arming
from claw.model.effect import DispatchAt, Reschedule
from claw.schedule.agenda import Agenda

_LOG = logging.getLogger("claw.ticker")
_STORE_PAUSE_S = 1.0
_ALL = ""
MOST_AT_ONCE = 250
"""Jobs in one decision: it takes a tenth of a second, and others want the writer too."""


@dataclass(frozen=True, slots=True)
class _Ahead:
    """Jobs whose slots are due together, and from when on these are armed."""

    first: datetime
    until: datetime
    names: Sequence[str]
    begins: datetime


def _look_again(turn: Turn) -> None:
    """Have all be looked at that hangs on the time of day: the clock may have been set."""
    openhours.look_again(turn)
    armed.withdraw(turn, "the clock was set, or the configuration has changed")


class Ticker:
    """Has the rows of slots written as they fall due, and wakes the dispatcher for the rest."""

    def __init__(self, store: AsyncStore, decide: Decider, fall_due: Deciding) -> None:
        """Begin with all jobs to be looked at.

        Args:
            store: The store.
            decide: Makes decisions.
            fall_due: Makes those about slots that are due, whose runs may begin at once.
        """
        self._store = store
        self._decide = decide
        self._fall_due = fall_due
        self._agenda = Agenda()
        self._changed: set[str] = {_ALL}
        self._run_due: datetime | None = None
        self._wait_over: datetime | None = None
        self._wake = trio.Event()
        self._armed: dict[str, datetime] = {}  # by job, the slots whose runs are
        self._armed_through: datetime | None = None  # slots up to then are not armed any more
        self.on_run_due: Callable[[], None] = lambda: None
        self.may_arm: Callable[[], bool] = lambda: True
        self.on_armed: Callable[[tuple[Claim, ...]], None] = lambda _claims: None

    def expect(self, effect: DispatchAt | Reschedule) -> None:
        """Take note of what a decision has changed."""
        if isinstance(effect, Reschedule):
            self.reschedule(effect.job)
        else:
            self.expect_wait_over(effect.at)

    def reschedule(self, job: str) -> None:
        """The due times of a job have changed; '' stands for all jobs."""
        self._changed.add(job)
        self._wake.set()

    def expect_run(self, at: datetime | None) -> None:
        """Take note of when the next delayed run is due."""
        if at != self._run_due:
            self._run_due = at
            self._wake.set()

    def expect_wait_over(self, at: datetime) -> None:
        """Take note of when some wait is over; the earliest counts, then all are told anew."""
        if self._wait_over is None or at < self._wait_over:
            self._wait_over = at
            self._wake.set()

    def next_at(self, job: str) -> datetime | None:
        """Return the next slot of a job."""
        return self._armed.get(job) or self._agenda.of(job)

    async def serve(self) -> None:
        """Tick until cancelled."""
        fd = alarm.open_alarm()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, fd)
                while True:
                    self._wake = trio.Event()
                    await self._tick_or_wait()
                    alarm.set_alarm(fd, self._earliest())
                    await self._wake.wait()
        finally:
            os.close(fd)

    async def _listen(self, fd: int) -> None:
        """Hear the alarm; a clock that was set makes everything due be looked at anew."""
        while True:
            await trio.lowlevel.wait_readable(fd)
            if alarm.take_ring(fd):
                _LOG.info("the clock was set")
                self._changed.add(_ALL)
                self._armed_through = None
                self.on_run_due()  # what was due may be to come, and what is to come due
            self._wake.set()

    async def _tick_or_wait(self) -> None:
        """Write what is due; a store that fails is asked again after a pause."""
        while True:
            try:
                await self._tick()
                await self._arm()
            except StoreError as error:
                _LOG.error("due times cannot be stored: %s", error)
                await trio.sleep(_STORE_PAUSE_S)
            else:
                return

    async def _tick(self) -> None:
        changed, self._changed = self._changed, set()
        try:
            if _ALL in changed:
                await self._look_at_all()
                changed.discard(_ALL)
            self._leave_for_later(changed)
            changed |= self._agenda.take_due(clock.now(), MOST_AT_ONCE - len(changed))
            names = sorted(changed)
            for name in names:
                self._armed.pop(name, None)
            if names:
                self._agenda.update(await self._fall_due(lambda turn: slots.tick(turn, names)))
        except StoreError:
            self._changed |= changed
            raise
        now, slot = clock.now(), self._agenda.earliest()
        if self._changed or (slot is not None and slot <= now):
            self._wake.set()  # the rest, once others had their turn
        if self._run_due is not None and self._run_due <= now:
            self._run_due = None
            self.on_run_due()
        if self._wait_over is not None and self._wait_over <= now:
            self._wait_over = None
            self.on_run_due()

    async def _arm(self) -> None:
        """Have what is due together in a moment claimed and launched, to wait for its time."""
        ahead = self._ahead()
        if ahead is None or clock.now() < ahead.begins:
            return
        self._armed_through = ahead.until
        if clock.now() + arming.LATEST > ahead.first or not self.may_arm():
            return
        try:
            claims = await self._decide(lambda turn: arm.arm(turn, ahead.names, ahead.until))
        except StoreError as error:
            _LOG.error("nothing is begun ahead: %s", error)
            return
        self.on_armed(claims)
        slots_of = {claim.run.job: claim.run.due_at for claim in claims}
        self._armed |= slots_of
        self._agenda.update({job: at + arming.SETTLED for job, at in slots_of.items()})

    def _ahead(self) -> _Ahead | None:
        """Return what is due together next, if it is to be armed."""
        first, through = self._agenda.earliest(), self._armed_through
        if first is None or (through is not None and first <= through):
            return None
        until = first + arming.TOGETHER
        names = self._agenda.until(until, arming.MOST_LOOKED_AT)
        if len(names) < arming.FEWEST:
            return None
        return _Ahead(first, until, names, first - arming.lead(len(names)))

    def _leave_for_later(self, names: set[str]) -> None:
        """Take out of some names those that are too many for one decision."""
        later = set(sorted(names)[MOST_AT_ONCE:])
        names -= later
        self._changed |= later

    async def _look_at_all(self) -> None:
        await self._decide(_look_again)
        config = self._decide.config()
        found = await self._store.read(lambda tx: slots.next_slots(tx, config, clock.now()))
        self._agenda.replace(found)
        self._armed.clear()

    def _earliest(self) -> float | None:
        """Return when to wake, in seconds of wall time."""
        ahead = self._ahead()
        begins = None if ahead is None else ahead.begins
        waited_for = (self._agenda.earliest(), begins, self._run_due, self._wait_over)
        times = [at for at in waited_for if at is not None]
        return min(times).timestamp() if times else None
