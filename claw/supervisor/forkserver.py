"""The fork server: warm parent of all supervisors, and foster parent of their children.

It is exec'd as a bare interpreter, imports everything once, freezes it, and forks a
supervisor in a millisecond or two. It keeps a duplicate of each job's pipes and of the
sealed memory with its launch; when a supervisor is killed, the child is re-parented to it
(subreaper), and it forks a replacement that misses nothing. It outlives the master, and
ends when there is neither a supervisor nor a master left.
"""

import gc
import sys

from claw import __version__
from claw.kernel import channel, files, limits, pidfd, process, signals, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor import rehearsal
from claw.supervisor.control import Control, Peer
from claw.supervisor.handed import Handed
from claw.supervisor.loop import Loop
from claw.supervisor.main import Supervisor
from claw.supervisor.ward import Ward
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import LINK, MEMORY, Launch, Message

LONELY_S = 10.0
"""A fork server that no master has called for so long after its start ends."""
_DEATHS_IN_A_ROW = 20
_DEATHS_WITHIN_S = 2.0
_RETRY_S = 0.5
_BREATH_S = 0.01
"""Pause after a failure that a ready descriptor would repeat at once."""


class ForkServer:
    """Serves launches; see `claw.wire.supervision` for what is said."""

    def __init__(self, server: channel.Socket, path: str, soft_limit: int) -> None:
        self._loop = Loop()
        self._control = Control(self._loop, self._handle)
        self._control.adopt(path, server)
        self._wards: dict[str, Ward] = {}
        self._lonely_b: float | None = ticks.boottime() + LONELY_S
        self._open_files = (soft_limit, limits.raise_open_files()[1])

    def run(self) -> None:
        """Serve until there is nobody left to serve."""
        process.become_subreaper()
        for number in (signals.SIGTERM, signals.SIGINT, signals.SIGHUP):
            signals.ignore(number)
        wake_fd = signals.as_descriptor((signals.SIGCHLD,))
        self._loop.watch(wake_fd, lambda: self._on_signals(wake_fd))
        gc.collect()
        gc.freeze()
        gc.disable()
        while not self._is_needless():
            try:
                self._loop.turn(self._next_deadline())
            except OSError:  # whatever is short, no job may lose its foster parent over it
                ticks.sleep(_BREATH_S)
            self._retry()
        self._control.close()

    def _is_needless(self) -> bool:
        if self._wards or self._control.peers:
            self._lonely_b = None
            return False
        return self._lonely_b is None or ticks.boottime() >= self._lonely_b

    def _next_deadline(self) -> float | None:
        deadlines = [ward.retry_b for ward in self._wards.values() if ward.retry_b is not None]
        if self._lonely_b is not None:
            deadlines.append(self._lonely_b)
        return min(deadlines, default=None)

    # -- requests ---------------------------------------------------------------------

    def _handle(self, peer: Peer, message: Message) -> Message | None:
        """Answer a request, whatever is wrong with it: too much depends on this process."""
        try:
            return self._do(peer, message)
        except (OSError, KeyError, TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}", "retryable": True}

    def _do(self, peer: Peer, message: Message) -> Message:
        operation = message.get("op")
        if operation == "launch":
            return self._launch(peer, message)
        if operation == "find":
            ward = self._wards.get(message["sid"])
            return {"alive": ward is not None, "pid": ward.pid if ward else None}
        if operation == "barrier":
            self._control.catch_up()
            return {}
        if operation == "hello":
            return {"version": __version__, "pid": os.getpid(), "supervisors": [*self._wards]}
        return {"error": f"unknown operation {operation!r}", "retryable": False}

    def _launch(self, peer: Peer, message: Message) -> Message:
        """Begin an attempt: its launch file first, then folder, lock and fork."""
        ward = Ward(message["sid"], message["spool"], peer.take(message["names"]))
        link_fd = ward.kept.pop(LINK, -1)
        try:
            if Launch.decode(files.read_memory(ward.kept[MEMORY])).sid != ward.sid:
                raise ValueError("the descriptors are of another launch")
            return self._launch_with(ward, message, link_fd)
        finally:
            if link_fd >= 0:
                os.close(link_fd)
            if ward.sid not in self._wards or self._wards[ward.sid] is not ward:
                self._release(ward)

    def _launch_with(self, ward: Ward, message: Message, link_fd: int) -> Message:
        launch_file = f"{message['launch_dir']}/{message['run']}.{message['attempt']}"
        try:
            files.create_exclusive(launch_file, ward.sid.encode())
        except OSError as error:
            has_begun = isinstance(error, FileExistsError)
            return {"error": f"launch file: {error}", "retryable": not has_begun}
        try:
            self._begin(ward, link_fd)
        except OSError as error:
            files.remove(launch_file)
            return {"error": f"fork server: {error}", "retryable": True}
        self._wards[ward.sid] = ward
        return {"pid": ward.pid, "start": pidfd.start_ticks(ward.pid)}

    def _begin(self, ward: Ward, link_fd: int) -> None:
        files.make_folder(ward.spool)
        files.sync_folder(files.folder_of(ward.spool))
        lock_fd = files.open_lock(f"{ward.spool}/lock")
        try:
            if not files.try_lock(lock_fd):
                raise BlockingIOError(f"{ward.spool} is in use")
            self._fork(ward, {"lock_fd": lock_fd, "link_fd": link_fd})
        finally:
            os.close(lock_fd)

    # -- supervisors ------------------------------------------------------------------

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
            os.write(going_fd, b"!")
        except OSError:
            self._call_off(ward, pid)
            raise
        finally:
            os.close(waiting_fd)
            os.close(going_fd)

    def _call_off(self, ward: Ward, pid: int) -> None:
        """Have a supervisor that nobody could watch over end before it has begun."""
        if ward.pid_fd >= 0:
            self._forget_fd(ward.pid_fd)
            ward.pid_fd = -1
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
            launch = Launch.decode(files.read_memory(ward.kept[MEMORY]))
            process.new_session()
            process.set_name(f"claw:{launch.job}")
            handed = Handed(kept=ward.kept, open_files=self._open_files, **given)
            Supervisor(launch, handed).run()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
            raise
        finally:
            process.leave(status)

    def _on_death(self, ward: Ward) -> None:
        """A supervisor has ended: by itself when its run is over, else it is replaced."""
        ended = pidfd.peek_exit(ward.pid)
        if ended is None:
            return
        self._forget_fd(ward.pid_fd)
        ward.pid_fd = -1
        pidfd.reap(ward.pid)
        ward.pid = 0
        self._forget_relay(ward)
        if ended.code == 0:
            del self._wards[ward.sid]
            self._release(ward)
            self._control.tell({"ev": "gone", "sid": ward.sid})
        else:
            self._note_death(ward)
        self._reap_orphans()

    def _note_death(self, ward: Ward) -> None:
        """Replace it, at once unless replacements keep dying."""
        now_b = ticks.boottime()
        ward.settling = True
        ward.deaths_b = [*ward.deaths_b, now_b][-_DEATHS_IN_A_ROW:]
        full = len(ward.deaths_b) == _DEATHS_IN_A_ROW
        if full and now_b - ward.deaths_b[0] < _DEATHS_WITHIN_S:
            ward.retry_b = now_b + _RETRY_S
        else:
            self._replace(ward)

    def _replace(self, ward: Ward) -> None:
        ward.retry_b = None
        ward.lines = LineSplitter()
        try:
            ward.relay, theirs = channel.pair()
            try:
                self._loop.watch(ward.relay.fileno(), lambda: self._on_relay(ward))
                self._fork(ward, {"relay_fd": theirs.fileno()})
            finally:
                theirs.close()
        except OSError:
            self._close_relay(ward)
            ward.retry_b = ticks.boottime() + _RETRY_S

    def _retry(self) -> None:
        """Do again what there was no descriptor or memory for."""
        now_b = ticks.boottime()
        for ward in tuple(self._wards.values()):
            if ward.retry_b is None or now_b < ward.retry_b:
                continue
            if ward.pid:
                self._watch(ward, ward.watched)
            else:
                self._replace(ward)

    def _release(self, ward: Ward) -> None:
        for fd in ward.kept.values():
            os.close(fd)

    # -- orphaned children ------------------------------------------------------------

    def _on_relay(self, ward: Ward) -> None:
        if ward.relay is None:
            return
        try:
            data = ward.relay.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close_relay(ward)
            return
        for line in ward.lines.feed(data):
            message = supervision.decode(line or b"")
            if message is not None:
                self._on_word(ward, message)

    def _on_word(self, ward: Ward, message: Message) -> None:
        """A replacement has read its journal and says which child to look after."""
        operation = message["op"]
        if operation == "watch":
            self._watch(ward, message["pid"])
        elif operation == "reap":
            self._unwatch(ward)
            pidfd.reap(message["pid"])
        ward.settling = False
        self._reap_orphans()

    def _watch(self, ward: Ward, pid: int) -> None:
        ward.watched = pid
        ward.retry_b = None
        try:
            if pidfd.peek_exit(pid) is None:
                ward.watch_fd = pidfd.open_pid(pid)
                self._loop.watch(ward.watch_fd, lambda: self._on_child_end(ward))
                return
        except ChildProcessError:
            ward.watched = 0
            self._say(ward, {"ev": "stray", "pid": pid})
            return
        except OSError:
            self._close_watch(ward)
            ward.retry_b = ticks.boottime() + _RETRY_S
            return
        self._on_child_end(ward)

    def _on_child_end(self, ward: Ward) -> None:
        """Say how a child ended, and leave it unreaped until that is on record."""
        ended = pidfd.peek_exit(ward.watched)
        if ended is None:
            return
        self._close_watch(ward)
        self._say(ward, {"ev": "exit", "pid": ward.watched, **_as_message(ended)})

    def _say(self, ward: Ward, message: Message) -> None:
        if ward.relay is None:
            return
        try:
            ward.relay.sendall(supervision.encode(message))
        except OSError:
            return

    def _unwatch(self, ward: Ward) -> None:
        self._close_watch(ward)
        ward.watched = 0
        ward.retry_b = None

    def _close_watch(self, ward: Ward) -> None:
        if ward.watch_fd >= 0:
            self._forget_fd(ward.watch_fd)
            ward.watch_fd = -1

    def _forget_relay(self, ward: Ward) -> None:
        self._unwatch(ward)
        self._close_relay(ward)

    def _close_relay(self, ward: Ward) -> None:
        """Close the relay; a child whose end is not on record yet stays unreaped.

        A replacement that is killed closes its relay before it is seen to be dead.
        """
        if ward.relay is not None:
            self._loop.forget(ward.relay.fileno())
            ward.relay.close()
            ward.relay = None

    def _forget_fd(self, fd: int) -> None:
        self._loop.forget(fd)
        os.close(fd)

    def _on_signals(self, wake_fd: int) -> None:
        signals.taken(wake_fd)
        self._reap_orphans()

    def _reap_orphans(self) -> None:
        """Reap what nobody asks about; who it is is open while a replacement settles in."""
        wards = self._wards.values()
        if any(ward.settling for ward in wards):
            return
        known = {ward.pid for ward in wards} | {ward.watched for ward in wards}
        while (pid := pidfd.any_ended_child()) is not None and pid not in known:
            pidfd.reap(pid)


def _as_message(ended: Exit) -> Message:
    return {
        "code": ended.code,
        "signal": ended.signal,
        "cpu_s": ended.cpu_s,
        "max_rss": ended.max_rss,
    }


def main() -> None:
    """Serve on the inherited listening socket.

    argv: its descriptor, its path, and the soft limit of open files that jobs shall have.
    """
    server = channel.adopt(int(sys.argv[1]))
    os.set_inheritable(server.fileno(), False)
    process.new_session()
    process.set_name("claw:forkserver")
    path = sys.argv[2]
    rehearsal.rehearse(f"{path}.rehearsal", {0, 1, 2, server.fileno()})
    ForkServer(server, path, int(sys.argv[3])).run()
