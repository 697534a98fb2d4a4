"""What passes from the fork server to a supervisor when it is forked."""

from claw.kernel import process
from claw.wire.supervision import OUTPUTS


class Handed:
    """What the fork server hands to a supervisor: descriptors, -1 for none, and facts."""

    __slots__ = (
        "foster_fd", "is_protected", "kept", "link_fd", "lock_fd", "open_files", "parent",
        "relay_fd",
    )  # fmt: skip

    def __init__(
        self,
        *,
        kept: dict[str, int],
        open_files: tuple[int, int],
        lock_fd: int = -1,
        link_fd: int = -1,
        relay_fd: int = -1,
        parent: int = 0,
    ) -> None:
        self.kept = kept  # by name: copies of what the fork server keeps for the run
        self.open_files = open_files  # the limit that claw was started with
        self.lock_fd = lock_fd  # held already; a replacement takes the lock itself
        self.link_fd = link_fd  # a connection of the master, there from the start
        self.relay_fd = relay_fd  # to the fork server; replacements only
        self.parent = parent  # the fork server; while it lives, children need no other keeper
        self.is_protected = process.is_protected()
        self.foster_fd = -1  # to a fork server that is not the parent

    @property
    def outputs(self) -> list[tuple[int, int]]:
        """Reading and writing end of each output: out, and err if separate."""
        kept = self.kept
        return [(kept[read], kept[write]) for read, write in OUTPUTS if read in kept]
