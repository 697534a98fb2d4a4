"""A launch that waits for its time: all is ready, and only the child is still to begin.

The master claims what is due in a moment and has it launched ahead, so that many jobs of one
second need not be forked all at once. Until the time nothing is in the journal: one that is
killed meanwhile has begun nothing, and its replacement waits as it did.

Here is decided what becomes of it, by one process that does one thing at a time: it begins
when its time has come by the wall clock, never before; or it is withdrawn, as the master asks
or because the clock was set, and then that is the only line of its journal, and there is no
launch file any more: the attempt may be begun by another. So the launch file says whether it
may begin, and a replacement looks there first: of one that was withdrawn the journal may not
tell yet, or no longer.
"""

from claw.kernel import alarm, files, signals, ticks
from claw.kernel.bare import os
from claw.supervisor import entries, swift
from claw.supervisor.case import Case

_RETRY_S = 0.1
"""Pause before a line is written again that the disk refused."""
_READ_S = 2.0
"""So long the master may take to read that a launch was withdrawn."""
CLOCK = "the clock was set"
GONE = "its launch file is gone"
PASSED = "its time passed before it was there"
_LATE_S = 5.0
"""So late the master decides by the job's catch-up whether it begins (`model.catchup`)."""


class Armed:
    """Holds a case back until its time."""

    __slots__ = ("_case", "_fd", "_is_waiting", "_why")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._fd = -1
        self._is_waiting = False
        self._why = ""  # it is to be withdrawn
        case.withdraw = self._withdraw

    def wait(self) -> bool:
        """Wait for the time to begin; False: the launch has been withdrawn."""
        launch = self._case.launch
        if not launch.begin_at:
            return True
        self._is_waiting = True
        late_s = ticks.wall() - launch.begin_at
        if not self._is_wanted():
            self._withdraw(GONE)
        elif late_s >= _LATE_S:
            self._withdraw(PASSED)
        elif late_s < 0:
            self._prepare()
        while self._is_waiting and not self._is_due():
            self._turn()
        self._close()
        is_due, self._is_waiting = self._is_waiting, False
        return is_due

    def _prepare(self) -> None:
        """Have all ready for the begin, and the time be told."""
        case = self._case
        if swift.suits(case) and not case.tree.is_shared:
            case.tree.share()
        try:
            self._set()
            case.loop.watch(self._fd, self._on_ring)
        except OSError as error:  # it could not be told when the clock is set
            self._withdraw(str(error))

    @property
    def _launch_file(self) -> str:
        launch = self._case.launch
        return f"{launch.launch_dir}/{launch.run}.{launch.attempt}"

    def _is_wanted(self) -> bool:
        """Tell whether the launch file is there and ours, as `child.claim` has it.

        Raises:
            OSError: It cannot be read: nobody knows, and nothing begins.
        """
        try:
            holder = files.read_all(self._launch_file)
        except FileNotFoundError:
            return False
        return holder in (b"", self._case.launch.sid.encode())

    def _is_due(self) -> bool:
        if not self._why and ticks.wall() >= self._case.launch.begin_at:
            self._on_ring()  # it may be so because the clock was set
            return not self._why
        return False

    def _turn(self) -> None:
        deadline_b = ticks.boottime() + _RETRY_S if self._why else None
        try:
            self._case.loop.turn(deadline_b)
        except OSError:  # what a ready descriptor says: it is no time to begin anything
            ticks.sleep(_RETRY_S)
        if self._why:
            self._withdraw(self._why)

    def _set(self) -> None:
        if self._fd < 0:
            self._fd = alarm.open_alarm()
        alarm.set_alarm(self._fd, self._case.launch.begin_at)

    def _on_ring(self) -> None:
        if self._fd >= 0 and alarm.take_ring(self._fd):
            self._withdraw(CLOCK)
        elif ticks.wall() < self._case.launch.begin_at:  # the kernel counts more finely
            self._set()

    def _withdraw(self, why: str) -> bool:
        """Have nothing begin, and that on record as soon as may be; False: it is too late."""
        if not self._is_waiting:
            return bool(self._why)
        case = self._case
        self._why = why
        try:
            # In this order: the attempt is free before anybody can know that it is.
            if self._is_wanted():
                files.remove(self._launch_file)
        except OSError:
            return True  # it is tried again, and begins in no case
        case.free = str
        self._is_waiting = False
        try:
            case.write(entries.withdrawn(case.launch, why), durable=True)
        except OSError:
            return True  # no journal says as much, see `leave`
        return True

    def step_back(self) -> None:
        """Leave the processor to those that begin at the same time.

        The end of its child can wait, and what that prints; a stop cannot, nor a timeout.

        Raises:
            OSError: What a ready descriptor says: it is no time to rest.
        """
        case = self._case
        rest_s = case.launch.begin_at + case.launch.crowd_s - ticks.wall()
        if not 0 < rest_s <= case.launch.crowd_s:
            return
        until_b = ticks.boottime() + rest_s
        end_b = min(until_b, case.state.timeout_b or until_b)
        for stream in case.streams:
            stream.rest(until_b)
        kept = signals.hold(signals.SIGCHLD)
        try:
            while case.state.stop is None and ticks.boottime() < end_b:
                case.loop.turn(end_b)
        finally:
            signals.unblock(kept)
            for stream in case.streams:
                stream.retry(until_b)

    def leave(self) -> None:
        """Wait until the master has read that it was withdrawn, and take the spool away.

        One who finds none, and no launch file, knows as much.
        """
        until_b = ticks.boottime() + _READ_S
        while self._case.control.peers and ticks.boottime() < until_b:
            try:
                self._case.loop.turn(until_b)
            except OSError:
                break
        files.remove_folder(self._case.launch.spool)

    def _close(self) -> None:
        if self._fd >= 0:
            self._case.loop.forget(self._fd)
            os.close(self._fd)
            self._fd = -1
