"""The methods about messages to people and other programs."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    nullable,
    record,
    string,
    time,
)

_LONGEST = 1000
_STATES = shapes.DELIVERY_STATES
_CHANNEL = string("a channel", maxLength=_LONGEST)
_TO = string("whom it is to", maxLength=_LONGEST)
_DELIVERY = record(
    {
        "id": integer("its number"),
        "key": string("the same at each try: `id` in the message, `Idempotency-Key`"),
        "channel": string("by which it is sent"),
        "to": string("whom to; '': whoever the channel leads to"),
        "kind": choice("what it is about", *shapes.DELIVERY_KINDS),
        "job": nullable(string("its job")),
        "run": nullable(string("its run")),
        "subject": string("what it says, in short"),
        "state": choice("what has become of it", *_STATES),
        "attempts": integer("so often it was tried"),
        "at": time("when it was told"),
        "next_at": nullable(time("it waits: when it is tried next, if it is the first")),
        "done_at": nullable(time("when it was sent, given up or dropped")),
        "problem": nullable(string("why it was not taken")),
    },
    ("id", "channel", "state"),
    description="one message",
    is_open=True,
)
_ALIAS = record(
    {
        "name": string("without @"),
        "channel": string("what it stands for: by which channel"),
        "to": string("and whom to"),
        "at": time("since when"),
        "by": string("who said so"),
    },
    ("name", "channel", "to"),
    description="one alias",
    is_open=True,
)
_STANDING = record(
    {
        "channel": string("its name; '': nobody has it"),
        "type": nullable(string("null: it is not configured any more")),
        **{state: integer(f"messages that are {state}, of those kept") for state in _STATES},
        "ever_dropped": integer("messages that were ever dropped"),
    },
    ("channel",),
    description="one channel",
    is_open=True,
)

NOTIFY = (
    reading(
        "delivery.list",
        "list messages, newest first",
        record(
            {
                "state": choice("only those", *_STATES),
                "channel": _CHANNEL,
                "before": integer("only those of smaller numbers"),
                "limit": integer("so many at most; default 50", minimum=1, maximum=1000),
            }
        ),
        record(
            {
                "deliveries": array("newest first", _DELIVERY),
                "channels": array("by name", _STANDING),
                "next": nullable(integer("ask again with this as `before`; null: no more")),
            },
            ("deliveries", "channels", "next"),
        ),
    ),
    changing(
        "delivery.retry",
        "try messages again at once that wait or were given up",
        record(
            {
                "ids": array("their numbers", integer("one", minimum=1)),
                "all": boolean("all there are"),
                "channel": _CHANNEL,
            }
        ),
        record({"retried": integer("how many")}, ("retried",)),
    ),
    changing(
        "delivery.test",
        "send a message that says nothing but that a channel works",
        record({"channel": _CHANNEL, "to": _TO}, ("channel",)),
        record({"id": integer("its number"), "channel": string("the channel")}, ("id",)),
    ),
    reading(
        "alias.list",
        "list the names that stand for a channel and an address",
        record({}),
        record({"aliases": array("by name", _ALIAS)}, ("aliases",)),
    ),
    changing(
        "alias.add",
        "have a name stand for a channel and an address",
        record(
            {"name": string("with @ or without", maxLength=65), "channel": _CHANNEL, "to": _TO},
            ("name", "channel"),
        ),
        _ALIAS,
        role=ADMIN,
    ),
    changing(
        "alias.remove",
        "have a name stand for nothing any more",
        record({"name": string("with @ or without", maxLength=65)}, ("name",)),
        record({"name": string("without @")}, ("name",)),
        role=ADMIN,
    ),
)
