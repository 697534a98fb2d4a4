"""The methods about events that come in."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, changing, reading
from claw.commands.schema import array, choice, nullable, number, record, string, time
from claw.model.units import MAX_DURATION_S

_BRIDGE = {
    "id": string("names it; it is no secret"),
    "patterns": array("the events that it is for", string("a name or pattern")),
    "by": string("who has made it"),
    "at": time("when"),
    "expires_at": time("it is good until then"),
}

EVENTS = (
    changing(
        "event.emit",
        "tell of an event, and start the jobs that name it",
        record(
            {
                "event": string("its name", minLength=1, maxLength=128),
                "data": {"description": "any JSON value, 256 KiB at most; left out: null"},
            },
            ("event",),
        ),
        record(
            {
                "event": string("its id"),
                "name": string("its name"),
                "runs": array(
                    "one for each job that names it; other users are not told",
                    record(
                        {
                            "run": shapes.RUN_ID,
                            "job": shapes.JOB_NAME,
                            "state": choice("of the run", *shapes.RUN_STATES),
                            "reason": nullable(string("why it is skipped")),
                        },
                        ("run", "job", "state"),
                        is_open=True,
                    ),
                ),
            },
            ("event", "name"),
            is_open=True,
        ),
    ),
    changing(
        "bridge.add",
        "make a token by which others may tell of some events",
        record(
            {
                "patterns": array(
                    "of which",
                    string("a name or pattern", minLength=1),
                    minItems=1,
                    maxItems=100,
                ),
                "ttl_s": number(
                    "how long it is good; default 30 days", minimum=1, maximum=MAX_DURATION_S
                ),
            },
            ("patterns",),
        ),
        record(
            {**_BRIDGE, "token": string("the token: to be kept secret")},
            ("id", "token", "expires_at"),
            is_open=True,
        ),
        role=ADMIN,
    ),
    reading(
        "bridge.list",
        "list the tokens for events",
        record({}),
        record(
            {"tokens": array("oldest first", record(_BRIDGE, ("id",), is_open=True))},
            ("tokens",),
        ),
    ),
    changing(
        "bridge.remove",
        "have a token for events be of no use any more",
        record({"id": string("its id")}, ("id",)),
        record(_BRIDGE, ("id",), is_open=True),
        role=ADMIN,
    ),
)
