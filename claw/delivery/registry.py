"""Which channel is made of what; a further type adds a line here, and a module."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from claw.delivery.command import CommandSender
from claw.delivery.file import FileSender
from claw.delivery.sending import Children, NotTakenError, Sender
from claw.model.channels import Channel, ChannelType


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What channels work with.

    Attributes:
        children: Reaps what they start.
        environment: The daemon's.
    """

    children: Children
    environment: Mapping[str, str]


def _command(channel: Channel, means: Means) -> Sender:
    return CommandSender(channel.argv, means.children, means.environment)


def _file(channel: Channel, _means: Means) -> Sender:
    return FileSender(channel.path)


def _webhook(channel: Channel, _means: Means) -> Sender:
    made: Sender = importlib.import_module("claw.delivery.webhook").WebhookSender(channel)
    return made


def _apprise(channel: Channel, _means: Means) -> Sender:
    try:
        module = importlib.import_module("claw.delivery.apprise")
    except ImportError as error:
        raise NotTakenError(
            "apprise is not installed: pip install 'claw[notify]', then clawctl daemon restart"
        ) from error
    made: Sender = module.AppriseSender(channel.urls)
    return made


_MAKERS: Mapping[ChannelType, Callable[[Channel, Means], Sender]] = {
    ChannelType.COMMAND: _command,
    ChannelType.FILE: _file,
    ChannelType.WEBHOOK: _webhook,
    ChannelType.APPRISE: _apprise,
}


def make(channel: Channel, means: Means) -> Sender:
    """Return a channel that sends; blocks while a library is loaded.

    Raises:
        NotTakenError: It cannot be made here.
    """
    return _MAKERS[channel.type](channel, means)
