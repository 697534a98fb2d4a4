"""The key of a job that names its lock, and ``[locks]``."""

from claw.config import kinds
from claw.config.environment import REFERRING
from claw.config.kinds import Kind, show, unlike
from claw.config.table import Applies, Field
from claw.model.ids import JOB_NAME
from claw.model.lock import Backend

_LEAST_S, _MOST_S = 1.0, 3600.0


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise unlike("the name of a lock", value)
    if value and not JOB_NAME.fullmatch(value):
        raise ValueError(
            f"{show(value)} is no name for a lock: letters, digits and . _ - only, at most 64"
        )
    return value


def _lease(value: object) -> float:
    found = kinds.DURATION.parse(value)
    if not _LEAST_S <= found <= _MOST_S:
        raise ValueError(f"{show(value)} is no good lease: 1s at least, 1h at most")
    return found


_NAME = Kind("name", _name, {"type": "string"})
_LEASE = Kind(kinds.DURATION.label, _lease, kinds.DURATION.schema)


class LockKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    lock = Field(
        _NAME,
        "",
        "A lock that each run of the job holds while it is active: of all jobs that name it, on"
        " all daemons that share it (`[locks]`), one run has it, and the others wait.",
        applies=Applies.LIVE,
    )


class LocksKeys:
    """Where it is kept who has which `lock`. In claw.toml only. See docs/locks.md."""

    backend = Field(
        kinds.member_of(Backend),
        "database",
        "`database`: this daemon's own, for its jobs alone; or shared with other daemons: a"
        " `folder` that all of them reach, `etcd`, or `postgres`.",
        applies=Applies.LIVE,
    )
    lease = Field(
        _LEASE,
        "30s",
        "A shared lock of which nothing was heard for so long is another's to take, and the run"
        " that had it is ended. It is renewed after a third of this.",
        applies=Applies.LIVE,
        attr="lease_s",
    )
    folder = Field(
        kinds.LINE,
        "",
        "`folder`: an absolute path. All daemons that share it run as the same user.",
        applies=Applies.LIVE,
    )
    endpoints = Field(
        kinds.list_of(kinds.LINE),
        [],
        "`etcd`: where its servers answer, like `http://127.0.0.1:2379`; the next one is asked"
        " when one does not.",
        applies=Applies.LIVE,
    )
    prefix = Field(
        kinds.LINE,
        "claw/locks/",
        "`etcd`: what the keys of locks begin with.",
        applies=Applies.LIVE,
    )
    ca = Field(
        kinds.LINE,
        "",
        "`etcd`: file of the authority that its servers' certificates are signed by.",
        applies=Applies.LIVE,
    )
    cert = Field(
        kinds.LINE,
        "",
        "`etcd`: file of the certificate to show there, with `key`.",
        applies=Applies.LIVE,
    )
    key = Field(kinds.LINE, "", "`etcd`: file of its key.", applies=Applies.LIVE)
    dsn = Field(
        REFERRING,
        "",
        "`postgres`: how to connect, like `host=db dbname=claw`. A password belongs in"
        " ~/.pgpass of the daemon's user, or stands here as `password=${secret:NAME}`.",
        applies=Applies.LIVE,
    )
    table = Field(
        kinds.LINE,
        "claw_locks",
        "`postgres`: the table of locks; it is made when it is not there.",
        applies=Applies.LIVE,
    )
