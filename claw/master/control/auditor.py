"""What comes into the audit log: every change, and whatever was refused for want of a right.

Of those who are no admins, refusals are written down with restraint (`Restraint`). Lines are
written at once, as those of the daemon's own log beside it are: a thread for each would cost a
request more than all else that it does outside of the store.
"""

import logging
from collections.abc import Mapping, Sequence

from claw import errors
from claw.commands.method import ADMIN
from claw.kernel import clock
from claw.master.control.audit import AuditLog, Entry, masked
from claw.master.control.peers import Peer
from claw.master.control.restraint import Restraint

log = logging.getLogger("claw.calls")

CONNECT = "connect"
"""What stands in the place of a method where somebody was not even let in."""

_HAS_HAD_EFFECT = frozenset({"ok", "interrupted", errors.InternalError.code})
"""Outcomes of changes that were made, or may have been."""


Done = tuple[str, Mapping[str, object], str]
"""What was asked for: a method, its parameters, and what came of it."""


class Auditor:
    """See the module; one for each socket."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit
        self._restraint = Restraint()

    def write(self, peer: Peer, done: Sequence[Done]) -> None:
        """Write down what somebody has asked for, in one piece."""
        entries = []
        for method, params, outcome in done:
            left_out = self._left_out(peer, outcome)
            if left_out is not None:
                entry = Entry(
                    at=clock.now(),
                    uid=peer.uid,
                    user=peer.name,
                    role=peer.role,
                    pid=peer.pid,
                    method=method,
                    params=params,
                    outcome=outcome,
                    left_out=left_out,
                )
                entries.append(entry)
        try:
            self._audit.append(*entries)
        except OSError as error:
            for one in entries:
                asked = f"{one.method} by uid {one.uid}: {masked(one.params)}"
                log.error("the audit log cannot be written: %s: %s", error, asked)  # noqa: TRY400

    def _left_out(self, peer: Peer, outcome: str) -> int | None:
        """Return what was not written down before this; None: nor is this."""
        if peer.role == ADMIN:
            return 0
        if outcome in _HAS_HAD_EFFECT:
            return self._restraint.left_out(peer.uid)
        return self._restraint.refused(peer.uid, clock.monotonic())
