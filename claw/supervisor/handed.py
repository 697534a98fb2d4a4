"""What passes from the fork server to a supervisor when it is forked."""


class Handed:
    """What the fork server hands to a supervisor: descriptors, -1 for none, and facts."""

    __slots__ = ("link_fd", "lock_fd", "open_files", "outputs", "relay_fd")

    def __init__(
        self,
        *,
        outputs: list[tuple[int, int]],
        open_files: tuple[int, int],
        lock_fd: int = -1,
        link_fd: int = -1,
        relay_fd: int = -1,
    ) -> None:
        self.outputs = outputs  # reading and writing end: out, and err if separate
        self.open_files = open_files  # the limit that claw was started with
        self.lock_fd = lock_fd  # held already; a replacement takes the lock itself
        self.link_fd = link_fd  # a connection of the master, there from the start
        self.relay_fd = relay_fd  # to the fork server; replacements only
