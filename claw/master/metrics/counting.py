"""Counts that only grow: of events, kept in the store, so that no restart begins them anew.

Events are counted when somebody asks, and now and then, from where counting ended the last
time; nothing is counted while runs are made. An event is forgotten long after it is counted.
"""

from collections.abc import Sequence
from functools import partial

from claw.master.asyncstore import AsyncStore
from claw.model.job import Config
from claw.model.tally import OTHERS, Tally
from claw.model.values import replace
from claw.store.records import Tx

_AT_ONCE = 5000
"""Events that are looked at in one read of the store; some 15 ms."""
_THROUGH = "events_counted_through"
"""Under this name the store keeps the cursor of the last event that is counted."""


async def count_events(store: AsyncStore, config: Config) -> None:
    """Count the events that have come since the last time.

    Raises:
        StoreError: They cannot be read, or the counts not be kept.
    """
    while await _count_some(store, config):
        pass


async def _count_some(store: AsyncStore, config: Config) -> bool:
    """Count some events; False: there is no more."""

    def read(tx: Tx) -> tuple[int, int, bool, Sequence[Tally]]:
        after, last = _counted_through(tx), tx.last_cursor()
        through = min(after + _AT_ONCE, last)
        found = tx.events_counted(after, through) if through > after else ()
        return after, through, last > through, found

    after, through, has_more, found = await store.read(read)
    if through > after:
        told = [_of_known(config, one) for one in found]
        await store.write(partial(_keep, after=after, through=through, found=told))
    return has_more


def _counted_through(tx: Tx) -> int:
    return int(tx.meta(_THROUGH) or 0)


def _of_known(config: Config, one: Tally) -> Tally:
    """Return a count as it is kept: jobs that are there for one run only are not told apart."""
    job = config.job(one.job)
    is_known = job is not None and job.transient is None
    return one if is_known else replace(one, job=OTHERS)


def _keep(tx: Tx, after: int, through: int, found: Sequence[Tally]) -> None:
    if _counted_through(tx) != after:
        return  # somebody else has counted them
    for one in found:
        tx.add_event_tally(one)
    tx.put_meta(_THROUGH, str(through))
