"""Rolling restarts: kept in the store, driven by the facts that journals tell.

`advance` is called whenever something has become of a run of the job; it may be called
again and again. A new master goes on where the last one was.
"""

from claw.master.engine import alerts, services
from claw.master.engine.turn import Turn
from claw.model import instances, machine, outcome, rollout
from claw.model.job import Job
from claw.model.rollout import Fate, Renewal, Rollout
from claw.model.values import replace

RELOAD = "reload"
"""Why instances are made anew whose definition has changed."""
FAILED = "rollout_failed"
_ATTEMPTS = 20
"""So many of the last attempts are looked at: a supervisor tells of each as it goes."""


def begin(turn: Turn, job: Job, *, by: str, why: str, batch: int) -> tuple[str, ...]:
    """Begin a rolling restart, in place of one that is under way.

    Returns:
        The ids of the runs that are made anew first.
    """
    standing = turn.standing(job.name)
    known = turn.tx.instances(job.name)
    todo = tuple(
        no
        for no in instances.numbers(job, standing)
        if (job.name, no) not in known or known[job.name, no].stopped_by is None
    )
    made = Rollout(job=job.name, at=turn.now, by=by, why=why, batch=batch, todo=todo)
    turn.tx.put_rollout(made)
    turn.note("job.rolling", job=job.name, why=f"{why} of {len(todo)} instances", by=by)
    advance(turn, job.name)
    found = turn.tx.rollout(job.name)
    return tuple(one.run for one in found.busy) if found is not None else ()


def advance(turn: Turn, name: str) -> None:
    """Go on with a rolling restart, as far as what is known allows."""
    found, job = turn.tx.rollout(name), turn.config.job(name)
    if found is None or found.is_over:
        return
    if job is None:
        turn.tx.delete_rollout(name)
        return
    after, free = rollout.proceed(found, {it.instance: _fate(turn, it) for it in found.busy})
    while free and after.todo:
        renewal = _renew(turn, job, after, after.todo[0])
        after = replace(after, todo=after.todo[1:])
        if renewal is not None:
            after = replace(after, busy=(*after.busy, renewal))
            free -= 1
    if after == found:
        return
    if after.failed is not None:
        _tell_failure(turn, after)
    elif after.is_over:
        turn.note("job.rolled", job=name, why=f"{len(after.done)} instances", by=after.by)
        turn.tx.delete_rollout(name)
        return
    turn.tx.put_rollout(after)


def _tell_failure(turn: Turn, rolling: Rollout) -> None:
    """Note that a rolling restart has stopped; nobody waits for one of a reload, so alert."""
    rest = ", ".join(instances.label(rolling.job, no) for no in rolling.todo) or "none"
    why = f"{rolling.failed}; not restarted: {rest}"
    turn.note("job.rolling_failed", job=rolling.job, why=why)
    if rolling.why == RELOAD:
        text = (
            f"The new definition of {rolling.job} was given to some of its instances only:"
            f" {why}. clawctl restart {rolling.job}, once it is well"
        )
        alerts.raise_alert(turn, FAILED, rolling.job, None, text)


def _fate(turn: Turn, renewal: Renewal) -> Fate | str:
    run = turn.tx.run(renewal.run)
    attempts = () if run is None else turn.tx.attempts(run.id, _ATTEMPTS)
    return rollout.fate(renewal, run, attempts)


def _renew(turn: Turn, job: Job, rolling: Rollout, no: int) -> Renewal | None:
    """Make an instance anew; None: there is none to be made."""
    active = [run for run in turn.tx.active_runs(job.name) if instances.number(run) == no]
    for run in active:
        if run.stop_why in services.GOES_ON:
            turn.take(run, machine.ask_end(run, why=outcome.RESTART, by=rolling.by))
            return Renewal(no, run.id, run.attempt, run.sid or "")
    for run_id in services.raise_service(turn, job, services.Wish(by=rolling.by), only=(no,)):
        return Renewal(no, run_id, turn.run(run_id).attempt, "")
    return None
