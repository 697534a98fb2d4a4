"""The commands about messages to people and other programs: deliveries and aliases."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import DAEMON, Command, argument, flag, option

_CHANNEL = "[channels.NAME] of claw.toml"

COMMANDS = (
    Command(
        "delivery list",
        DAEMON,
        "list the messages that channels have sent, or are to send",
        verb="notify:list_deliveries",
        reply="deliveries",
        method="delivery.list",
        params=(
            option("state", kinds.DELIVERY_STATE, "only those"),
            option("channel", kinds.CHANNEL, "only of this channel"),
            option("limit", kinds.COUNT, "so many at most; default 50", short="n"),
        ),
        detail=(
            "Newest first. Those of one channel and address are sent one after the other: "
            "while one is tried again, those behind it wait."
        ),
        examples=(
            ("clawctl delivery list --state failed", "what was given up, and why"),
            ("clawctl delivery list --channel ops --json", "for a program"),
        ),
    ),
    Command(
        "delivery retry",
        DAEMON,
        "try messages again at once that wait or were given up",
        verb="notify:retry",
        reply="retried",
        method="delivery.retry",
        params=(
            argument("ids", kinds.NUMBER, "their numbers", many=True, required=False),
            flag("all", "all that wait for a try or were given up"),
            option("channel", kinds.CHANNEL, "with --all: only of this channel"),
        ),
        examples=(
            ("clawctl delivery retry 12", "one of them"),
            ("clawctl delivery retry --all --channel ops", "the channel works again"),
        ),
    ),
    Command(
        "delivery test",
        DAEMON,
        "send a message to see whether a channel works",
        verb="notify:test",
        reply="posted",
        method="delivery.test",
        params=(
            argument("channel", kinds.CHANNEL, _CHANNEL),
            option("to", kinds.KEY, "whom it is to"),
        ),
        detail="What came of it is told by delivery list.",
        examples=(("clawctl delivery test ops", "then: clawctl delivery list --channel ops"),),
    ),
    Command(
        "alias list",
        DAEMON,
        "list the names that stand for a channel and an address",
        verb="notify:list_aliases",
        reply="aliases",
        method="alias.list",
        examples=(("clawctl alias list", "what @team stands for"),),
    ),
    Command(
        "alias add",
        DAEMON,
        "have a name stand for a channel and an address",
        verb="notify:add_alias",
        reply="alias",
        method="alias.add",
        params=(
            argument("name", kinds.ALIAS, "like @team"),
            argument("channel", kinds.CHANNEL, _CHANNEL),
            option("to", kinds.KEY, "the address; default: whoever the channel leads to"),
        ),
        detail="What it stood for before is forgotten. It is looked up when a message is told.",
        examples=(('clawctl alias add @team chat --to "#ops"', 'then: to = "@team"'),),
    ),
    Command(
        "alias remove",
        DAEMON,
        "have a name stand for nothing any more",
        verb="notify:remove_alias",
        method="alias.remove",
        params=(argument("name", kinds.ALIAS, "the name"),),
        examples=(("clawctl alias remove @team", "messages to it fail from now on"),),
    ),
)
