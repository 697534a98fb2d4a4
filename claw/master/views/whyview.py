"""``why``: the chain of causes of a job's or a run's state, in words, and what to type next."""

from datetime import datetime

from claw.master.control.targets import Aim
from claw.master.engine import pools
from claw.master.views import (
    approvalview,
    flowview,
    jobrows,
    retrying,
    slotview,
    statusview,
    thenview,
    whyneeds,
    whytrigger,
)
from claw.master.views.queuewords import QueueWords
from claw.master.views.statusview import Live
from claw.model import gates, ids, instances, machine
from claw.model.alerts import Alert, AlertKind
from claw.model.fact import LEFT_RUNNING
from claw.model.gates import Standing
from claw.model.job import Config, Job, JobType
from claw.model.pings import Ping
from claw.model.rollout import Rollout
from claw.model.root import is_root, look_at
from claw.model.run import Attempt, Phase, Run, State
from claw.model.values import replace
from claw.store.records import Tx

_EVENTS_SHOWN = 5


def _clock(at: datetime | None) -> str:
    """Return a time as people read it, on the daemon's clock."""
    return "?" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def explain_job(tx: Tx, config: Config, aim: Aim, live: Live) -> list[str]:
    """Return why a job, or an instance of one, is as it is, the state first."""
    job = config.job(aim.job)
    if job is None:
        return [f"there is no job {aim.job}"]
    rows = jobrows.look(tx, (job.name,))
    rows = replace(rows, open_runs=QueueWords(tx, config).of_all(rows.open_runs))
    lines = []
    for shown in statusview.job_objects(job, rows, live, aim.instance):
        why = shown["why"]
        lines.append(f"{shown['name']} is {shown['state']}" + (f": {why}" if why else ""))
    lines += _of_standing(rows.standings.get(job.name), shown["state"])
    said = "\n".join(lines)
    stand = rows.parts.alerts.get(job.name, ())
    lines += [f"alert {one.id}: {one.text}" for one in stand if _is_news(one, said)]
    lines += _of_ping(rows.parts.pings.get(job.name))
    lines += _of_rollout(rows.parts.rollouts.get(job.name))
    for run in rows.open_runs.get(job.name, ()):
        if aim.means(run.job, instances.number(run)):
            failed = rows.failed.get(run.id)
            lines += approvalview.words(tx, config, run)
            lines += flowview.explain(tx, run)
            lines += _of_open_run(run, rows.attempts.get(run.id), live.now, failed)
            lines += whyneeds.chain(tx, config, run, live.now)
    lines += [text for text in pools.of_run(tx, job) if text not in "\n".join(lines)]
    lines += [*_of_schedule(tx, job, live), *live.watched(job)]
    lines += [*whytrigger.of_job(tx, job), *flowview.explain_to_come(tx, job)]
    last = rows.last_runs.get(job.name)
    if last is not None:
        lines.append(f"last run {_name(last)} ended {_clock(last.ended_at)}: {_end(last)}")
        lines += _of_left(last)
    typed = _TO_TYPE.get(str(shown["state"])) if job.workflow is None else None
    if job.transient is not None and typed is not None and "clawctl run " in typed:
        typed = None  # it is there for one run, and that cannot be asked for again by name
    return lines if typed is None else [*lines, typed.format(aim.label, aim.label)]


def _is_news(alert: Alert, said: str) -> bool:
    """Tell whether an alert says more than what is told anyway."""
    return alert.text not in said and alert.kind != AlertKind.APPROVAL


def _of_ping(ping: Ping | None) -> list[str]:
    if ping is None:
        return []
    told = f"its ping ({ping.kind} of run {ids.short(ping.run)})"
    if ping.done_at is None:
        return [f"{told} is being made since {_clock(ping.asked_at)}"]
    how = f"failed: {ping.problem}" if ping.problem else "was answered"
    return [f"{told} {how}, {_clock(ping.done_at)}"]


def _of_rollout(rolling: Rollout | None) -> list[str]:
    if rolling is None:
        return []
    left = ", ".join(str(no) for no in rolling.todo) or "none"
    if rolling.failed is not None:
        return [f"its rolling {rolling.why} stopped: {rolling.failed}; still to come: {left}"]
    busy = ", ".join(str(one.instance) for one in rolling.busy) or "none"
    return [f"a rolling {rolling.why} is under way: now {busy}, still to come {left}"]


_TO_TYPE = {
    "starting": "its output: clawctl logs {}",
    "unhealthy": "its output: clawctl logs {}, a new start: clawctl restart {}",
    "running": "its output: clawctl logs {}",
    "exited": "to run it now: clawctl run {}",
    "done": "to run it again: clawctl run {}",
    "scheduled": "to run it now: clawctl run {}",
    "planned": "to run it now: clawctl run {}",
    "waiting": "not to wait any more: clawctl cancel {}",
}
"""What to type next in a state that does not say so itself."""


def explain_run(tx: Tx, config: Config, run: Run, live: Live) -> list[str]:
    """Return why a run is as it is, the state first, then what led there."""
    run = QueueWords(tx, config).of(run)
    lines = [f"run {run.id} of {run.job} is {run.state}"]
    lines.append(
        f"asked for {_clock(run.queued_at)} by {run.asked_by or run.origin}: {run.origin}"
    )
    lines += approvalview.words(tx, config, run)
    if run.slot_at is not None:
        until = ""
        if run.slot_until:
            until = f" to {_clock(run.slot_until)}, {run.slot_count} slots"
        lines.append(f"it stands for the slot {_clock(run.slot_at)}{until}")
    lines += whytrigger.of_run(tx, run)
    lines += flowview.explain(tx, run)
    if run.is_open:
        standing = tx.standing(run.job)
        lines += _of_standing(standing, run.state)
        lines += _of_open_run(run, tx.attempt(run.id, run.attempt), live.now)
        lines += whyneeds.chain(tx, config, run, live.now)
        lines += _of_pauses(tx, config.job(run.job), run, "\n".join(lines))
    else:
        lines.append(f"it ended {_clock(run.ended_at)}: {_end(run)}")
        lines += _of_left(run)
        lines += _next_for(run, config.job(run.job))
    lines += [
        f"attempt {attempt.no} ({attempt.cause}): {_of_attempt(attempt)}"
        for attempt in tx.attempts(run.id, _EVENTS_SHOWN)
    ]
    return lines


def explain_then(tx: Tx, config: Config, name: str, at: datetime, now: datetime) -> list[str]:
    """Return what became of a job's slots around a time, and its last events before it."""
    job, standing = config.job(name), tx.standing(name)
    lines = []
    if job is not None and standing is not None:
        lines += thenview.explain_slots(tx, job, standing, at, now)
    events = tx.events_before(job=name, at=at, limit=_EVENTS_SHOWN)
    if not events:
        return [*lines, f"nothing is known of {name} before {_clock(at)}"]
    if lines:
        lines.append("what had happened to it before:")
    return lines + [
        f"{_clock(event.at)} {event.type}"
        + (f" run {ids.short(event.run)}" if event.run else "")
        + (f": {event.why}" if event.why else "")
        + (f", by {event.by}" if event.by else "")
        for event in events
    ]


def _name(run: Run) -> str:
    return ids.short(run.id)


def _end(run: Run) -> str:
    text = statusview.end_text(run)
    who = f", asked for by {run.stop_by}" if run.stop_by else ""
    reason = f" ({run.reason})" if run.reason and run.reason not in text else ""
    return f"{text}{reason}{who}"


def _of_left(run: Run) -> list[str]:
    return [f"{LEFT_RUNNING}: {run.left_running}"] if run.left_running else []


def _of_pauses(tx: Tx, job: Job | None, run: Run, said: str) -> list[str]:
    if job is None or run.is_active:
        return []
    return [text for text in pools.of_run(tx, job) if text not in said]


def _of_standing(standing: Standing | None, state: object) -> list[str]:
    closed = None if standing is None else gates.closed(standing)
    if closed is None or state in {"stopped", "paused", "disabled"}:
        return []
    return [f"nothing new of it begins: {closed}"]


def _of_launch(run: Run, now: datetime) -> str:
    if run.is_armed(now):
        return f"run {_name(run)} is made ready, and begins {_clock(run.due_at)}"
    return f"run {_name(run)} is being launched"


def _of_open_run(
    run: Run, attempt: Attempt | None, now: datetime, failed: Attempt | None = None
) -> list[str]:
    name = _name(run)
    if run.state is State.AWAITING_APPROVAL:
        return []  # which `approvalview.words` has told
    if run.state in {State.QUEUED, State.RETRY_WAIT}:
        return [_of_waiting_run(run, now)]
    if run.stop_why is not None:
        return [f"run {name} is to end: {run.stop_why}, asked for by {run.stop_by or 'claw'}"]
    if run.phase is Phase.BACKOFF:
        return [f"run {name}: {statusview.backoff_why(run, now, failed)}"]
    if attempt is None or attempt.pid is None:
        return [] if is_root(run) else [_of_launch(run, now)]
    since = _clock(attempt.started_at)
    lines = [f"run {name} has pid {attempt.pid} since {since}, attempt {attempt.no}"]
    if attempt.ready_at is not None:
        lines.append(f"it is ready since {_clock(attempt.ready_at)}")
    if run.health is not None:
        found = f": {run.health_why}" if run.health_why else ""
        lines.append(f"its check says that it is {run.health}{found}")
    return [*lines, f"it says: {run.status_text}"] if run.status_text else lines


def _of_waiting_run(run: Run, now: datetime) -> str:
    name = _name(run)
    if run.state is State.RETRY_WAIT:
        why, at = retrying.retry_why(run, now), _clock(run.due_at)
        return f"run {name} is tried again: {why}, {at}: clawctl cancel {name}"
    if run.due_at <= now:
        return f"run {name} waits: {run.waiting_for or 'for its turn'}"
    why = f", because {run.waiting_for}" if run.waiting_for else ""
    return f"run {name} waits for its time, {_clock(run.due_at)}{why}: clawctl cancel {name}"


def _of_schedule(tx: Tx, job: Job, live: Live) -> list[str]:
    if job.type not in {JobType.SCHEDULED, JobType.ONESHOT}:
        return []
    lines = [_next_slot(tx, job, live)]
    for state in (State.MISSED, State.SKIPPED):
        for run in tx.runs_page(job=job.name, state=state, limit=1):
            count = f" and {run.slot_count - 1} more" if run.slot_count > 1 else ""
            lines.append(f"last {state} slot {_clock(run.slot_at)}{count}: {run.reason}")
    return lines


def _next_slot(tx: Tx, job: Job, live: Live) -> str:
    standing, slot = tx.standing(job.name), live.next_at(job)
    if slot is None or standing is None:
        return "no slot to come"
    found = slotview.next_one(tx, job, standing, live.now)
    if found is None:
        return "no slot to come"
    return f"next slot {_clock(found.slot)}: {found.text}"


def _of_attempt(attempt: Attempt) -> str:
    if attempt.ended_at is None:
        ending = f", claw ends it: {attempt.ended_for}" if attempt.ended_for else ""
        return f"pid {attempt.pid} since {_clock(attempt.started_at)}{ending}"
    how = attempt.error or machine.exit_text(
        attempt.exit_code, attempt.signal, timed_out=attempt.timed_out
    )
    by_claw = f", ended by claw: {attempt.ended_for}" if attempt.ended_for else ""
    return f"ended {_clock(attempt.ended_at)}: {how}{by_claw}"


def _next_for(run: Run, job: Job | None) -> list[str]:
    if run.state in {State.FAILED, State.TIMED_OUT, State.CRASHED}:
        is_there = job is not None and job.transient is None
        again = [f"again: clawctl run {run.job}"] if is_there else []
        if run.dead_at is not None:
            name = _name(run)
            again = [f"it is a dead letter: clawctl dlq reinject {name}, or dlq purge {name}"]
        look = "its steps" if is_root(run) else "its output"
        return [f"{look}: {look_at(run)}", *again]
    return []
