"""What ``queue list``, ``pool list``, ``status --budgets`` and ``runs stale`` show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from claw.master.engine import definitions, piecemeal, pools
from claw.master.views import runview
from claw.master.views.queuewords import QueueWords
from claw.master.views.statusview import Json
from claw.model.gates import Order
from claw.model.job import Config, JobType
from claw.model.run import Run, State
from claw.model.units import format_duration
from claw.store.records import Tx

STALE_FACTOR = 3.0
"""A run is stale when it has run so many times as long as its job ever does."""
STALE_LEAST_S = 60.0
WAITS_LONG_S = 3600.0
_KNOWN = 20
_HOT = 0.8
_MOST_HOLDERS = 100


def queue(
    tx: Tx, config: Config, now: datetime, *, job: str | None, pool: str | None, limit: int
) -> Json:
    """Return the runs that wait, in the order in which they would go now."""
    order = Order(now, config.daemon.priority_aging_s)
    jobs = {job} if job else {one.name for one in config.jobs if _is_of(one.pool, pool)}
    waiting = [one for one in tx.queued() if (job is None and pool is None) or one.job in jobs]
    waiting.sort(key=lambda one: (one.due_at > now, order.key(*one.key)))
    words = QueueWords(tx, config)
    before: dict[str, int] = {}
    shown = []
    for place, one in enumerate(waiting[:limit], 1):
        count = before.get(one.job, 0)
        before[one.job] = count + 1
        run = tx.run(one.id)
        if run is not None:
            shown.append(_waiting(words.of(run), place, count, order, now))
    return {
        "runs": shown,
        "total": len(waiting),
        "paused": [pools.words(what, by) for what, by in tx.pauses().items()],
    }


def _is_of(use: object, pool: str | None) -> bool:
    return pool is None or (use is not None and getattr(use, "name", None) == pool)


def _waiting(run: Run, place: int, before: int, order: Order, now: datetime) -> Json:
    why = run.waiting_for
    if run.due_at > now:
        why = f"waits for its time, {run.due_at.isoformat(timespec='seconds')}"
    elif why is None:
        why = f"waits behind {before} of the same job" if before else "waits for the next look"
    return {
        "place": place,
        "run": run.id,
        "job": run.job,
        "priority": run.priority.name.lower(),
        "level": order.level(run.priority, run.due_at),
        "due_at": run.due_at.isoformat(),
        "batch": run.batch,
        "why": why,
    }


def pool_list(tx: Tx, config: Config) -> list[dict[str, Any]]:
    """Return the pools: their slots, which runs hold them, how many wait."""
    actual, said = pools.slots(tx, config), tx.pauses()
    queued = tx.queued_counts()
    users: dict[str, list[tuple[Run, int]]] = {}
    for run in tx.active_runs():
        job = definitions.recall(tx, config, run.job)
        if job is not None and job.pool is not None:
            users.setdefault(job.pool.name, []).append((run, job.pool.slots))
    waiting: dict[str, int] = {}
    for name, count in queued.items():
        job = definitions.recall(tx, config, name)
        if job is not None and job.pool is not None:
            waiting[job.pool.name] = waiting.get(job.pool.name, 0) + count
    return [
        {
            "name": name,
            "slots": actual[name],
            "configured": configured,
            "held": sum(amount for _run, amount in users.get(name, ())),
            "holders": [
                {"run": run.id, "job": run.job, "slots": amount}
                for run, amount in users.get(name, ())[:_MOST_HOLDERS]
            ],
            "waiting": waiting.get(name, 0),
            "paused_by": said.get(f"pool {name}"),
        }
        for name, configured in config.pools
    ]


def _takes_a_place(config: Config, name: str) -> bool:
    """Tell whether the runs of a job are among those that ``daemon.max_parallel`` bounds."""
    job = config.job(name)
    return job is None or (job.type is not JobType.CONTINUOUS and job.workflow is None)


def budgets(tx: Tx, config: Config, now: datetime) -> Json:
    """Return what there is of everything that is bounded, and how much of it is used.

    What is armed uses nothing yet.
    """
    active, queued, pending = tx.begun_counts(now), tx.queued_counts(), tx.pending_counts()
    jobs: list[dict[str, Any]] = [
        {
            "job": job.name,
            "active": active.get(job.name, 0),
            "max_instances": job.max_instances,
            "queued": queued.get(job.name, 0),
            "max_queued": job.max_queued or None,
            "pending_approvals": pending.get(job.name, 0),
            "max_pending_approvals": job.max_pending_approvals,
        }
        for job in config.jobs
        if job.type is not JobType.CONTINUOUS
        and any(job.name in counts for counts in (active, queued, pending))
    ]
    running = sum(count for name, count in active.items() if _takes_a_place(config, name))
    is_open, daemon = tx.count_open(), config.daemon
    found = pool_list(tx, config)
    bounds: list[tuple[str, int, int | None]] = [
        ("daemon.max_queue", is_open, daemon.max_queue),
        ("daemon.max_parallel", running, daemon.max_parallel),
        *((f"{job['job']}: max_queued", job["queued"], job["max_queued"]) for job in jobs),
        *(
            (
                f"{job['job']}: max_pending_approvals",
                job["pending_approvals"],
                job["max_pending_approvals"],
            )
            for job in jobs
        ),
        *((f"pool {one['name']}", one["held"], one["slots"]) for one in found),
    ]
    return {
        "open": is_open,
        "max_queue": daemon.max_queue,
        "to_come": sum(heap.left for heap in piecemeal.waiting(tx)),
        "running": running,
        "max_parallel": daemon.max_parallel,
        "jobs": sorted(jobs, key=lambda job: (-job["queued"], job["job"])),
        "pools": found,
        "paused": [pools.words(what, by) for what, by in tx.pauses().items()],
        "hot": [
            f"{label}: {used} of {most}"
            for label, used, most in bounds
            if most and used >= _HOT * most
        ],
    }


def stale(tx: Tx, config: Config, now: datetime, older_s: float | None) -> list[Json]:
    """Return the open runs that have run or waited much longer than usual, and why.

    Running: more than `STALE_FACTOR` times as long as the longest of the job's last
    `_KNOWN` runs that ended well, and a minute at least; of a job of which none has, no run is.
    Waiting: due for more than an hour. With ``older_s`` both: longer than that.
    """
    usual: dict[str, float | None] = {}
    words = QueueWords(tx, config)
    found = []
    for run in map(words.of, tx.open_runs()):
        why = _waits_long(run, now, older_s) or _runs_long(tx, run, now, older_s, usual)
        if why is not None:
            found.append({**runview.show(tx, run, 1), "reason": why})
    return found


def _waits_long(run: Run, now: datetime, older_s: float | None) -> str | None:
    waited_s = (now - run.due_at).total_seconds()
    limit_s = WAITS_LONG_S if older_s is None else older_s
    if run.is_active or waited_s <= limit_s:
        return None
    why = f": {run.waiting_for}" if run.waiting_for else ""
    return f"has waited for {format_duration(float(int(waited_s)))}{why}"


def _runs_long(
    tx: Tx, run: Run, now: datetime, older_s: float | None, usual: dict[str, float | None]
) -> str | None:
    if run.started_at is None or not run.is_active or run.instance is not None:
        return None
    ran_s = (now - run.started_at).total_seconds()
    if older_s is not None:
        text = f"has run for {format_duration(float(int(ran_s)))}"
        return text if ran_s > older_s else None
    if run.job not in usual:
        ended = tx.runs_page(job=run.job, state=State.SUCCEEDED, limit=_KNOWN)
        usual[run.job] = longest(ended)
    most_s = usual[run.job]
    if most_s is None or ran_s <= max(STALE_FACTOR * most_s, STALE_LEAST_S):
        return None
    return (
        f"has run for {format_duration(float(int(ran_s)))}, and of the last runs that succeeded"
        f" none took more than {format_duration(round(most_s, 1))}"
    )


def longest(runs: Sequence[Run]) -> float | None:
    """Return how long the longest of some runs took; None: there is none."""
    took = [
        (run.ended_at - run.started_at).total_seconds()
        for run in runs
        if run.started_at is not None and run.ended_at is not None
    ]
    return max(took, default=None)
