"""What a channel is given, what it is, and how it says that a message was not taken."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from claw.errors import ClawError
from claw.model.channels import ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from contextlib import AbstractContextManager


class NotTakenError(ClawError):
    """A message was not taken.

    Attributes:
        is_final: It never would be.
        after_s: It is not to be tried again before that; None: nobody said.
    """

    code = "not_taken"

    def __init__(
        self, message: str, *, is_final: bool = False, after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.after_s = after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One try of one message.

    Attributes:
        key: The same at each try, and no other message's.
        channel: The channel's name.
        to: Whom it is to; '': whoever the channel leads to.
        attempt: Which try, from 1.
        host: The machine that sends it.
        message: What it says, see `claw.master.engine.messages`.
    """

    key: str
    channel: str
    to: str
    attempt: int
    host: str
    message: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """What it is about, on one line."""
        return str(self.message.get("subject") or "")

    @property
    def text(self) -> str:
        """What it says to people."""
        return str(self.message.get("text") or "")

    def as_json(self) -> bytes:
        """Return all of it, on one line."""
        return json.dumps(
            {
                "id": self.key,
                "channel": self.channel,
                "address": self.to,
                "try": self.attempt,
                "host": self.host,
                **self.message,
            },
            ensure_ascii=False,
        ).encode(errors="replace")

    def as_text(self) -> str:
        """Return what a chat shows."""
        if not self.text or self.text.startswith(self.subject):
            return self.text or self.subject
        return f"{self.subject}\n{self.text}"

    def address(self, url: str) -> str:
        """Return a URL with whom the message is to in it."""
        return url.replace(ADDRESS, quote(self.to, safe=""))


class Sender(Protocol):
    """A channel."""

    async def send(self, outgoing: Outgoing) -> None:
        """Hand a message over; cancelled when it takes too long.

        Raises:
            NotTakenError: It was not taken.
        """

    async def close(self) -> None:
        """Let go of what is held; nothing is sent any more."""


class Children(Protocol):
    """Who reaps what a channel starts: `claw.master.reaper.Reaper`."""

    def own(self, pid: int) -> None:
        """Leave a child to whoever started it."""

    def starting(self) -> "AbstractContextManager[None]":
        """Reap nothing while a child is started in another thread."""

    async def reap_own(self, child: "subprocess.Popen[bytes]") -> int:
        """Wait for the end of a child, and return its status."""
