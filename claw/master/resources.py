"""Watches what the trees of jobs with ``resources`` use, and acts when that is too much.

One sampler for all of them; without such a job it looks at nothing. What the kernel holds a
tree to, by a control group, is not measured: only that it has struck. See `claw.model.usage`.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import trio

from claw.errors import ClawError, StoreError
from claw.kernel import cgroup, clock
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine.turn import Turn
from claw.master.supervision.cgroups import Groups
from claw.master.supervision.links import Links
from claw.master.views import usage as processes
from claw.model import instances, usage
from claw.model.event import Alert
from claw.model.job import Config, Job, ResourceAction
from claw.model.run import Phase, Run
from claw.model.usage import History, Usage
from claw.store.records import Tx

_LOG = logging.getLogger("claw.resources")
SAMPLE_S = 2.0
_NICENESS = 10
_UP = frozenset({Phase.STARTING, Phase.UP})


@dataclass(frozen=True, slots=True)
class Watched:
    """A run whose tree is limited."""

    job: Job
    run: Run
    roots: tuple[int, ...]  # its child, and the supervisor that takes in orphans


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
        self._told: dict[str, set[str]] = {}  # what has been acted upon, by run

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
        watched = await self._store.read(lambda tx: watched_runs(tx, self._config()))
        found = await trio.to_thread.run_sync(self._measure, watched)
        self._histories = {one.run.id: self._history(one.run) for one in watched}
        self._told = {run: told for run, told in self._told.items() if run in self._histories}
        for one in watched:
            self._histories[one.run.id].add(found[one.run.id])
            await self._judge(one)

    def _history(self, run: Run) -> History:
        known = self._histories.get(run.id)
        if known is None or known.attempt != run.attempt:
            self._told.pop(run.id, None)
            return History(run.attempt)
        return known

    # -- measuring, in a thread -----------------------------------------------------------

    def _measure(self, watched: tuple[Watched, ...]) -> dict[str, Usage]:
        needs_all = any(not self._pids_in_group(one) for one in watched)
        children = processes.children_of_all() if needs_all else {}
        return {one.run.id: self._usage(one, children) for one in watched}

    def _pids_in_group(self, one: Watched) -> list[int]:
        folder = self._groups.tracking
        return cgroup.members(f"{folder}/{one.run.sid}") if folder else []

    def _usage(self, one: Watched, children: processes.Children) -> Usage:
        counts = {
            "oom_kills": self._count(one, "memory", "oom_kill"),
            "forks_refused": self._count(one, "pids", "max"),
        }
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
        limits = one.job.resources
        enforced = frozenset(
            name for name in (usage.MEMORY, usage.CPU, usage.PIDS) if self._enforces(one, name)
        )
        found = usage.beyond(limits, self._histories[one.run.id], enforced)
        told = self._told.setdefault(one.run.id, set())
        fresh = {what: text for what, text in found.items() if what not in told}
        told &= found.keys()
        if fresh:
            await self._act(one, fresh)
        told |= found.keys()

    def _enforces(self, one: Watched, name: str) -> bool:
        """Tell whether the launch has that limit; see `Groups.of`."""
        settings = self._groups.of(str(one.run.sid), one.job.resources).values()
        return any(key.startswith(f"{name}.") for wanted in settings for key in wanted)

    async def _act(self, one: Watched, found: Mapping[str, str]) -> None:
        text, action = "; ".join(found.values()), one.job.resources.action
        _LOG.warning("%s uses too much (%s): %s", one.job.name, action, text)
        if action in {ResourceAction.RESTART, ResourceAction.KILL}:
            await self._stop(one, text, is_kill=action is ResourceAction.KILL)
            return
        if action is ResourceAction.THROTTLE and usage.CPU in found:
            await trio.to_thread.run_sync(self._slow_down, one)
            text += f"; its niceness is {_NICENESS} now"
        await self._decide.patiently(lambda turn: _tell(turn, one, text))

    async def _stop(self, one: Watched, text: str, *, is_kill: bool) -> None:
        grace = {"grace_s": 0.0} if is_kill else {}
        try:
            await self._links.call(
                str(one.run.sid), op="stop", why="resources", by="claw", text=text,
                attempt=one.run.attempt, **grace,
            )  # fmt: skip
        except ClawError as error:
            _LOG.error("%s cannot be stopped: %s", one.job.name, error)
            self._told.pop(one.run.id, None)  # the next look tries again

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


def watched_runs(tx: Tx, config: Config) -> tuple[Watched, ...]:
    """Return the runs that have a child now, of jobs with limits."""
    found = []
    for job in config.jobs:
        if not job.resources.is_limited:
            continue
        for run in tx.active_runs(job.name):
            if run.pid is None or run.sid is None or run.phase not in _UP:
                continue
            supervisor = tx.supervisor(run.sid)
            roots = (run.pid, supervisor.pid) if supervisor and supervisor.pid else (run.pid,)
            found.append(Watched(job, run, roots))
    return tuple(found)


def _tell(turn: Turn, one: Watched, text: str) -> None:
    """Put on record that a job uses too much, and say so until somebody takes note."""
    name = instances.label(one.job.name, one.run.instance)
    turn.note("job.resources", job=one.job.name, run=one.run.id, why=text)
    alert = f"{name} uses too much: {text}. clawctl status -v {name}, then clawctl alerts ack"
    turn.tx.insert_alert(Alert(kind="resources", text=alert, at=turn.now))
