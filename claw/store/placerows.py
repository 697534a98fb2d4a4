"""Where runs and batches are found: names without all that hangs on them.

Part of `claw.store.records.Tx`. A run may carry a megabyte of arguments, and whoever wants to
be told which runs there are wants none of it.
"""

from dataclasses import dataclass
from typing import Literal

from claw.model.run import State
from claw.store.statements import Statements

_AFTER_ALL_RUNS, _AFTER_ALL_BATCHES = "s", "c"
_AFTER_ALL_TEXTS = "\U0010ffff"

Which = Literal["newest", "open", "dead", "workflow"]


@dataclass(frozen=True, slots=True)
class Place:
    """A run by its id, its job and its state."""

    id: str
    job: str
    state: State


class PlaceRows(Statements):
    """See the module."""

    def places(self, which: Which, limit: int) -> tuple[Place, ...]:
        """Return some runs of a kind, the newest first; of ``open`` ones any."""
        found = self._do(f"{which}_places", before=_AFTER_ALL_RUNS, limit=limit)
        places = [Place(row["id"], row["job"], State(row["state"])) for row in found]
        return tuple(sorted(places, key=lambda one: one.id, reverse=True))

    def newest_batches(self, limit: int) -> tuple[str, ...]:
        """Return the ids of batches, the newest first; one step for each."""
        found: list[str] = []
        before = _AFTER_ALL_BATCHES
        while len(found) < limit:
            row = self._one("batch_before", before=before)
            if row is None or row["batch"] is None:
                break
            before = row["batch"]
            found.append(before)
        return tuple(found)

    def idem_keys(self, prefix: str, limit: int) -> tuple[str, ...]:
        """Return keys of the ledger that begin with a text."""
        found = self._do("idem_keys", low=prefix, high=prefix + _AFTER_ALL_TEXTS, limit=limit)
        return tuple(row["key"] for row in found)
