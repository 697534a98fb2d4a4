"""The methods about backups. To restore one is no method: there is no master then."""

from __future__ import annotations

from claw.commands.method import ADMIN, Method
from claw.commands.schema import array, boolean, integer, nullable, number, record, string, time

_TO = string("elsewhere than `[backup]` says: a folder, or s3://BUCKET/PREFIX")
_BACKUP = record(
    {
        "id": string("names it; the time in UTC"),
        "at": time("when it was made"),
        "size": integer("of the file, bytes"),
        "version": string("of the claw that made it"),
        "name": string("of the file"),
    },
    ("id", "at", "size", "version", "name"),
    is_open=True,
)
_PLACE = string("where they are")

BACKUPS = (
    Method(
        "backup.create",
        "make a backup of the home",
        role=ADMIN,
        is_mutating=True,
        params=record({"to": _TO}),
        result=record({"backup": _BACKUP, "place": _PLACE}, ("backup", "place"), is_open=True),
    ),
    Method(
        "backup.list",
        "list the backups",
        role=ADMIN,  # who names a place has the daemon look there, with its keys
        params=record({"to": _TO}),
        result=record(
            {
                "backups": array("oldest first", _BACKUP),
                "place": _PLACE,
                "making": nullable(integer("bytes that the one being made has taken in")),
            },
            ("backups", "place", "making"),
            is_open=True,
        ),
    ),
    Method(
        "backup.prune",
        "remove the backups that have served",
        role=ADMIN,
        is_mutating=True,
        params=record(
            {
                "to": _TO,
                "keep_s": number("in place of `keep`; 0: none is too old", minimum=0),
                "dry_run": boolean("only tell which"),
            }
        ),
        result=record(
            {
                "removed": array("oldest first", _BACKUP),
                "left": integer("how many stay"),
                "place": _PLACE,
                "dry_run": boolean("nothing was removed"),
            },
            ("removed", "left", "place", "dry_run"),
            is_open=True,
        ),
    ),
)
