"""What ``status --json`` shows of a job: rows in, one JSON object out; nothing is decided.

`claw.master.views.jobrows` reads the rows; `job_object` is pure. The states are
those of docs (Job states shown by ``status``), each with a ``why`` where it does not speak
for itself, and with what to type where something can be done.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from claw.master.views import parts, retrying
from claw.master.views.jobrows import Look
from claw.model import gates, ids, instances, machine, outcome
from claw.model.checks import UNHEALTHY
from claw.model.gates import Standing
from claw.model.job import Job, JobType, RestartPolicy
from claw.model.root import is_root, look_at
from claw.model.run import Attempt, Phase, Run, State
from claw.model.units import format_duration
from claw.schedule.fires import REBOOT

Json = dict[str, object]
UNRESPONSIVE = "unresponsive"
_BAD_ENDS = {State.FAILED, State.TIMED_OUT, State.CRASHED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is known beside the rows."""

    now: datetime
    next_at: Callable[[Job], datetime | None]
    flags: Callable[[str], Collection[str]] = lambda _sid: ()  # of a supervisor
    sockets: Callable[[Job], list[Json]] = lambda _job: []
    found: Callable[[str], str | None] = lambda _run: None  # by the last look at a run
    watched: Callable[[Job], Collection[str]] = lambda _job: ()  # what it watches, in words


def job_objects(job: Job, rows: Look, live: Live, instance: int | None = None) -> list[Json]:
    """Return what is shown of a job: one object, or one for each instance.

    Args:
        job: The job.
        rows: What was read.
        live: What is known beside it.
        instance: Only this one.
    """
    standing = rows.standings.get(job.name) or _unknown(job, live.now)
    numbers = set(instances.numbers(job, standing))
    if job.type is JobType.CONTINUOUS:
        numbers |= {instances.number(run) for run in rows.open_runs.get(job.name, ())}
    if max(numbers) == 1:
        return [job_object(job, rows, live)]
    chosen = sorted(numbers) if instance is None else [instance]
    return [job_object(job, rows, live, no) for no in chosen]


def job_object(job: Job, rows: Look, live: Live, instance: int | None = None) -> Json:
    """Return what is shown of a job that has no instances, or of one of them."""
    runs = rows.open_runs.get(job.name, ())
    standing = rows.standings.get(job.name) or _unknown(job, live.now)
    last = rows.last_runs.get(job.name)
    closed = gates.closed(standing)
    if instance is not None:
        runs = [run for run in runs if instances.number(run) == instance]
        last = rows.parts.last_runs.get((job.name, instance))
        closed = gates.closed(standing, rows.parts.standings.get((job.name, instance)))
    present = _present(runs, live.now)
    attempt = rows.attempts.get(present.id) if present else None
    next_at = _next_at(job, closed, runs, live)
    facts = _Facts(job, standing, closed, instances.label(job.name, instance), last, next_at)
    state, why = _state(facts, present, live)
    rolling = rows.parts.rollouts.get(job.name)
    if (state, why) == ("backoff", None):
        why = _begins_anew(facts, runs, live.now)
    told = present or last
    failed = rows.failed.get(told.id) if told else None
    if failed is not None:
        why = _why_with(failed, state, why, present, live.now)
    why = rows.parts.why_of(job, state, why or parts.rolling_why(rolling, instance), live.now)
    pid = present.pid if present else None
    started_at = attempt.started_at if attempt and pid is not None else None
    return {
        "name": facts.name,
        "job": job.name,
        "title": job.title,
        "description": job.description,
        "type": job.type,
        "state": state,
        "why": why,
        "pid": pid,
        "run": present.id if present else None,
        "started_at": iso(started_at),
        "uptime": _seconds(started_at, live.now),
        "restarts": present.restarts if present else 0,
        "ready": _is_ready(present),
        "health": present.health if present else None,
        "status_text": present.status_text if present else None,
        "queued": rows.count_queued(job.name, runs if instance else None),
        "instance": instance,
        "instances": instances.wanted(job, standing),
        "rollout": parts.rollout_object(rolling),
        "last": None if last is None else last_object(last),
        "next_at": iso(next_at),
        **rows.parts.watched(job.name),
        "enabled": job.enabled,
        "tags": list(job.tags),
        "sockets": live.sockets(job),
    }


def last_object(run: Run) -> Json:
    """Return what is shown of a job's last run."""
    return {
        "run": run.id,
        "state": run.state,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason,
        "survivors": run.survivors,
        "left_running": run.left_running,
        "ended_at": iso(run.ended_at),
    }


def iso(at: datetime | None) -> str | None:
    """Return a time as it is sent: ISO 8601 with offset."""
    return None if at is None else at.isoformat()


def _seconds(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max((now - since).total_seconds(), 0.0)


def _unknown(job: Job, now: datetime) -> Standing:
    return Standing(name=job.name, added_at=now, active_since=now, enabled=job.enabled)


def _present(runs: Sequence[Run], now: datetime) -> Run | None:
    """Return the run that a status is about: the newest active one, else the first due."""
    active = [run for run in runs if run.is_active and not run.is_armed(now)]
    if active:
        # One that is being ended to make room for another says less than the other.
        return max(active, key=lambda run: (run.stop_why is None, run.claimed_at or now))
    waiting = (run for run in runs if run.due_at <= now or run.state in _TOLD_AT_ONCE)
    return next(waiting, None)


_TOLD_AT_ONCE = {State.RETRY_WAIT, State.AWAITING_APPROVAL}
"""States of runs that are worth telling although they are not due yet."""


def _next_at(job: Job, closed: str | None, runs: Sequence[Run], live: Live) -> datetime | None:
    """Return when something of the job begins next: a slot, a run asked for, a restart."""
    if closed is not None:
        return None
    waiting = (run for run in runs if not run.is_active or run.is_armed(live.now))
    times = [run.due_at for run in waiting if run.due_at > live.now]
    times += [run.phase_until for run in runs if run.phase is Phase.BACKOFF and run.phase_until]
    slot = live.next_at(job)
    return min([*times, slot] if slot else times, default=None)


def _is_ready(run: Run | None) -> bool | None:
    return run.phase is Phase.UP if run is not None and run.is_active else None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the state of a job, or of an instance, is told from, beside its present run."""

    job: Job
    standing: Standing
    closed: str | None  # see `gates.closed`
    name: str  # for people: web, or web@2
    last: Run | None
    next_at: datetime | None


def _state(facts: _Facts, run: Run | None, live: Live) -> tuple[str, str | None]:
    if run is not None and run.is_active:
        return _active_state(run, facts.closed, live)
    if facts.closed is not None:
        return _closed_state(facts.standing), facts.closed
    if run is not None and run.state is State.RETRY_WAIT:
        return "backoff", retrying.retry_why(run, live.now)
    if run is not None and run.state is State.AWAITING_APPROVAL:
        return "waiting", f"{run.waiting_for}: clawctl approve {ids.short(run.id)}"
    if run is not None:
        return "waiting", run.waiting_for or "waits to be claimed"
    return _idle_state(facts)


def _closed_state(standing: Standing) -> str:
    if standing.stopped_by is not None:
        return "stopped"
    if standing.paused_by is not None:
        return "paused"
    return "stopped" if standing.enabled else "disabled"


def _active_state(run: Run, closed: str | None, live: Live) -> tuple[str, str | None]:
    if run.sid is not None and UNRESPONSIVE in live.flags(run.sid):
        return UNRESPONSIVE, "its supervisor has not answered for more than 75 s"
    if run.stop_why is not None or run.phase is Phase.STOPPING:
        return "stopping", _stopping_why(run)
    if run.state is State.CLAIMED or run.phase is Phase.STARTING:
        return "starting", live.found(run.id)
    if run.phase is Phase.BACKOFF:
        return "backoff", backoff_why(run, live.now)
    found, is_ill = live.found(run.id), run.health == UNHEALTHY
    return ("unhealthy", found or run.health_why) if is_ill else ("running", closed or found)


def _stopping_why(run: Run) -> str:
    if run.stop_why is None:
        return "claw ends it"
    waits = f"; {run.waiting_for}" if run.waiting_for else ""
    return f"{asked_text(run.stop_why, run.stop_by)}{waits}"


def asked_text(why: str | None, by: str | None) -> str:
    """Return why a run is to end, or has, and who wanted that."""
    if why in {outcome.DEPENDENCY, outcome.DEPENDENCY_FAILED}:
        return f"because of {by}, which it depends on"
    return f"{why}, asked for by {by or 'claw'}"


def _why_with(
    failed: Attempt, state: str, why: str | None, run: Run | None, now: datetime
) -> str | None:
    """Return why a job is in its state when its last child has failed."""
    if state == "backoff" and run is not None:
        return backoff_why(run, now, failed)
    if state == "stopping" and run is not None and run.stop_why is None:
        return f"claw ends it: {failed.ended_for}"
    is_told = state in {"failed", "fatal", "exited"}
    return f"{failed.error or failed.ended_for}; {why}" if is_told else why


def backoff_why(run: Run, now: datetime, failed: Attempt | None = None) -> str:
    """Return why a service waits to be started again, and for how long.

    Args:
        run: The service's run.
        now: The present.
        failed: Its last child, if it could not be started or claw has ended it.
    """
    how = f"the last child ended: {machine.exit_text(run.exit_code, run.signal)}"
    if failed is not None and failed.error is not None:
        how = f"the last child could not be started: {failed.error}"
    elif failed is not None:
        how = f"the last child was ended by claw: {failed.ended_for}"
    if run.phase_until is None or run.phase_until <= now:
        return f"{how}; the next one starts now"
    wait_s = (run.phase_until - now).total_seconds()
    return f"{how}; the next one starts in {format_duration(wait_s)}"


def _idle_state(facts: _Facts) -> tuple[str, str | None]:
    job, last, next_at = facts.job, facts.last, facts.next_at
    if job.type is JobType.CONTINUOUS:
        return _idle_service(facts) if next_at is None else ("backoff", None)
    if facts.standing.done_at is not None:
        return "done", f"it succeeded at {iso(facts.standing.done_at)}"
    if next_at is not None:
        return ("planned" if job.type is JobType.ONESHOT else "scheduled"), None
    if last is not None and last.state in _BAD_ENDS:
        return "failed", end_why(job.name, last)
    if last is not None:
        return "exited", f"its last run: {end_text(last)}"
    return "stopped", _never_ran(job)


def _never_ran(job: Job) -> str:
    if job.trigger is not None:
        return f"it follows {job.trigger.words}: clawctl job tree {job.name}"
    if job.watch is not None or job.events:
        what, names = ("files", job.watch.paths) if job.watch else ("events", job.events)
        return f"it waits for {what}: {', '.join(names)}"
    if job.type is JobType.MANUAL:
        how = f"with workflow {job.step_of}" if job.step_of else "when asked"
        return f"it runs {how}: clawctl run {job.step_of or job.name}"
    if job.type is JobType.ONESHOT:
        return f"its time has passed: clawctl run {job.name}"
    if any(text.lower() == REBOOT for text in job.schedule):
        return "it runs when the host boots"
    return "its schedule has no time to come"


def _begins_anew(facts: _Facts, runs: Sequence[Run], now: datetime) -> str:
    """Return why a service waits whose run was lost, or whose launch was refused."""
    last = "" if facts.last is None else f"the last run: {end_text(facts.last)}"
    how = next((run.waiting_for for run in runs if run.waiting_for), last)
    wait = format_duration(max(((facts.next_at or now) - now).total_seconds(), 0.0))
    return f"{how}; the next one starts in {wait}".removeprefix("; ")


def _idle_service(facts: _Facts) -> tuple[str, str | None]:
    job, last, name = facts.job, facts.last, facts.name
    if last is None:
        return "stopped", f"not started yet: clawctl start {name}"
    if last.reason == outcome.START_LIMIT:
        return "fatal", (
            f"it ended {job.restart.start_limit} times within"
            f" {format_duration(job.restart.start_limit_window_s)} (restart.start_limit):"
            f" clawctl logs {name}, then clawctl start {name}"
        )
    if last.state is State.CANCELED:
        return "stopped", asked_text(last.reason, last.stop_by)
    failure = _service_failure(last, name)
    if failure is not None:
        return "failed", failure
    policy = job.restart.policy
    kept = "" if policy is RestartPolicy.ALWAYS else f"; restart.policy = {policy}"
    return "exited", f"{end_text(last)}{kept}: clawctl start {name}"


def _service_failure(last: Run, name: str) -> str | None:
    """Return how a service failed for good, when neither its policy nor anybody ended it."""
    if last.state is State.SKIPPED:
        return f"{last.reason}: clawctl start {name}"
    if last.reason == outcome.DEPENDENCY_FAILED:
        return f"{asked_text(last.reason, last.stop_by)}: clawctl start {name}"
    if last.reason == outcome.SPAWN_FAILED or last.state is State.CRASHED:
        return end_why(name, last)
    return None


def end_text(run: Run) -> str:
    """Return how a run ended: ``failed, exit 3``, ``canceled, stop``."""
    if run.exit_code is None and run.signal is None:
        return f"{run.state}, {run.reason}" if run.reason else str(run.state)
    return f"{run.state}, {machine.exit_text(run.exit_code, run.signal)}"


def end_why(name: str, run: Run) -> str:
    """Return how the last run of a job of that name ended badly, and what to type."""
    look = look_at(run) if is_root(run) else f"clawctl logs {name}"
    return f"run {ids.short(run.id)}: {end_text(run)}: {look}"
