"""The idempotency ledger: whether something was done before, by whom, and until when.

A key is claimed before the work that it stands for. Of an entry that a run made:

==========================  ==================================================
what happens                what becomes of the entry
==========================  ==================================================
the run succeeds            done: nobody may claim the key before it expires
it ends in any other way    forgotten: the key is free
another attempt of it       may claim the key again: it is the run's own
==========================  ==================================================

Whoever claims a key by hand, outside of a run, releases it by hand, or lets it expire.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from claw.model.run import Run

KEPT = timedelta(days=7)
"""How long a key is remembered, unless its claim says otherwise."""

_OWN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the ledger says of one key; a row of the store."""

    key: str
    run: str | None  # that has claimed it; None: somebody by hand
    by: str
    at: datetime
    done_at: datetime | None = None  # when the run succeeded
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Whether the key is free in spite of the entry."""
        return self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who claims a key."""

    run: str | None
    by: str


def key_of(run: Run) -> str:
    """Return the key of a run's own work: the same for all attempts of it.

    The first 32 digits of SHA-256 over the job and the slot, or, for a run that no schedule
    asked for, over the job and what makes its origin the only one.
    """
    if run.slot_at is not None:
        what = run.slot_at.astimezone(UTC).isoformat()
    else:
        what = f"{run.origin}\n{run.origin_key}"
    return hashlib.sha256(f"{run.job}\n{what}".encode()).hexdigest()[:32]


def is_own(key: str) -> bool:
    """Tell whether a key has the form of those that `key_of` gives."""
    return _OWN.fullmatch(key) is not None


def claim(
    known: Entry | None, key: str, who: Claimant, now: datetime, kept: timedelta = KEPT
) -> tuple[Entry, bool]:
    """Claim a key.

    Args:
        known: What the ledger says of it.
        key: The key.
        who: Claims it.
        now: When.
        kept: How long the claim is to hold.

    Returns:
        What the ledger is to say from now on, and whether the caller has the key.
    """
    if known is not None and not known.is_expired(now):
        is_again = known.run is not None and known.run == who.run and known.done_at is None
        return known, is_again
    return Entry(key=key, run=who.run, by=who.by, at=now, expires_at=now + kept), True
