"""One task for each child that is looked at; none for all the others.

What is looked at follows from the store alone: when something becomes of a run, and when a
master begins, the run is read and its task begun, ended, or left as it is. So checks go on
under the next master, and none is ever run against a child that is not there.

A task waits for nobody: each look has a time limit of its own and is made by one task, so
that one that hangs keeps no other waiting and is never made twice at once.
"""

import logging
import os.path
from collections.abc import Awaitable, Callable, Collection
from functools import partial

import trio

from claw.errors import ClawError, StoreError
from claw.kernel import clock
from claw.kernel.causes import reason
from claw.master.asyncstore import AsyncStore
from claw.master.checks.logsearch import LogSearch, beginnings
from claw.master.checks.matcher import Matcher
from claw.master.checks.names import Resolver
from claw.master.checks.probes import Call, Probes
from claw.master.checks.reasons import NoLookError
from claw.master.checks.subject import PROBED, Subject, subject_of
from claw.master.confidant import Confidant
from claw.master.reaper import Reaper
from claw.master.supervision.launches import Surroundings
from claw.master.supervision.links import Links
from claw.model.checks import HEALTHY, UNHEALTHY, Health, HealthAction, Ready, ReadyType
from claw.model.home import Home
from claw.model.job import Config, Job
from claw.model.run import Attempt, Run
from claw.store.records import Tx

_LOG = logging.getLogger("claw.checks")
READY_LOOK_S = 5.0
"""A look for readiness takes no longer; the next one may find what this one did not."""
_STORE_PAUSE_S = 1.0
AGAIN_S = 1.0
"""Pause before checks that have failed, not what they look at, begin again."""


class Checks:
    """Begins and ends the tasks; see the module."""

    def __init__(
        self,
        home: Home,
        store: AsyncStore,
        config: Callable[[], Config],
        links: Links,
        around: tuple[Reaper, Surroundings],
        confidant: Confidant,
    ) -> None:
        self._home = home
        reaper, self._around = around
        self._store = store
        self._config = config
        self._call: Call = links.call
        self._probes = Probes(links.call, confidant)
        self._matcher = Matcher(reaper)
        self._tasks: dict[str, tuple[Subject, trio.CancelScope]] = {}
        self._notes: dict[str, str] = {}
        self._changed: set[str] | None = None  # None: look at all runs
        self._wake = trio.Event()

    def recheck(self, job: str, run: str) -> None:
        """Something has become of a run; without a job: it is over, or made anew."""
        if run not in self._tasks and not self._is_checked(job):
            return
        if self._changed is not None:
            self._changed.add(run)
        self._wake.set()

    def recheck_all(self) -> None:
        """The configuration has changed."""
        self._changed = None
        self._wake.set()

    def note(self, run: str) -> str | None:
        """Return what the last look at a run found wrong, None when nothing."""
        return self._notes.get(run)

    def _is_checked(self, name: str) -> bool:
        job = self._config().job(name)
        return job is not None and (job.health is not None or job.ready.type in PROBED)

    async def serve(self) -> None:
        """Look at what is to be looked at, until cancelled."""
        trio.socket.set_custom_hostname_resolver(Resolver())
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                changed, self._changed = self._changed, set()
                try:
                    self._settle(nursery, changed, await self._read(changed))
                except StoreError as error:
                    _LOG.error("what is to be checked cannot be read: %s", error)
                    self._changed = None
                    await trio.sleep(_STORE_PAUSE_S)
                    continue
                await self._wake.wait()

    async def _read(self, changed: Collection[str] | None) -> dict[str, tuple[Subject, Run]]:
        """Read what is to be looked at, of some runs or of all that are active."""
        config = self._config()

        def read(tx: Tx) -> list[tuple[Job, Run, Attempt | None]]:
            found: list[tuple[Job, Run, Attempt | None]] = []
            runs = tx.active_runs() if changed is None else map(tx.run, changed)
            for run in runs:
                job = None if run is None else config.job(run.job)
                if run is None or job is None:
                    continue
                found.append((job, run, tx.attempt(run.id, run.attempt)))
            return found

        subjects: dict[str, tuple[Subject, Run]] = {}
        for job, run, attempt in await self._store.read(read):
            subject = subject_of(job, run, attempt, await self._home_of(job))
            if subject is not None:
                subjects[run.id] = (subject, run)
        return subjects

    async def _home_of(self, job: Job) -> str:
        if os.path.isabs(job.cwd) or not self._is_checked(job.name):  # noqa: PTH117
            return "/"  # as good as another
        try:
            return (await self._around.of(job)).home
        except (LookupError, OSError):
            return "/"

    def _settle(
        self,
        nursery: trio.Nursery,
        changed: Collection[str] | None,
        found: dict[str, tuple[Subject, Run]],
    ) -> None:
        """End the tasks that have lost their subject, and begin those that have a new one."""
        for run_id in tuple(self._tasks) if changed is None else changed:
            subject = found[run_id][0] if run_id in found else None
            task = self._tasks.get(run_id)
            if task is not None and task[0] != subject:
                self._end(run_id)
        for run_id, (subject, run) in found.items():
            if run_id not in self._tasks:
                scope = trio.CancelScope()
                self._tasks[run_id] = (subject, scope)
                nursery.start_soon(self._run, subject, run, scope)

    def _end(self, run_id: str) -> None:
        _subject, scope = self._tasks.pop(run_id)
        scope.cancel()
        self._notes.pop(run_id, None)

    async def _run(self, subject: Subject, run: Run, scope: trio.CancelScope) -> None:
        with scope:
            known = run.health
            while not await self._check(subject, known):
                known = None  # it may have changed meanwhile
                await trio.sleep(AGAIN_S)
        if scope.cancelled_caught:  # an answer that came with its end is of no more interest
            self._notes.pop(subject.run, None)

    async def _check(self, subject: Subject, known: str | None) -> bool:
        """Look until there is nothing more to see; False: that failed, and begins again."""
        try:
            if isinstance(subject.check, Health):
                await self._watch_health(subject, subject.check, known)
            else:
                await self._await_ready(subject, subject.check)
        except (ClawError, OSError, RuntimeError, trio.BrokenResourceError) as error:
            await self._note_no_look(subject, reason(error))
            return False
        except Exception as error:  # noqa: BLE001  the edge of one job's loop
            _LOG.exception("the check of job %s has failed; it begins again", subject.job)
            await self._note_no_look(subject, reason(error))
            return False
        return True

    async def _note_no_look(self, subject: Subject, why: str) -> None:
        """Say that it could not be looked, once for each reason; nothing follows from it."""
        text = f"it could not be checked: {why}"
        if self._notes.get(subject.run) == text:
            return
        _LOG.warning("job %s: %s", subject.job, text)
        self._notes[subject.run] = text
        if not isinstance(subject.check, Health):
            await self._tell(subject, op="unready", why=text)

    # -- readiness ---------------------------------------------------------------------

    async def _await_ready(self, subject: Subject, ready: Ready) -> None:
        """Look until the child is ready, and tell its supervisor."""
        if ready.type is not ReadyType.LOG:
            await self._look_until_ready(
                subject, ready, partial(self._probes.look, subject, READY_LOOK_S)
            )
            return
        journal = f"{self._home.spool}/{subject.sid}/journal"
        async with self._matcher.used():
            search = LogSearch(
                self._matcher, ready.pattern, beginnings(journal, subject.attempt)
            )
            await self._look_until_ready(subject, ready, search.look)

    async def _look_until_ready(
        self, subject: Subject, ready: Ready, look: Callable[[], Awaitable[str | None]]
    ) -> None:
        is_found = False
        while True:
            begun = trio.current_time()
            try:
                why = None if is_found else await look()
            except NoLookError as error:
                await self._note_no_look(subject, error.message)
            else:
                is_found = why is None
                if is_found and await self._tell(subject, op="ready", by=str(ready.type)):
                    return
                if why is not None and self._notes.get(subject.run) != why:
                    self._notes[subject.run] = why
                    await self._tell(subject, op="unready", why=why)
            await trio.sleep_until(begun + ready.interval_s)

    # -- health --------------------------------------------------------------------------

    async def _watch_health(self, subject: Subject, health: Health, state: str | None) -> None:
        """Look again and again, and tell of every change.

        A look that could not be made is as if there had been none.
        """
        failures = 0
        await trio.sleep(_wait_s(subject, health))
        while True:
            begun = trio.current_time()
            try:
                why = await self._probes.look(subject, health.timeout_s)
            except NoLookError as error:
                await self._note_no_look(subject, error.message)
            else:
                failures = failures + 1 if why else 0
                self._note_failures(subject.run, failures, why)
                state = await self._judge(subject, health, state, failures, why)
            await trio.sleep_until(begun + health.interval_s)

    async def _judge(
        self,
        subject: Subject,
        health: Health,
        state: str | None,
        failures: int,
        why: str | None,
    ) -> str | None:
        """Tell the supervisor what has changed, have it act; return what it knows now."""
        if why is None and state != HEALTHY and await self._say(subject, HEALTHY, ""):
            return HEALTHY
        if why is not None and failures >= health.failures:
            text = why if failures == 1 else f"{failures} checks in a row failed: {why}"
            if state == UNHEALTHY or await self._say(subject, UNHEALTHY, text):
                await self._act(subject, health, text)
                return UNHEALTHY
        return state

    def _note_failures(self, run: str, failures: int, why: str | None) -> None:
        if why is None:
            self._notes.pop(run, None)
        else:
            times = "the last check" if failures == 1 else f"the last {failures} checks"
            self._notes[run] = f"{times} failed: {why}"

    async def _say(self, subject: Subject, state: str, why: str) -> bool:
        return await self._tell(subject, op="health", state=state, why=why)

    async def _act(self, subject: Subject, health: Health, why: str) -> None:
        if health.action is HealthAction.RESTART:
            await self._tell(subject, op="stop", why=UNHEALTHY, by="claw", text=why)

    async def _tell(self, subject: Subject, **message: object) -> bool:
        """Tell the supervisor; False: it cannot be told now."""
        try:
            await self._call(subject.sid, attempt=subject.attempt, **message)
        except ClawError as error:
            _LOG.debug("%s cannot be told: %s", subject.job, error)
            return False
        return True


def _wait_s(subject: Subject, health: Health) -> float:
    """Return the time to the first check.

    What should have been checked already is checked at some time of the interval, which
    differs from run to run: a master that begins has not all of it to do at once.
    """
    since = subject.ready_at or subject.started_at
    left_s = health.start_period_s - (clock.now() - since).total_seconds()
    if left_s > -health.interval_s:
        return max(left_s, 0.0)
    return health.interval_s * (int.from_bytes(subject.run[-4:].encode(), "big") % 1000) / 1000
