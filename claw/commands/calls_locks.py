"""The methods about locks, and about the idempotency ledger."""

from __future__ import annotations

from claw.commands.method import ADMIN, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    nullable,
    number,
    record,
    string,
    time,
)
from claw.model.units import MAX_DURATION_S

_MOST_KEY = 200
_KEY = string("the key", minLength=1, maxLength=_MOST_KEY)
_ENTRY = {
    "key": string("the key"),
    "state": choice("what the ledger says of it", "free", "claimed", "done", "expired"),
    "run": nullable(string("the run that has claimed it; null: somebody by hand")),
    "by": string("who has claimed it"),
    "at": time("when"),
    "done_at": nullable(time("when the run succeeded")),
    "expires_at": time("free again from then on"),
}
_NEEDED = ("key", "state")

IDEM = (
    reading(
        "idem.list",
        "list the keys of the idempotency ledger",
        record({"after": string("only keys that sort after this one")}),
        record(
            {
                "keys": array("in their order", record(_ENTRY, _NEEDED, is_open=True)),
                "next": nullable(string("ask again with this as `after`; null: no more")),
            },
            ("keys", "next"),
        ),
    ),
    reading(
        "idem.check",
        "tell whether a key is free, and who has it otherwise",
        record({"key": _KEY}, ("key",)),
        record(_ENTRY, _NEEDED, is_open=True),
    ),
    changing(
        "idem.claim",
        "claim a key, if nobody has it",
        record(
            {
                "key": _KEY,
                "ttl_s": number(
                    "how long the claim holds; default a week",
                    minimum=1,
                    maximum=MAX_DURATION_S,
                ),
            },
            ("key",),
        ),
        record(
            {"claimed": boolean("whether the caller has it now"), **_ENTRY},
            ("claimed", *_NEEDED),
            is_open=True,
        ),
    ),
    changing(
        "idem.release",
        "forget a key, so that it can be claimed again",
        record({"key": _KEY}, ("key",)),
        record(_ENTRY, _NEEDED, is_open=True),
        role=ADMIN,
    ),
    changing(
        "idem.prune",
        "forget the keys that have expired",
        record({}),
        record({"pruned": integer("how many")}, ("pruned",)),
        role=ADMIN,
    ),
)

_HOLDER = {
    "run": nullable(string("the run that has it")),
    "host": string("of another master: where it runs"),
    "fence": nullable(integer("number of the last grant")),
    "until": nullable(time("when the lease ends, if it is not renewed")),
}

LOCKS = (
    reading(
        "lock.list",
        "list the locks, with who has them",
        record({}),
        record(
            {
                "locks": array(
                    "by name",
                    record(
                        {
                            "name": string("the lock"),
                            "backend": string("where it is kept"),
                            "state": choice(
                                "granted: about to be a run's; leaving: about to be free",
                                "free",
                                "granted",
                                "held",
                                "leaving",
                                "elsewhere",
                                "unknown",
                            ),
                            "jobs": array("that want it", string("a job")),
                            "job": nullable(string("the job of the run that has it")),
                            "since": nullable(time("of the grant")),
                            "note": string("why it is not known whose it is"),
                            **_HOLDER,
                        },
                        ("name", "state"),
                        is_open=True,
                    ),
                )
            },
            ("locks",),
        ),
    ),
    changing(
        "lock.release",
        "take a lock away, and end the run that has it",
        record({"name": string("the lock")}, ("name",)),
        record({"name": string("the lock"), **_HOLDER}, ("name",), is_open=True),
        role=ADMIN,
    ),
)
