"""A rolling restart: a service's instances made anew, a few at a time.

The next ones begin only when the last are ready; at the first that fails, it stops, and
the others go on as they are. What it has come to is kept in the store after every step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from claw.model import machine
from claw.model.run import Attempt, Run, State
from claw.model.values import replace


@dataclass(frozen=True, slots=True)
class Renewal:
    """One instance that is being made anew.

    Attributes:
        instance: Its number.
        run: Its run.
        attempt: The last attempt there was when it was asked for.
        sid: The supervisor of that; what it starts by itself until it hears is not counted.
    """

    instance: int
    run: str
    attempt: int
    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A rolling restart of one job; a row of the store."""

    job: str
    at: datetime
    by: str
    why: str  # restart | reload
    batch: int
    todo: tuple[int, ...]
    busy: tuple[Renewal, ...] = ()
    done: tuple[int, ...] = ()
    failed: str | None = None  # which instance, and how

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.failed is not None or not (self.todo or self.busy)


class Fate(Enum):
    """What has become of an instance that is being made anew, when it has not failed."""

    WAITS = 1
    READY = 2
    GONE = 3  # an operator has ended it meanwhile


def fate(renewal: Renewal, run: Run | None, attempts: Sequence[Attempt]) -> Fate | str:
    """Return how it stands with an instance; a text says how it failed.

    Args:
        renewal: What was asked for.
        run: Its run as it is now.
        attempts: That run's last ones.
    """
    if run is None or run.state is State.CANCELED:
        return Fate.GONE
    later = [one for one in attempts if one.no > renewal.attempt and one.sid != renewal.sid]
    if any(one.ready_at is not None for one in later):
        return Fate.READY
    failed = next((one for one in later if one.ended_at is not None), None)
    if failed is not None:
        how = failed.error or machine.exit_text(failed.exit_code, failed.signal)
        return f"{how}, before it was ready"
    return Fate.WAITS if run.is_open else run.reason or str(run.state)


def proceed(rollout: Rollout, fates: Mapping[int, Fate | str]) -> tuple[Rollout, int]:
    """Return a rolling restart after what has happened, and how many may begin now."""
    busy, done = [], list(rollout.done)
    for renewal in rollout.busy:
        found = fates[renewal.instance]
        if isinstance(found, str):
            failed = f"{rollout.job}@{renewal.instance}: {found}"
            return replace(rollout, failed=failed), 0
        if found is Fate.WAITS:
            busy.append(renewal)
        elif found is Fate.READY:
            done.append(renewal.instance)
    after = replace(rollout, busy=tuple(busy), done=tuple(done))
    return after, max(min(rollout.batch - len(busy), len(rollout.todo)), 0)
