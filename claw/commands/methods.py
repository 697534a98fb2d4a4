"""Every method of the control protocol: what it takes, what it answers, who may call it.

The master holds requests against this table before it looks at them (`validate`), the
client learns from it which calls may be repeated, ``rpc.discover`` and
docs/reference/protocol.md show it.
"""

from __future__ import annotations

from claw.commands.calls_approvals import APPROVALS
from claw.commands.calls_backup import BACKUPS
from claw.commands.calls_daemon import DAEMON, GENERAL
from claw.commands.calls_definitions import DEFINITIONS
from claw.commands.calls_events import EVENTS
from claw.commands.calls_jobs import JOBS
from claw.commands.calls_locks import IDEM, LOCKS
from claw.commands.calls_names import NAMES
from claw.commands.calls_notify import NOTIFY
from claw.commands.calls_queue import QUEUE
from claw.commands.calls_results import RESULTS
from claw.commands.calls_retry import DLQ
from claw.commands.calls_runs import RUNS
from claw.commands.calls_secrets import SECRETS
from claw.commands.calls_streams import STREAMS
from claw.commands.calls_triggers import TRIGGERS
from claw.commands.calls_watch import WATCH
from claw.commands.calls_workflows import WORKFLOWS
from claw.commands.nearest import did_you_mean
from claw.commands.schema import check
from claw.errors import UnknownMethodError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.commands.method import Method

_TABLES = (
    GENERAL, JOBS, DEFINITIONS, RUNS, RESULTS, STREAMS, DAEMON, IDEM, LOCKS, DLQ, WATCH, QUEUE,
    APPROVALS,
    TRIGGERS,
    WORKFLOWS,
    EVENTS,
    NOTIFY,
    NAMES,
    SECRETS,
    BACKUPS,
)  # fmt: skip
METHODS = {one.name: one for table in _TABLES for one in table}
"""All methods by name."""


def method(name: str) -> Method:
    """Return a method.

    Raises:
        UnknownMethodError: There is none of that name; names the nearest.
    """
    found = METHODS.get(name)
    if found is None:
        hint = did_you_mean(name, METHODS) or "rpc.discover lists them all"
        raise UnknownMethodError(f"there is no method {name!r}", hint=hint)
    return found


def validate(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Hold the parameters of a request against its method, and return them.

    Raises:
        UnknownMethodError: No such method.
        UsageError: A parameter is missing, unknown or of the wrong kind.
    """
    check(params, method(name).params, name)
    return params


def discover() -> dict[str, Any]:
    """Return the answer of ``rpc.discover``."""
    return {
        "methods": [
            {
                "name": one.name,
                "summary": one.summary,
                "role": one.role,
                "params": one.params,
                "result": one.result,
                "notifications": one.sends,
            }
            for one in METHODS.values()
        ]
    }
