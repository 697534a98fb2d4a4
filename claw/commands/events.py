"""The commands about events that come in."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

COMMANDS = (
    Command(
        "emit",
        RUNS,
        "tell of an event, and start the jobs that name it",
        verb="emit:emit",
        reply="emitted",
        method="event.emit",
        params=(
            argument(
                "event", kinds.EVENT, "its name, like orders.new", many=True, required=False
            ),
            option(
                "data",
                kinds.TEXT_OR_FILE,
                "JSON, @FILE or - for standard input; default null",
            ),
            option("request_id", kinds.KEY, "the same one within a day is one event"),
            option("token", kinds.TEXT_OR_FILE, "be let in by this token, or by that in @FILE"),
            flag("new_token", "make a token for events: names or patterns"),
            option("ttl", kinds.DURATION, "of a new token: how long it is good; default 30d"),
            flag("tokens", "list the tokens for events"),
            option(
                "revoke_token",
                kinds.TOKEN_ID,
                "have the token of this ID be of no use any more",
            ),
        ),
        detail=(
            "Jobs name what starts them by events = [...]; such a run finds the event in"
            " $CLAW_EVENT and in the file $CLAW_EVENT_FILE. Within a run the event is that"
            " run's. With a token anybody on this host may tell of the events that the token is"
            " for, say the user of a web server."
        ),
        examples=(
            ("clawctl emit orders.new --data '{\"id\": 7}'", "start what is there for orders"),
            (
                "clawctl emit --new-token 'orders.*' --ttl 90d",
                "let a web server tell of orders",
            ),
        ),
    ),
)
