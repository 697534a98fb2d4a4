"""Channels: where messages for people and for other programs go; and which a job has."""

from dataclasses import dataclass
from enum import StrEnum

from claw.model.backoff import WEBHOOK

ADDRESS = "{to}"
"""Stands in a URL for whom a message is to."""
MAX_PENDING = 10_000


class ChannelType(StrEnum):
    """How a message is handed over."""

    COMMAND = "command"
    FILE = "file"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class WebhookFormat(StrEnum):
    """What is posted: the whole message, or what a chat takes for a text."""

    CLAW = "claw"
    SLACK = "slack"
    DISCORD = "discord"
    TEXT = "text"


class AnnounceMode(StrEnum):
    """Of which ends of its runs a job's people are sent the output."""

    NONE = "none"
    ANNOUNCE = "announce"
    ALWAYS = "announce-always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel, as the configuration defines it; that of a hook's own command too."""

    name: str
    type: ChannelType
    argv: tuple[str, ...] = ()
    path: str = ""
    urls: tuple[str, ...] = ()
    format: WebhookFormat = WebhookFormat.CLAW
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 30.0
    delays_s: tuple[float, ...] = WEBHOOK
    jitter: float = 0.0
    max_attempts: int = len(WEBHOOK) + 1
    max_pending: int = MAX_PENDING

    @property
    def needs_address(self) -> bool:
        """Whether nothing can be sent that is to nobody."""
        return any(ADDRESS in url for url in self.urls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """What a job's people are sent of its output."""

    mode: AnnounceMode = AnnounceMode.NONE
    channel: str = ""
    to: str = ""
