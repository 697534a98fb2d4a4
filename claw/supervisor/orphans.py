"""The children of killed supervisors: the fork server is their parent, and says how they end.

A replacement asks over its relay. A child that has ended stays unreaped until the
replacement has put that on record, so that one that is killed too loses nothing. Of a child
that is another's, because its supervisor was fostered, only what the master has reaped is
known here (`note_reaped`); the replacement has a pidfd for the rest.
"""

from claw.kernel import pidfd, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor.loop import Loop
from claw.supervisor.ward import Ward
from claw.wire import supervision
from claw.wire.supervision import Message

RETRY_S = 0.5
"""Pause before something is tried again that there was no descriptor or memory for."""
_STRANGERS_KEPT = 1000
_WORD_S = 3.0
"""A master has so long to tell of an orphan that it reaped before its replacement asked."""


class Orphans:
    """Looks after the children of the wards' killed supervisors."""

    __slots__ = ("_loop", "_strangers", "_wards")

    def __init__(self, loop: Loop, wards: dict[str, Ward]) -> None:
        self._loop = loop
        self._wards = wards
        self._strangers: dict[tuple[int, int], Message] = {}

    def on_relay(self, ward: Ward) -> None:
        """Hear a replacement."""
        if ward.relay is None:
            return
        try:
            data = ward.relay.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close_relay(ward)
            return
        for line in ward.lines.feed(data):
            message = supervision.decode(line or b"")
            if message is not None:
                self._on_word(ward, message)

    def _on_word(self, ward: Ward, message: Message) -> None:
        """A replacement has read its journal and says which child to look after."""
        operation = message["op"]
        if operation == "watch":
            ward.word_until_b = ticks.boottime() + _WORD_S
            self.watch(ward, message["pid"], message["start"])
        elif operation == "reap":
            self._unwatch(ward)
            pidfd.reap(message["pid"])
        ward.settling = False
        self.reap_unasked()

    def watch(self, ward: Ward, pid: int, start: int) -> None:
        """Look after a child; how one ended that is not ours, others may have told."""
        ward.watched, ward.watched_start = pid, start
        ward.retry_b = None
        try:
            if pidfd.peek_exit(pid) is None:
                ward.watch_fd = pidfd.open_pid(pid)
                self._loop.watch(ward.watch_fd, lambda: self._on_child_end(ward))
                return
        except ChildProcessError:
            self._look_for_word(ward)
            return
        except OSError:
            self._close_watch(ward)
            ward.retry_b = ticks.boottime() + RETRY_S
            return
        self._on_child_end(ward)

    def _look_for_word(self, ward: Ward) -> None:
        """Say of another's child how it ended, or that it is not known here.

        One that is gone, somebody has reaped: if the master has, its word may be on its way.
        """
        pid, start = ward.watched, ward.watched_start
        told = self._strangers.get((pid, start))
        now_b = ticks.boottime()
        if told is None and now_b < ward.word_until_b and pidfd.start_ticks(pid) != start:
            ward.retry_b = now_b + RETRY_S
            return
        ward.watched = 0
        self._say(ward, {"ev": "exit", **told} if told else {"ev": "stray", "pid": pid})

    def note_reaped(self, message: Message) -> None:
        """Keep what the master says of an orphan that it has reaped."""
        if len(self._strangers) >= _STRANGERS_KEPT:
            del self._strangers[next(iter(self._strangers))]
        self._strangers[message["pid"], message["start"]] = {
            key: message[key] for key in ("pid", "code", "signal", "cpu_s", "max_rss")
        }
        for ward in self._wards.values():
            if (ward.watched, ward.watched_start) == (message["pid"], message["start"]):
                ward.retry_b = ticks.boottime()

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
            self._loop.forget(ward.watch_fd)
            os.close(ward.watch_fd)
            ward.watch_fd = -1

    def forget_relay(self, ward: Ward) -> None:
        """The replacement is dead: whoever is next asks anew."""
        self._unwatch(ward)
        self.close_relay(ward)

    def close_relay(self, ward: Ward) -> None:
        """Close the relay; a child whose end is not on record yet stays unreaped.

        A replacement that is killed closes its relay before it is seen to be dead.
        """
        if ward.relay is not None:
            self._loop.forget(ward.relay.fileno())
            ward.relay.close()
            ward.relay = None

    def reap_unasked(self) -> None:
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
