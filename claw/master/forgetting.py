"""What is over is forgotten in its time: runs with their files, events, dead letters.

All of it goes in small steps, each a transaction of its own, so that nobody waits for it:
files first, then the rows that tell of them, so that a crash in between leaves nothing that
nobody knows of. A run whose supervisor still holds its spool stays for another time.
"""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import trio

from claw.errors import StoreError
from claw.kernel import clock, files
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import deadletters
from claw.master.engine.turn import Turn
from claw.master.output.follow import parse_name
from claw.master.output.keeper import in_idle_thread
from claw.master.supervision import results, spools
from claw.master.wiring import Json
from claw.model import instances
from claw.model.effect import Settled
from claw.model.home import Home
from claw.model.job import Config, Job, Sink
from claw.model.keeping import FileLogMode
from claw.model.run import FINAL, State
from claw.store.pruning import Old, Spared
from claw.store.records import Tx

_LOG = logging.getLogger("claw.retention")
LOOK_S = 600.0
BATCH = 10
"""Runs that are forgotten in one transaction."""
EVENTS_BATCH = 500
_PAUSE_S = 0.02
"""Between two transactions: what others want of the writer comes first."""
_MOST_TURNS = 1000
"""Of removing what one attempt has left; somebody may still add to it."""
_SETTLED = timedelta(seconds=3)
_SLOTS = timedelta(days=1)
_GONE = timedelta(days=7)
"""Files that jobs watched: one that is out of sight for less and comes back is the same."""
EVENTS_FORGOTTEN = "events_forgotten"
"""Under this name the store keeps the cursor of the last event that is not kept any more."""
_AGED = tuple(sorted(FINAL))

_SEEN = 500
"""Jobs, or runs, that are looked at in one read of the store; some 5 ms."""
_LOOKS = 40
"""Reads of one kind each time: what is left is looked at the next time."""

Page = Callable[..., Sequence[Old]]
"""Return the next runs that may go; takes the transaction, and ``after`` which id."""


class Forgetting:
    """Forgets what is older than ``[retention]`` has it kept, as long as the master lives."""

    def __init__(
        self, home: Home, store: AsyncStore, decide: Decider, config: Callable[[], Config]
    ) -> None:
        self._home = home
        self._store = store
        self._decide = decide
        self._config = config
        self._ended: dict[str, None] = {}  # runs whose files may have to go
        self._woken = trio.Event()
        self._after = ""  # the job that was looked at last
        self._aged_after: dict[State, str] = {}

    def on_settled(self, effect: Settled) -> None:
        """Take note of a run whose supervisor is done with it."""
        if self._config().daemon.file_log_mode is FileLogMode.DELETE:
            self._ended[effect.run] = None
            self._woken.set()

    async def serve(self) -> None:
        """Forget, as long as the master lives."""
        await self._safely(partial(self.sweep, is_start=True))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve_age)
            nursery.start_soon(self._serve_files)

    # -- what attempts were given to leave results in ---------------------------------

    async def sweep(self, *, is_start: bool = False) -> None:
        """Remove what is left of attempts whose runs are not under way, a bit at a time.

        Args:
            is_start: What is of no run goes, too; later on it may be about to become one's.
        """
        # In this order: a run is active before it has a place.
        found = await in_idle_thread(partial(results.places, self._home))
        used = {run.id for run in await self._store.read(lambda tx: tx.active_runs())}
        for run, path in found:
            if run in used or (run is None and not is_start):
                continue
            for _ in range(_MOST_TURNS):
                if await in_idle_thread(partial(results.discard, path)):
                    break
                await trio.sleep(_PAUSE_S)

    # -- files whose output is in the database --------------------------------------

    async def _serve_files(self) -> None:
        if self._config().daemon.file_log_mode is FileLogMode.DELETE:
            self._ended.update(dict.fromkeys(await in_idle_thread(self._runs_with_files)))
        while True:
            while self._ended:
                await trio.sleep(_SETTLED.total_seconds())  # followers read to the end
                runs, self._ended = list(self._ended), {}
                await self._safely(partial(self._remove_stored, runs))
            self._woken = trio.Event()
            await self._woken.wait()

    async def _remove_stored(self, runs: Sequence[str]) -> None:
        for run in runs:
            found = await self._store.read(partial(_stored_of, run=run))
            if found is None or not self._is_only_filed(found[0]):
                continue
            label, sizes = found
            await in_idle_thread(partial(_remove_if_stored, self._home, label, run, sizes))

    def _is_only_filed(self, label: str) -> bool:
        """Tell whether a job's output goes to files alone: else forwarding cares for them."""
        job: Job | None = self._config().job(instances.split(label)[0])
        return job is None or job.log.to == (Sink.FILE,)

    def _runs_with_files(self) -> list[str]:
        found: dict[str, None] = {}
        for folder in names_in(self._home.log):
            for name in names_in(f"{self._home.log}/{folder}"):
                run, _, ending = name.partition(".")
                if ending in {"out", "err"} and run.startswith("r"):
                    found[run] = None
        return list(found)

    # -- what is too old -------------------------------------------------------------

    async def _serve_age(self) -> None:
        while True:
            await self._safely(self.forget)
            await trio.sleep(LOOK_S)
            await self._safely(self.sweep)

    async def _safely(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except (StoreError, OSError) as error:
            _LOG.warning("what is old is kept for now: %s", error)

    async def forget(self) -> None:
        """Forget all that is old by now."""
        now, daemon = clock.now(), self._config().daemon
        spared = Spared(settled=now - _SETTLED, slots=now - _SLOTS)
        count = await self._forget_surplus(daemon.keep_runs, spared)
        if daemon.keep_run_age_s:
            before = now - timedelta(seconds=daemon.keep_run_age_s)
            for state in _AGED:
                count += await self._forget_aged(state, before, spared)
        if count:
            _LOG.info("%d runs are not kept any longer", count)
        if daemon.keep_events_s:
            before = now - timedelta(seconds=daemon.keep_events_s)
            await self._forget_events(before)
            over = partial(Tx.prune_alerts, before=before, limit=EVENTS_BATCH)
            await _while_any(partial(self._store.write, over))
            came = partial(Tx.prune_happenings, before=before, limit=EVENTS_BATCH)
            await _while_any(partial(self._store.write, came))
        if daemon.keep_deliveries_s:
            sent_before = now - timedelta(seconds=daemon.keep_deliveries_s)
            told = partial(Tx.prune_deliveries, before=sent_before, limit=EVENTS_BATCH)
            await _while_any(partial(self._store.write, told))
        gone = partial(Tx.prune_watched, before=now - _GONE, limit=EVENTS_BATCH)
        await _while_any(partial(self._store.write, gone))
        if daemon.keep_dead_letters_s:
            await self._expire(now - timedelta(seconds=daemon.keep_dead_letters_s))

    async def _forget_surplus(self, keep: int, spared: Spared) -> int:
        """Look at a bounded number of jobs; the next time goes on behind them."""
        count = 0
        for _ in range(_LOOKS):
            look = partial(
                Tx.jobs_with_surplus, after=self._after, keep=keep, spared=spared, limit=_SEEN
            )
            self._after, jobs = await self._store.read(look)
            for job in jobs:
                count += await self._forget_all(
                    partial(Tx.surplus_of, job=job, keep=keep, spared=spared, limit=BATCH)
                )
            if not self._after:
                break
        return count

    async def _forget_all(self, page: Page) -> int:
        count, after = 0, ""
        while found := await self._store.read(partial(page, after=after)):
            count += await self._forget_some(found)
            after = found[-1].id
        return count

    async def _forget_aged(self, state: State, before: datetime, spared: Spared) -> int:
        """Look at a bounded number of runs; the next time goes on behind them."""
        count = 0
        for _ in range(_LOOKS):
            after = self._aged_after.get(state, "")
            look = partial(
                Tx.aged_in, state=state, before=before, spared=spared, after=after, limit=_SEEN
            )
            self._aged_after[state], found = await self._store.read(look)
            for at in range(0, len(found), BATCH):
                count += await self._forget_some(found[at : at + BATCH])
            if not self._aged_after[state]:
                break
        return count

    async def _forget_some(self, runs: Sequence[Old]) -> int:
        count = await forget_runs(self._home, self._store, runs)
        await trio.sleep(_PAUSE_S)
        return count

    async def _forget_events(self, before: datetime) -> None:
        def forget(tx: Tx) -> bool:
            through = tx.events_older_than(before, EVENTS_BATCH)
            if through is None:
                return False
            tx.delete_events(through)
            tx.put_meta(EVENTS_FORGOTTEN, str(through))
            return True

        await _while_any(partial(self._store.write, forget))

    async def _expire(self, before: datetime) -> None:
        def expire(turn: Turn) -> int:
            return deadletters.expire(turn, before, BATCH)

        await _while_any(partial(self._decide, expire))


async def _while_any(step: Callable[[], Awaitable[object]]) -> None:
    """Take a step again and again, until there is nothing to do."""
    while await step():  # noqa: ASYNC110  a pause for others, not a wait
        await trio.sleep(_PAUSE_S)


async def forget_runs(home: Home, store: AsyncStore, runs: Sequence[Old]) -> int:
    """Remove the files of runs that are over, then their rows; return how many went.

    What a run that waits is to be told of stays.

    Raises:
        StoreError: Their rows cannot be removed now.
    """

    def supervisors(tx: Tx) -> dict[str, tuple[str, ...]]:
        return {one.id: tx.sids_of(one.id) for one in runs if not tx.is_needed(one.id)}

    sids = await store.read(supervisors)
    free = [one for one in runs if one.id in sids]
    gone = await in_idle_thread(partial(_remove_files, home, free, sids))
    return await store.write(lambda tx: tx.delete_runs(gone))


def _remove_files(
    home: Home, runs: Sequence[Old], sids: dict[str, tuple[str, ...]]
) -> list[str]:
    """Remove what lies about of some runs, and return those of which all is gone."""
    gone = []
    for one in runs:
        if any(files.is_locked(f"{home.spool}/{sid}/lock") for sid in sids[one.id]):
            continue  # its supervisor lives, and takes other runs perhaps
        for sid in sids[one.id]:
            spools.remove(home, sid)
        folder = home.job_log(instances.label(one.job, one.instance))
        launches = (f"{home.launches}/{one.id}.{no + 1}" for no in range(one.attempts))
        for path in (*_files_of(folder, one.id), *launches):
            with contextlib.suppress(OSError):
                files.remove(path)
        gone.append(one.id)
    return gone


def _files_of(folder: str, run: str) -> Iterator[str]:
    """Yield what a folder of output may hold of a run-to-completion run."""
    for ending in ("out", "err"):
        path = f"{folder}/{run}.{ending}"
        if not files.exists(path) and not files.exists(f"{path}.idx"):
            continue
        prefix = f"{run}.{ending}"
        for name in names_in(folder):
            if name == prefix or name.startswith(f"{prefix}."):
                yield f"{folder}/{name}"


def _stored_of(tx: Tx, run: str) -> tuple[str, dict[str, int]] | None:
    """Return where a run's files lie, and how much of its output is stored; None: not all."""
    found = tx.run(run)
    if found is None or found.is_open or any(one.data is None for one in tx.outputs(run)):
        return None
    return instances.label(found.job, found.instance), tx.output_sizes(run)


def _remove_if_stored(home: Home, label: str, run: str, sizes: dict[str, int]) -> None:
    """Remove the files of a run of which all that they hold is stored."""
    folder = home.job_log(label)
    for stream, ending in (("stdout", "out"), ("stderr", "err")):
        place = files.place_of(f"{folder}/{run}.{ending}")
        if place is not None and place[1] == sizes.get(stream, 0):
            files.remove(f"{folder}/{run}.{ending}")
            files.remove(f"{folder}/{run}.{ending}.idx")


def remove_output(folder: str, until: str, *, is_idle: bool) -> None:
    """Remove the files of output in a job's folder; what cannot go stays.

    Args:
        folder: The folder.
        until: Those of runs up to this one.
        is_idle: And those of a service.
    """
    for name in names_in(folder):
        output = parse_name(name.removesuffix(".idx"))
        if output is not None and (is_idle if output.run is None else output.run <= until):
            with contextlib.suppress(OSError):
                files.remove(f"{folder}/{name}")


def names_in(folder: str) -> list[str]:
    """Return what a folder holds; nothing, when it cannot be read."""
    try:
        return files.names_in(folder)
    except OSError:
        return []


async def forgotten_through(store: AsyncStore) -> int:
    """Return the cursor up to which events are not kept any more; 0: all are."""
    return int(await store.read(lambda tx: tx.meta(EVENTS_FORGOTTEN)) or 0)


async def told_of_gap(store: AsyncStore, start: int | None) -> Json:
    """Return what a reader of events is told that begins before the first one kept."""
    through = 0 if start is None else await forgotten_through(store)
    return {"forgotten_through": through} if start is not None and start < through else {}
