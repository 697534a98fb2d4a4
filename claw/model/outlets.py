"""Where messages go, and whether anything that happens is told to anybody."""

from collections.abc import Iterable

from claw.model.channels import Channel
from claw.model.hooks import Hook, Hooks


class Outlets:
    """What a configuration says of that, to be asked for each event."""

    __slots__ = ("_channels", "hooks", "is_used")

    def __init__(
        self, channels: Iterable[Channel], hooks: tuple[Hook, ...], *, is_used: bool
    ) -> None:
        """Take all channels and hooks.

        Args:
            channels: Those of hooks' own commands too.
            hooks: The hooks.
            is_used: Whether there are hooks, or jobs whose people are told.
        """
        self._channels = {one.name: one for one in channels}
        self.hooks = Hooks(hooks)
        self.is_used = is_used

    def channel(self, name: str) -> Channel | None:
        """Return the channel of that name."""
        return self._channels.get(name)
