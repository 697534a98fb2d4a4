"""What the fork server keeps for each supervisor."""

from claw.wire.lines import LineSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.kernel import channel


class Ward:
    """One supervisor, and what a replacement would need to take its place."""

    __slots__ = (
        "deaths_b", "kept", "lines", "pid", "pid_fd", "relay", "retry_b", "settling", "sid",
        "spool", "watch_fd", "watched",
    )  # fmt: skip

    def __init__(self, sid: str, spool: str, kept: dict[str, int]) -> None:
        self.sid = sid
        self.spool = spool
        self.kept = kept  # descriptors by name; see `claw.wire.supervision`
        self.pid = 0  # 0: dead, and not replaced yet
        self.pid_fd = -1
        self.relay: channel.Socket | None = None  # to a replacement
        self.lines = LineSplitter()
        self.settling = False  # a replacement has not yet said whose parent we are
        self.watched = 0  # the orphaned child
        self.watch_fd = -1
        self.deaths_b: list[float] = []
        self.retry_b: float | None = None  # when its replacement, or the watch, is tried again
