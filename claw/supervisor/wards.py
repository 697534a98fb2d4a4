"""The runs that a fork server looks after: it forks their supervisors and replaces them.

A supervisor that it has forked is its child, and says by exit status 0 that its run is over.
One that it fosters, because its own fork server has died, is not: whenever that one is gone
it is replaced, and a replacement that finds the run's end on record leaves at once. Nobody
is doubled by that: who supervises holds the lock of the spool, and others wait for it.
"""

import sys

from claw.kernel import channel, files, memory, pidfd, process, signals, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor.handed import Handed
from claw.supervisor.loop import Loop
from claw.supervisor.main import Supervisor
from claw.supervisor.orphans import RETRY_S, Orphans
from claw.supervisor.ward import Ward
from claw.wire.lines import LineSplitter
from claw.wire.supervision import MEMORY, Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DEATHS_IN_A_ROW = 20
_DEATHS_WITHIN_S = 2.0
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 30.0
_HEALTHY_S = 60.0
"""A supervisor that has lived so long did not die of what killed the one before."""


class Wards:
    """All wards, by the id of their supervisor."""

    __slots__ = ("_loop", "_on_gone", "_open_files", "_pid", "all", "orphans")

    def __init__(
        self, loop: Loop, open_files: tuple[int, int], on_gone: "Callable[[str], None]"
    ) -> None:
        self._loop = loop
        self._open_files = open_files
        self._on_gone = on_gone
        self._pid = os.getpid()
        self.all: dict[str, Ward] = {}
        self.orphans = Orphans(loop, self.all)

    def next_deadline(self) -> float | None:
        """Return when `retry` has something to do."""
        times = [ward.retry_b for ward in self.all.values() if ward.retry_b is not None]
        return min(times, default=None)

    def retry(self) -> None:
        """Do again what could not be done when it was due; what fails is due once more."""
        now_b = ticks.boottime()
        for ward in tuple(self.all.values()):
            if ward.retry_b is None or now_b < ward.retry_b:
                continue
            try:
                self._retry(ward, now_b)
            except OSError:
                ward.retry_b = now_b + RETRY_S

    def _retry(self, ward: Ward, now_b: float) -> None:
        if ward.pid:
            self.orphans.watch(ward, ward.watched, ward.watched_start)
        elif ward.is_unseen and files.is_locked(f"{ward.spool}/lock"):
            ward.retry_b = now_b + RETRY_S  # it lives, and will say who it is
        else:
            self._replace(ward)

    # -- who comes ---------------------------------------------------------------------

    def begin(self, ward: Ward, link_fd: int) -> None:
        """Fork the first supervisor of a run.

        Raises:
            OSError: It could not be; nothing of it is left.
        """
        files.make_folder(ward.spool)
        files.sync_folder(files.folder_of(ward.spool))
        lock_fd = files.open_lock(f"{ward.spool}/lock")
        try:
            if not files.try_lock(lock_fd):
                raise BlockingIOError(f"{ward.spool} is in use")
            self._fork(ward, {"lock_fd": lock_fd, "link_fd": link_fd})
        finally:
            os.close(lock_fd)
        self.all[ward.sid] = ward

    def foster(
        self, sid: str, spool: str, kept: dict[str, int], *, anew: bool = False
    ) -> Ward | None:
        """Take in a run whose fork server has died, or more descriptors of one.

        Those of one take the place of what is kept by their names when it is ``anew``.

        Returns:
            The ward; None when it is not known and the launch is not among the descriptors.
        """
        ward = self.all.get(sid)
        if ward is None and MEMORY in kept:
            ward = self.all[sid] = Ward(sid, spool, {})
            ward.is_unseen = True
            ward.retry_b = ticks.boottime()
        if ward is None:
            return None
        if anew:
            ward.let_go(kept)
        ward.keep(kept)
        return ward

    def see(self, ward: Ward, pid: int, start: int) -> None:
        """A supervisor says who it is: from now on its end is noticed at once.

        Args:
            ward: Its ward.
            pid: Its number.
            start: Its start time in clock ticks; another process may have the number by now.

        Raises:
            OSError: There is no descriptor to watch it by.
        """
        if pid == ward.pid:
            return
        fd = pidfd.open_that(pid, start)
        if fd is None:
            return
        if ward.pid:  # ours has been waiting for the lock that this one holds
            self._call_off(ward, ward.pid)
            self.orphans.forget_relay(ward)
            ward.settling = False
        ward.pid, ward.pid_fd = pid, fd
        ward.is_unseen = False
        ward.retry_b = None
        ward.since_b = ticks.boottime()
        self._loop.watch(fd, lambda: self._on_death(ward))

    # -- supervisors -------------------------------------------------------------------

    def _fork(self, ward: Ward, given: dict[str, int]) -> None:
        """Fork a supervisor, handing it these descriptors; in it, this does not return."""
        waiting_fd, going_fd = os.pipe2(os.O_CLOEXEC)
        pid = 0
        try:
            pid = process.fork_held()
            if pid == 0:
                os.close(going_fd)
                self._be_supervisor(ward, {**given, "go_fd": waiting_fd})
            ward.pid_fd = pidfd.open_pid(pid)
            self._loop.watch(ward.pid_fd, lambda: self._on_death(ward))
            ward.pid = pid
            ward.since_b = ticks.boottime()
            os.write(going_fd, b"!")
        except OSError:
            self._call_off(ward, pid)
            raise
        finally:
            os.close(waiting_fd)
            os.close(going_fd)

    def _call_off(self, ward: Ward, pid: int) -> None:
        """Have a supervisor of ours end that has not begun."""
        self._forget_pid_fd(ward)
        ward.pid = 0
        if pid:
            process.kill(pid, signals.SIGKILL)
            pidfd.wait_for(pid)

    def _be_supervisor(self, ward: Ward, given: dict[str, int]) -> None:
        status = 1
        try:
            signals.forget_descriptor()
            files.close_all_but({0, 1, 2, *ward.kept.values(), *given.values()})
            go_fd = given.pop("go_fd")
            if not os.read(go_fd, 1):  # the fork server has died over it
                process.leave(status)
            os.close(go_fd)
            try:
                launch = Launch.decode(memory.read(ward.kept[MEMORY]))
            except ValueError:  # half rewritten: its writer was killed with no run in hand
                process.leave(0)
            process.set_name(f"claw:{launch.job}")  # so no leader of a session is without
            process.new_session()
            handed = Handed(
                kept=ward.kept, open_files=self._open_files, parent=self._pid, **given
            )
            Supervisor(launch, handed).run()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            process.leave(status)

    # -- their ends --------------------------------------------------------------------

    def _on_death(self, ward: Ward) -> None:
        """A supervisor has ended: by itself when its run is over, else it is replaced."""
        ended = _how_it_ended(ward.pid)
        if ended is None:
            return
        self._forget_pid_fd(ward)
        pidfd.reap(ward.pid)
        ward.pid = 0
        self.orphans.forget_relay(ward)
        if ended.code == 0:
            del self.all[ward.sid]
            ward.release()
            self._on_gone(ward.sid)
        else:
            self._note_death(ward, ended)
        self.orphans.reap_unasked()

    def _note_death(self, ward: Ward, ended: Exit) -> None:
        """Replace it: at once, unless it died of itself or replacements keep dying."""
        now_b = ticks.boottime()
        ward.settling = True
        ward.deaths_b = [*ward.deaths_b, now_b][-_DEATHS_IN_A_ROW:]
        if now_b - ward.since_b >= _HEALTHY_S:
            ward.pause_s = 0.0
        if ended.code is not None:
            ward.pause_s = min(max(2 * ward.pause_s, _PAUSE_S), _LONGEST_PAUSE_S)
            ward.retry_b = now_b + ward.pause_s
        elif len(ward.deaths_b) == _DEATHS_IN_A_ROW and (
            now_b - ward.deaths_b[0] < _DEATHS_WITHIN_S
        ):
            ward.retry_b = now_b + RETRY_S
        else:
            self._replace(ward)

    def _replace(self, ward: Ward) -> None:
        ward.retry_b = None
        ward.is_unseen = False
        ward.settling = True
        ward.lines = LineSplitter()
        try:
            files.make_folder(ward.spool)  # its launch may have been cut short before that
            ward.relay, theirs = channel.pair()
            try:
                self._loop.watch(ward.relay.fileno(), lambda: self.orphans.on_relay(ward))
                self._fork(ward, {"relay_fd": theirs.fileno()})
            finally:
                theirs.close()
        except OSError:
            self.orphans.close_relay(ward)
            ward.retry_b = ticks.boottime() + RETRY_S

    def _forget_pid_fd(self, ward: Ward) -> None:
        if ward.pid_fd >= 0:
            self._loop.forget(ward.pid_fd)
            os.close(ward.pid_fd)
            ward.pid_fd = -1


def _how_it_ended(pid: int) -> Exit | None:
    """Return how a supervisor ended; one that is not our child, nobody knows how."""
    try:
        return pidfd.peek_exit(pid)
    except ChildProcessError:
        return Exit(None, None)
