"""What the fork server keeps for each run that goes on."""

from claw.kernel.bare import os
from claw.wire.lines import LineSplitter
from claw.wire.supervision import CHILD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.kernel import channel


class Ward:
    """One run: its supervisor, and what a replacement would need to take its place."""

    __slots__ = (
        "deaths_b", "is_unseen", "kept", "lines", "pause_s", "pid", "pid_fd", "relay",
        "retry_b", "settling", "sid", "since_b", "spool", "watch_fd", "watched",
        "watched_start", "word_until_b",
    )  # fmt: skip

    def __init__(self, sid: str, spool: str, kept: dict[str, int]) -> None:
        self.sid = sid
        self.spool = spool
        self.kept = kept  # descriptors by name; see `claw.wire.supervision`
        self.pid = 0  # of the supervisor; 0: dead and not replaced yet, or unseen
        self.pid_fd = -1
        self.is_unseen = False  # a fostered one that has not said who it is
        self.since_b = 0.0  # when it was forked, or seen first
        self.relay: channel.Socket | None = None  # to a replacement
        self.lines = LineSplitter()
        self.settling = False  # a replacement has not yet said whose parent we are
        self.watched = 0  # the orphaned child
        self.watched_start = 0  # in clock ticks: another process may have its number by now
        self.watch_fd = -1
        self.word_until_b = 0.0  # till then the master may tell how one ended that is not ours
        self.deaths_b: list[float] = []
        self.pause_s = 0.0  # before the next replacement, when they die of errors
        self.retry_b: float | None = None  # when its replacement, or the watch, is tried again

    def keep(self, given: dict[str, int]) -> None:
        """Take descriptors in; of those that are there already, the copies are closed."""
        for name, fd in given.items():
            if name in self.kept or (name.startswith(CHILD) and not self._is_newest(name)):
                os.close(fd)
            else:
                self.kept[name] = fd

    def let_go(self, names: "dict[str, int]") -> None:
        """Close what is kept by some names: other things are to be."""
        for name in names:
            fd = self.kept.pop(name, -1)
            if fd >= 0:
                os.close(fd)

    def _is_newest(self, name: str) -> bool:
        """Tell whether a child began after the one that is kept, which is then let go."""
        for other in [one for one in self.kept if one.startswith(CHILD)]:
            if _start_in(other) > _start_in(name):
                return False
            os.close(self.kept.pop(other))
        return True

    def release(self) -> None:
        """Close all that is kept."""
        close_all(self.kept)


def close_all(kept: dict[str, int]) -> None:
    """Close descriptors that are of no use any more."""
    for fd in kept.values():
        os.close(fd)
    kept.clear()


def _start_in(name: str) -> int:
    return int(name.rpartition(":")[2])
