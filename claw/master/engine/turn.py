"""A turn: one decision, made within one writing transaction.

Every function of the engine takes a `Turn` first. It reads and writes through `Turn.tx`,
decides by the pure functions of `claw.model`, and leaves in `Turn.effects` what the master
has to do once the transaction is committed::

    def inside(tx: Tx) -> tuple[T, list[Effect]]:
        turn = Turn(tx, config, clock.now())
        value = decide(turn)
        consequences.follow(turn)
        return value, list(turn.effects)

    value, effects = await store.write(inside)
    # only now: perform the effects

A function that raises leaves nothing behind: the store takes back its savepoint, and the
effects are never seen.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from claw.errors import ConflictError, NotFoundError
from claw.kernel import clock
from claw.master.engine import definitions
from claw.model import ids, machine, outcome
from claw.model.effect import Effect, EssentialEnded, Reschedule
from claw.model.event import Event
from claw.model.gates import InstanceStanding, Standing
from claw.model.job import Config, Job, JobType
from claw.model.run import Attempt, Run, State, Supervisor, may_move
from claw.model.values import quick, replace
from claw.store.records import Tx


@quick
@dataclass(frozen=True, slots=True)
class Change:
    """What one step has made of a run."""

    before: Run
    after: Run
    attempt: Attempt | None  # if it is about one
    is_new: bool = False  # the run was stored just now, `before` is as `after`

    @property
    def is_end(self) -> bool:
        """Whether the run has become final by it, or was so from the first."""
        return not self.after.is_open and (self.before.is_open or self.is_new)


class Turn:
    """The transaction, the configuration, the time, and the effects so far."""

    __slots__ = (
        "_random",
        "_runs_made",
        "_undo",
        "changes",
        "config",
        "effects",
        "free",
        "is_history",
        "now",
        "told",
        "tx",
    )

    def __init__(
        self,
        tx: Tx,
        config: Config,
        now: datetime,
        random: Callable[[int], bytes] = clock.random,
    ) -> None:
        self._random = random
        self._runs_made = 0
        self._undo: list[Callable[[], None]] = []
        self.tx = tx
        self.config = config
        self.now = now
        self.effects: dict[Effect, None] = {}  # in their order, each once
        self.free: list[tuple[str, int]] = []  # supervisors, and the sizes of their journals
        self.told = len(tx.events_appended)  # so many were there, or are told to others
        self.is_history = False  # all is long past: nothing is begun by it any more
        self.changes: list[Change] = []  # for `claw.master.engine.consequences`

    def take_back(self) -> None:
        """Undo what is beside the transaction, of which nothing is stored."""
        for undo in reversed(self._undo):
            undo()

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Take back what the block has done, and nothing else, when it raises."""
        effects, changes, before = dict(self.effects), list(self.changes), len(self._undo)
        try:
            with self.tx.part():
                yield
        except BaseException:
            while len(self._undo) > before:
                self._undo.pop()()
            self.effects, self.changes = effects, changes
            raise

    def take_up(self, job: Job) -> None:
        """Have a job that is there for one run only found by its name."""
        transients = self.config.transients
        if not transients.is_open(job.name):
            self._undo.append(partial(transients.retire, job.name))
        transients.add(job)

    def emit(self, *effects: Effect) -> None:
        """Have something done after the commit, once."""
        for effect in effects:
            self.effects[effect] = None

    def note(
        self,
        kind: str,
        *,
        job: str | None = None,
        run: str | None = None,
        why: str | None = None,
        by: str | None = None,
    ) -> None:
        """Append an event that is no move of a run."""
        self.tx.append_event(Event(at=self.now, type=kind, job=job, run=run, why=why, by=by))

    def new_run_id(self) -> str:
        """Return an id that no run has; ids tell the order of a turn's first 4095."""
        self._runs_made += 1
        return ids.run_id(self._millis(), self._random(10), self._runs_made)

    def new_batch_id(self) -> str:
        """Return an id that no batch of runs has."""
        return ids.batch_id(self._millis(), self._random(10))

    def new_event_id(self) -> str:
        """Return an id that no event which came in has."""
        return ids.event_id(self._millis(), self._random(10))

    def new_bridge_id(self) -> str:
        """Return an id that no token for events has."""
        return ids.bridge_id(self._millis(), self._random(10))

    def new_sid(self) -> str:
        """Return an id that no supervisor has."""
        return ids.supervisor_id(self._millis(), self._random(10))

    def supervisor_for(self, run: Run, job: Job) -> Supervisor:
        """Return who is to take a run: one that is free, if it will do, else a new one.

        All that a free one has written must have taken effect: its journal goes on.
        """
        while job.is_plain and self.free:
            sid, size = self.free.pop()
            known = self.tx.supervisor(sid)
            if known is not None and known.closed_at is not None and known.offset >= size:
                return replace(known, run=run.id, job=run.job, closed_at=None)
        return Supervisor(sid=self.new_sid(), run=run.id, job=run.job, created_at=self.now)

    def _millis(self) -> int:
        return int(self.now.timestamp() * 1000)

    def job(self, name: str) -> Job:
        """Return a job's definition.

        Raises:
            NotFoundError: The configuration has none of that name.
        """
        found = definitions.recall(self.tx, self.config, name)
        if found is None:
            raise NotFoundError(f"no job {name!r}", hint="clawctl status lists the jobs")
        return found

    def run(self, run_id: str) -> Run:
        """Return a run by its whole id.

        Raises:
            NotFoundError: There is none.
        """
        found = self.tx.run(run_id)
        if found is None:
            raise NotFoundError(f"no run {run_id!r}", hint="clawctl runs list lists them")
        return found

    def standing(self, name: str) -> Standing:
        """Return a job's standing; one that `sync` has not seen yet begins now.

        Raises:
            NotFoundError: The configuration has no job of that name.
        """
        found = self.tx.standing(name)
        if found is not None:
            return found
        job = self.job(name)
        return Standing(
            name=name, added_at=self.now, active_since=self.now, enabled=job.enabled
        )

    def instance(self, name: str, no: int) -> InstanceStanding:
        """Return what is known of one instance of a service."""
        known = self.tx.instances(name).get((name, no))
        return known or InstanceStanding(job=name, no=no)

    def add(self, run: Run, *, why: str | None = None, by: str | None = None) -> bool:
        """Store a new run and its first event; False when its origin key has one."""
        if not self.tx.insert_run(run):
            return False
        job = self.config.job(run.job)
        if job is not None and job.transient is not None:
            self.take_up(job)
            self.tx.put_transient(run.id, run.job, None)
        if not run.is_open:
            self.changes.append(Change(run, run, None, is_new=True))
        self.tx.append_event(
            Event(
                at=self.now,
                type=_MOVES[run.state],
                job=run.job,
                run=run.id,
                new=run.state,
                why=why or run.reason,
                by=by or run.asked_by or None,
            )
        )
        return True

    def take(self, before: Run, step: machine.Step, at: datetime | None = None) -> Run:
        """Store one step of a run: attempt, run, events, all or nothing.

        Args:
            before: The run as it is stored.
            step: What happened to it.
            at: When; left out: now.

        Raises:
            ConflictError: The run is final, or may not move there; nothing is stored.
        """
        at = at or self.now
        after = step.run
        moved = after.state is not before.state
        is_other = after is not before and (before.is_open or after != before)
        if is_other and not before.is_open:
            raise ConflictError(f"run {ids.short(before.id)} has ended: {before.state}")
        if moved and not may_move(before.state, after.state):
            raise ConflictError(
                f"run {ids.short(before.id)} is {before.state} and cannot become {after.state}"
            )
        if step.attempt is not None:
            self.tx.put_attempt(step.attempt)
        if is_other:
            self.tx.update_run(after)
        if is_other or step.attempt is not None:
            self.changes.append(Change(before, after, step.attempt))
        if step.note is not None:
            self._event(before, step, step.note, at)
        if moved:
            self._event(before, step, _MOVES[after.state], at, after.state)
            self._moved(before, after, at)
        self.emit(*step.effects)
        return after

    def end(self, run: Run, *, why: str, by: str) -> Run:
        """Revoke a run that waits, or ask for the end of one that is active."""
        if run.is_active:
            return self.take(run, machine.ask_end(run, why=why, by=by))
        return self.take(run, machine.revoke(run, why=why, by=by, at=self.now))

    def _event(
        self,
        before: Run,
        step: machine.Step,
        kind: str,
        at: datetime,
        new: State | None = None,
    ) -> None:
        """Append the event of a note, or of a move to a state."""
        self.tx.append_event(
            Event(
                at=at,
                type=kind,
                job=before.job,
                run=before.id,
                old=None if new is None else before.state,
                new=new,
                why=step.why,
                by=step.by,
            )
        )

    def _moved(self, before: Run, after: Run, at: datetime) -> None:
        if before.is_active and not after.is_active:
            self._close_supervisor(before.sid, at)
        if not after.is_open:
            self._retire(after)
            self._ended(after, at)
            self._tell_essential(after)

    def _retire(self, run: Run) -> None:
        """Let go of a job that was there for this run only."""
        job = self.config.job(run.job)
        if job and job.transient and not self.tx.open_runs(run.job):
            self.config.transients.retire(run.job)
            self._undo.append(partial(self.config.transients.add, job))
            self.tx.delete_standing(run.job)

    def _tell_essential(self, run: Run) -> None:
        """Have the daemon end with a job that is all it is there for."""
        if run.job not in self.config.daemon.essential or run.state not in _OWN_ENDS:
            return
        attempt = self.tx.attempt(run.id, run.attempt)
        code = attempt.exit_code if attempt else None
        signal = attempt.signal if attempt else None
        self.emit(EssentialEnded(run.job, run.id, outcome.exit_status(run.state, code, signal)))

    def _close_supervisor(self, sid: str | None, at: datetime) -> None:
        found = None if sid is None else self.tx.supervisor(sid)
        if found is not None and found.closed_at is None:
            self.tx.put_supervisor(replace(found, closed_at=at))

    def _ended(self, run: Run, at: datetime) -> None:
        """Note in its job's standing that a run has ended after it began."""
        standing = self.tx.standing(run.job)
        if standing is None or not self._tells_of_its_job(run):
            return
        if run.instance is not None:
            instance = self.instance(run.job, run.instance)
            self.tx.put_instance(replace(instance, last_run=run.id))
        crashes = standing.crashes + 1 if run.state is State.CRASHED else 0
        standing = replace(standing, last_run=run.id, crashes=crashes)
        if self._is_done(run, standing):
            standing = replace(standing, done_at=at)
            self.note("job.done", job=run.job, why=f"run {ids.short(run.id)} succeeded")
            self.emit(Reschedule(run.job))
        if run.reason == outcome.START_LIMIT:
            self.note("job.fatal", job=run.job, why="restart.start_limit is reached")
        self.tx.put_standing(standing)

    def _tells_of_its_job(self, run: Run) -> bool:
        """Tell whether a run's end says how its job is doing: it began, or is a service's."""
        job = self.config.job(run.job)
        if run.state is State.SKIPPED and job and job.type is JobType.CONTINUOUS:
            return True
        return run.state not in _NEVER_BEGAN and bool(run.attempt)

    def _is_done(self, run: Run, standing: Standing) -> bool:
        """Tell whether a oneshot has succeeded at or after its time."""
        job = self.config.job(run.job)
        if job is None or job.type is not JobType.ONESHOT or run.state is not State.SUCCEEDED:
            return False
        through = standing.scheduled_through
        return job.run_at is not None and through is not None and through >= job.run_at


_MOVES = {state: f"run.{state}" for state in State}
"""The types of the events of moves."""
_OWN_ENDS = {State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.CRASHED}
_NEVER_BEGAN = {State.SKIPPED, State.MISSED}
