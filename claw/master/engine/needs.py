"""What waiting runs depend on: looked at, begun when nobody has, waited for.

A run begins what it needs by itself, once, and that begins what it needs in turn. What an
operator has stopped or paused stays so: the run waits and says so. Nothing here polls: a
child that is ready and a run that ends lead to the next look, and so does the earliest
time at which a wait is over.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from claw.errors import ClawError
from claw.master.engine import intake, services
from claw.master.engine.turn import Turn
from claw.model import gates, instances, machine, needs
from claw.model.gates import Standing
from claw.model.graph import Need
from claw.model.job import Job, JobType
from claw.model.needs import Provider
from claw.model.run import Origin, Run, State
from claw.store.records import Tx


class Needs:
    """One look at what is needed; each job is looked at once."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._seen: dict[str, Provider] = {}
        self.next_deadline: datetime | None = None

    def held(self, job: Job, due: Sequence[Run]) -> dict[str, str]:
        """Return why runs of a job wait, by run, and begin what they wait for."""
        found = {}
        for run in due:
            unmet = self._unmet(job, run)
            for need, _why in unmet:
                self._begin(need, run)
            if unmet:
                found[run.id] = "depends_on: " + "; ".join(why for _need, why in unmet)
        return found

    def give_up(self, job: Job, run: Run) -> bool:
        """Turn away a run that has waited too long; take note of when that will be so."""
        for need, _why in self._unmet(job, run):
            if not need.timeout_s:
                continue
            deadline = run.due_at + timedelta(seconds=need.timeout_s)
            if deadline <= self._turn.now:
                why = needs.turned_away(need, self._provider(need.job))
                self._turn.take(run, machine.turn_away(run, why=why, at=self._turn.now))
                return True
            self.next_deadline = min(deadline, self.next_deadline or deadline)
        return False

    def _unmet(self, job: Job, run: Run) -> list[tuple[Need, str]]:
        return unmet(self._turn.config.graph.needs(job.name), run, self._provider)

    def _provider(self, name: str) -> Provider:
        if name not in self._seen:
            self._seen[name] = provider(self._turn.tx, self._turn.job(name), self._turn.now)
        return self._seen[name]

    def _begin(self, need: Need, run: Run) -> None:
        """Begin what a run waits for, unless somebody has or an operator does not want it."""
        found = self._provider(need.job)
        if found.closed is not None or found.job.type is JobType.ONESHOT:
            return
        if not found.absent:
            return
        turn, by, key = self._turn, f"dependency of {run.job}", f"{run.id}:{need.job}"
        self._seen.pop(need.job)
        if found.is_service:
            wish = services.Wish(origin=Origin.DEPENDENCY, key=key, by=by)
            services.raise_service(turn, found.job, wish, only=found.absent)
            return
        ask = intake.Ask(job=need.job, origin=Origin.DEPENDENCY, key=key, by=by)
        try:
            intake.submit(turn, ask)
        except ClawError as error:
            turn.note("job.refused", job=need.job, why=error.message)


def unmet(
    wanted: Sequence[Need], run: Run, look: Callable[[str], Provider]
) -> list[tuple[Need, str]]:
    """Return those of some needs that a run still waits for, each with why."""
    found = ((need, needs.unmet(need, look(need.job), run.queued_at)) for need in wanted)
    return [(need, why) for need, why in found if why is not None]


def provider(tx: Tx, job: Job, now: datetime) -> Provider:
    """Read how a job is doing that others wait for."""
    standing = tx.standing(job.name)
    if standing is None:
        standing = Standing(name=job.name, added_at=now, active_since=now, enabled=job.enabled)
    known = tx.instances(job.name) if instances.wanted(job, standing) > 1 else {}
    runs = _by_instance(job, tx.open_runs(job.name), now)
    success = None if job.type is JobType.CONTINUOUS else tx.last_success(job.name)
    return Provider(
        job=job,
        standing=standing,
        closed=gates.closed(standing),
        open_runs=runs,
        stopped=frozenset(one.no for one in known.values() if one.stopped_by is not None),
        ready=frozenset(run.id for run in runs.values() if is_ready(tx, run)),
        last=None if standing.last_run is None else tx.run(standing.last_run),
        succeeded_at=None if success is None else success.ended_at,
    )


def is_ready(tx: Tx, run: Run) -> bool:
    """Tell whether a run has a child that is ready, and that nobody wants to end."""
    if run.state is not State.RUNNING or run.stop_why is not None:
        return False
    attempt = tx.attempt(run.id, run.attempt)
    return attempt is not None and attempt.ready_at is not None and attempt.ended_at is None


def _by_instance(job: Job, runs: Iterable[Run], now: datetime) -> dict[int, Run]:
    """Return the run that counts of each instance: rather one that is not to end."""
    found: dict[int, Run] = {}
    for run in runs:
        no = instances.number(run) if job.type is JobType.CONTINUOUS else 1
        waits = run.due_at > now and not run.is_active and not run.attempt
        if waits and job.type is not JobType.CONTINUOUS:
            continue  # asked for later: it has its own time
        if no not in found or found[no].stop_why not in services.GOES_ON:
            found[no] = run
    return found
