"""The method by which shells learn what there is."""

from __future__ import annotations

from claw.commands.method import MAX_PAGE, reading
from claw.commands.schema import array, choice, integer, record, string

NAMED = (
    "jobs", "targets", "tags", "workflows", "events",
    "runs", "open", "dead", "pending", "batches",
    "pools", "locks", "keys", "secrets",
    "channels", "aliases", "deliveries", "alerts", "tokens",
)  # fmt: skip
"""Kinds of names: ``targets`` are jobs, instances, ``tag:TAG`` and ``all``; ``runs`` the newest
ones by the letters that people see, ``open``, ``dead`` and ``pending`` some of them;
``secrets`` those that something refers to, and to an admin all."""

NAMES = (
    reading(
        "name.list",
        "list names that begin with a text, for completion",
        record(
            {
                "kind": choice("of what", *NAMED),
                "prefix": string("what they begin with; all when left out", maxLength=200),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
            },
            ("kind",),
        ),
        record(
            {
                "names": array(
                    "in the order in which they are offered: of runs the newest first",
                    record(
                        {
                            "name": string("as it is typed"),
                            "says": string("what it is, in a few words; may be empty"),
                        },
                        ("name", "says"),
                        is_open=True,
                    ),
                )
            },
            ("names",),
        ),
    ),
)
