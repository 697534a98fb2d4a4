"""Watches what the trees of jobs with ``resources`` use, and acts when that is too much.

One sampler for all of them; without such a job it looks at nothing. What the kernel holds a
tree to, by a control group, is not measured: only that it has struck. See `claw.model.usage`.
"""

import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import trio

from claw.errors import ClawError, StoreError
from claw.kernel import cgroup, clock
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import alerts
from claw.master.engine.turn import Turn
from claw.master.supervision.cgroups import Groups
from claw.master.supervision.links import Links
from claw.master.views import usage as processes
from claw.model import instances, usage
from claw.model.alerts import RESOURCES
from claw.model.event import Event
from claw.model.job import Config, Job, ResourceAction
from claw.model.run import Phase, Run
from claw.model.usage import Excesses, History, Usage
from claw.store.records import Tx

_LOG = logging.getLogger("claw.resources")
SAMPLE_S = 2.0
_NICENESS = 10
_UP = frozenset({Phase.STARTING, Phase.UP})
_STOPS = frozenset({ResourceAction.RESTART, ResourceAction.KILL})
_BEYOND, _OVER = "job.resources", "job.resources_over"


@dataclass(frozen=True, slots=True)
class Watched:
    """A run whose tree is limited.

    Attributes:
        job: Its job.
        run: The run.
        roots: Its child, and the supervisor that takes in orphans.
        told: Of a run not known before: what a master has told that it is beyond, and is
            not over; None when nothing was ever told.
    """

    job: Job
    run: Run
    roots: tuple[int, ...]
    told: frozenset[str] | None = None


class Sampler:
    """Looks at all limited trees, every few seconds."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: AsyncStore,
        decide: Decider,
        links: Links,
        groups: Groups,
    ) -> None:
        self._config = config
        self._store = store
        self._decide = decide
        self._links = links
        self._groups = groups
        self._histories: dict[str, History] = {}
        self._told: dict[str, Excesses] = {}  # what has been acted upon, by run

    async def serve(self) -> None:
        """Look again and again; never returns."""
        is_short = False
        while True:
            await trio.sleep(SAMPLE_S)
            if not any(job.resources.is_limited for job in self._config().jobs):
                continue
            try:
                await self._look()
                is_short = False
            except StoreError as error:
                _LOG.error("the use of resources cannot be watched: %s", error)
            except OSError as error:  # of /proc, for want of descriptors or memory
                if not is_short:
                    _LOG.error("the use of resources cannot be measured for now: %s", error)
                is_short = True

    async def _look(self) -> None:
        known = self._histories.keys()
        watched = await self._store.read(lambda tx: watched_runs(tx, self._config(), known))
        found = await trio.to_thread.run_sync(self._measure, watched)
        self._histories = {one.run.id: self._history(one) for one in watched}
        self._told = {run: told for run, told in self._told.items() if run in self._histories}
        for one in watched:
            self._histories[one.run.id].add(found[one.run.id])
            await self._judge(one)

    def _history(self, one: Watched) -> History:
        run, known = one.run, self._histories.get(one.run.id)
        if known is None:
            told = () if one.job.resources.action in _STOPS else one.told or ()
            self._told[run.id] = Excesses(dict.fromkeys(told, clock.monotonic()))
            return History(run.attempt, is_all=run.attempt == 1 and one.told is None)
        if known.attempt == run.attempt:
            return known
        if one.job.resources.action in _STOPS:  # each attempt is stopped for itself
            self._told.pop(run.id, None)
        return History(run.attempt)

    # -- measuring, in a thread -----------------------------------------------------------

    def _measure(self, watched: tuple[Watched, ...]) -> dict[str, Usage]:
        needs_all = any(not self._pids_in_group(one) for one in watched)
        children = processes.children_of_all() if needs_all else {}
        return {one.run.id: self._usage(one, children) for one in watched}

    def _pids_in_group(self, one: Watched) -> list[int]:
        folder = self._groups.tracking
        return cgroup.members(f"{folder}/{one.run.sid}") if folder else []

    def _usage(self, one: Watched, children: processes.Children) -> Usage:
        enforced = self._enforced(one)
        counts: dict[str, int] = {}
        if usage.MEMORY in enforced:
            counts["oom_kills"] = self._count(one, usage.MEMORY, "oom_kill")
        if usage.PIDS in enforced:
            counts["forks_refused"] = self._count(one, usage.PIDS, "max")
        pids = self._pids_in_group(one) or processes.pids_below(one.roots, children)
        memory, cpu_s, threads = processes.sum_of(pids)
        return Usage(
            at_s=clock.monotonic(), memory_bytes=memory, cpu_s=cpu_s, pids=threads, **counts
        )

    def _count(self, one: Watched, controller: str, key: str) -> int:
        groups = self._groups
        folder = groups.older.get(controller, groups.tracking)
        names = {"memory": ("memory.events", "memory.oom_control"), "pids": ("pids.events",)}
        return sum(
            cgroup.count(f"{folder}/{one.run.sid}", name, key) for name in names[controller]
        )

    # -- acting ------------------------------------------------------------------------------

    async def _judge(self, one: Watched) -> None:
        history = self._histories[one.run.id]
        now_s = history.usages[-1].at_s
        found = usage.beyond(one.job.resources, history, self._enforced(one))
        before = self._told.get(one.run.id, Excesses())
        after = before.after(found, now_s)
        fresh, over = before.fresh(found), before.over(found, now_s)
        if fresh and not await self._act(one, fresh, after):
            return
        if over:
            await self._decide.patiently(lambda turn: _tell_over(turn, one, over, after))
        self._told[one.run.id] = after

    def _enforced(self, one: Watched) -> frozenset[str]:
        """Return the limits that the kernel holds the launch to; see `Groups.of`."""
        settings = self._groups.of(str(one.run.sid), one.job.resources).values()
        return frozenset(key.partition(".")[0] for wanted in settings for key in wanted)

    async def _act(self, one: Watched, fresh: Mapping[str, str], told: Excesses) -> bool:
        """Do what is wanted of what is newly beyond; False: it shall be tried again."""
        text, action = "; ".join(fresh.values()), one.job.resources.action
        _LOG.warning("%s uses too much (%s): %s", one.job.name, action, text)
        if action in _STOPS:
            return await self._stop(one, text, is_kill=action is ResourceAction.KILL)
        if action is ResourceAction.THROTTLE and usage.CPU in fresh:
            await trio.to_thread.run_sync(self._slow_down, one)
            text += f"; its niceness is {_NICENESS} now"
        await self._decide.patiently(lambda turn: _tell(turn, one, text, fresh, told))
        return True

    async def _stop(self, one: Watched, text: str, *, is_kill: bool) -> bool:
        grace = {"grace_s": 0.0} if is_kill else {}
        try:
            await self._links.call(
                str(one.run.sid), op="stop", run=one.run.id, attempt=one.run.attempt,
                why="resources", by="claw", text=text, **grace,
            )  # fmt: skip
        except ClawError as error:
            _LOG.error("%s cannot be stopped: %s", one.job.name, error)
            return False
        return True

    def _slow_down(self, one: Watched) -> None:
        pids = self._pids_in_group(one) or processes.pids_below(
            one.roots, processes.children_of_all()
        )
        for pid in pids:
            try:
                if os.getpriority(os.PRIO_PROCESS, pid) < _NICENESS:
                    os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)
            except OSError:
                continue


def watched_runs(
    tx: Tx, config: Config, known: Collection[str] = frozenset()
) -> tuple[Watched, ...]:
    """Return the runs that have a child now, of jobs with limits.

    Args:
        tx: Where they are looked up.
        config: The jobs.
        known: Runs of which it is known what they have been told to be beyond.
    """
    found = []
    for job in config.jobs:
        if not job.resources.is_limited:
            continue
        for run in tx.active_runs(job.name):
            if run.pid is None or run.sid is None or run.phase not in _UP:
                continue
            supervisor = tx.supervisor(run.sid)
            roots = (run.pid, supervisor.pid) if supervisor and supervisor.pid else (run.pid,)
            told = None if run.id in known else _told(tx, run)
            found.append(Watched(job, run, roots, told))
    return tuple(found)


def _told(tx: Tx, run: Run) -> frozenset[str] | None:
    """Return what the last event says that a run is beyond; None: there is no event."""
    last = tx.last_event(run.id, f"{_BEYOND}*")
    return frozenset((last.new or "").split(", ")) - {""} if last else None


def _note(turn: Turn, one: Watched, kind: str, why: str, told: Excesses) -> None:
    """Append an event; ``new`` is all that the run is beyond after it, for `_told`."""
    turn.tx.append_event(
        Event(
            at=turn.now, type=kind, job=one.job.name, run=one.run.id, why=why,
            new=", ".join(sorted(told.seen_at_s)),
        )
    )  # fmt: skip


def _tell(
    turn: Turn, one: Watched, text: str, fresh: Mapping[str, str], told: Excesses
) -> None:
    """Put on record that a job uses too much, and say so until that is over."""
    name = instances.label(one.job.name, one.run.instance)
    _note(turn, one, _BEYOND, text, told)
    for what, said in fresh.items():
        alert = f"{name} uses too much: {said}. clawctl status -v {name}"
        about = f"{name} {what}"
        alerts.raise_alert(turn, RESOURCES, one.job.name, one.run.id, alert, about=about)


def _tell_over(turn: Turn, one: Watched, over: Collection[str], told: Excesses) -> None:
    """Put on record that a job is within limits again."""
    name = instances.label(one.job.name, one.run.instance)
    text = f"{', '.join(over)} within its limit again for {usage.CALM_S:g} s"
    _note(turn, one, _OVER, text, told)
    for what in over:
        alerts.resolve(turn, RESOURCES, one.job.name, text, about=f"{name} {what}")
