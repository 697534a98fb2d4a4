"""The methods about secrets. Only the reply of ``secret.get`` has a value in it.

None takes a ``request_id``: nothing is kept of a value, not even a hash.
"""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, Method
from claw.commands.schema import array, boolean, choice, integer, nullable, record, string, time

_NAME = string("letters, digits and . _ -", minLength=1, maxLength=128)
_VERSION = integer("1 for the first value, one more with each other one", minimum=1)
_HOLDER = record(
    {
        "run": shapes.RUN_ID,
        "job": shapes.JOB_NAME,
        "version": _VERSION,
    },
    ("run", "job", "version"),
    is_open=True,
)
_NAMED = record({"name": _NAME}, ("name",))

SECRETS = (
    Method(
        "secret.set",
        "keep a value, under a name",
        role=ADMIN,
        is_mutating=True,
        params=record(
            {
                "name": _NAME,
                "value": string("the value; one without letters is none", minLength=1),
                "restart": boolean("restart the services that have an older value"),
            },
            ("name", "value"),
        ),
        result=record(
            {
                "name": _NAME,
                "version": _VERSION,
                "changed_at": time("now"),
                "reached": array("services whose next process gets it", shapes.JOB_NAME),
                "restarted": array("services that are being restarted", shapes.JOB_NAME),
                "started": array("services that had failed before they ran", shapes.JOB_NAME),
                "held": array("running processes that have an older value", _HOLDER),
                "warnings": array("what else is worth knowing", string("a sentence")),
            },
            ("name", "version"),
            is_open=True,
        ),
    ),
    Method(
        "secret.get",
        "tell a value",
        role=ADMIN,
        is_mutating=True,
        params=_NAMED,
        result=record(
            {"name": _NAME, "value": string("the value")},
            ("name", "value"),
            is_open=True,
        ),
    ),
    Method(
        "secret.list",
        "list the secrets, without values, and who uses them",
        role=ADMIN,
        result=record(
            {
                "secrets": array(
                    "by name; those that are referred to and not there among them",
                    record(
                        {
                            "name": _NAME,
                            "version": nullable(_VERSION),
                            "changed_at": nullable(time("when it got that")),
                            "kept": nullable(choice("where it is kept", "keyring", "file")),
                            "used_by": array("jobs, and tables like channels.ops", string("")),
                            "held": array("running processes with an older value", _HOLDER),
                        },
                        ("name", "version", "used_by", "held"),
                        is_open=True,
                    ),
                )
            },
            ("secrets",),
        ),
    ),
    Method(
        "secret.delete",
        "forget a value",
        role=ADMIN,
        is_mutating=True,
        params=record(
            {"name": _NAME, "force": boolean("although something refers to it")}, ("name",)
        ),
        result=_NAMED,
    ),
)
