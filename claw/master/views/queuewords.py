"""Why a run waits, as it is now.

What the gates have said of a run is on record from when they last looked at it, and they look
at few: of what waits for a slot, a pool or an operator, only those that may go. So what is
shown of that is worked out when it is asked for.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property

from claw.master.engine import definitions, pools
from claw.model import capacity
from claw.model.capacity import Room
from claw.model.job import Config, Job
from claw.model.run import Run, State
from claw.model.values import replace
from claw.store.records import Tx

_OF_CAPACITIES = (
    f"{capacity.MAX_PARALLEL}:",
    capacity.pool(""),
    *pools.OF_CAPACITIES,
)
"""How words begin that may be true no more."""

_BEHIND = "a run before this one"
_NEXT = "waits for its turn"


class QueueWords:
    """One look at what there is of what runs share."""

    def __init__(self, tx: Tx, config: Config) -> None:
        self._tx = tx
        self._config = config

    @cached_property
    def _room(self) -> Room:
        return pools.room(self._tx, self._config, self._tx.active_counts())

    def of(self, run: Run) -> Run:
        """Return a run with what it waits for now."""
        said = run.waiting_for
        if run.state is not State.QUEUED or not said or not said.startswith(_OF_CAPACITIES):
            return run
        job = definitions.recall(self._tx, self._config, run.job)
        now = None if job is None else self._lacking(job)
        if now is None and _BEHIND not in said:
            now = _NEXT
        return run if now is None or now == said else replace(run, waiting_for=now)

    def of_all(self, runs: Mapping[str, Sequence[Run]]) -> dict[str, Sequence[Run]]:
        """Return runs by job, each with what it waits for now."""
        return {name: [self.of(run) for run in several] for name, several in runs.items()}

    def _lacking(self, job: Job) -> str | None:
        for name, amount in capacity.wanted(job):
            lack = None if name == capacity.lock(job.lock) else self._room.lack(name, amount)
            if lack is not None:
                return lack.why
        return None
