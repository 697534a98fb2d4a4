"""A replacement's link to the fork server, which is parent of the orphaned child now.

The fork server looks at the child's end with WNOWAIT and keeps it as a zombie until the
replacement has journaled it (`reap`), so a replacement that is killed too loses nothing.
"""

from claw.kernel import channel
from claw.kernel.pidfd import Exit
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Relay:
    """Asks about one pid, and calls back with how it ended."""

    __slots__ = ("_lines", "_on_status", "_pid", "_socket")

    def __init__(self, connection: channel.Socket, on_status: "Callable[[Exit], None]") -> None:
        self._socket = connection
        self._socket.setblocking(True)
        self._lines = LineSplitter()
        self._on_status = on_status
        self._pid = 0

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._socket.fileno()

    def ask(self, pid: int, start: int) -> None:
        """Have the fork server watch the child, which began at that time in clock ticks."""
        self._pid = pid
        self._send({"op": "watch", "pid": pid, "start": start})

    def settle(self) -> None:
        """Tell the fork server that there is no child to watch."""
        self._send({"op": "settle"})

    def reap(self) -> None:
        """Let the fork server reap the child: its end is on record."""
        self._send({"op": "reap", "pid": self._pid})

    def on_readable(self) -> bool:
        """Take in what the fork server says; False when it has no say in the child.

        Then it has died, or the child is not its own: the status cannot come from it.
        """
        try:
            data = self._socket.recv(65536, channel.DONT_WAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for line in self._lines.feed(data):
            message = supervision.decode(line or b"")
            if message is not None and message.get("ev") == "exit":
                self._on_status(_exit_of(message))
            elif message is not None and message.get("ev") == "stray":
                return False
        return bool(data)

    def close(self) -> None:
        """Close the link."""
        self._socket.close()

    def _send(self, message: Message) -> None:
        try:
            self._socket.sendall(supervision.encode(message))
        except OSError:
            return


def _exit_of(message: Message) -> Exit:
    return Exit(message["code"], message["signal"], message["cpu_s"], message["max_rss"])
