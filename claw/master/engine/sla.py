"""Keeps the score of what is promised of jobs, and says when it is broken or nearly so.

Each verdict is counted in the transaction that ends the run, so that a score needs no runs
that retention may have removed. It begins anew when the job gets another schedule.
"""

from datetime import UTC, datetime, timedelta

from claw.master.engine import alerts, slots
from claw.master.engine.turn import Turn
from claw.model.alerts import Alert, AlertKind
from claw.model.job import Job
from claw.model.run import Run
from claw.model.sla import TALLY_S, Score, Sla, Verdict, breaches, judge
from claw.store.records import Tx

_KEPT = timedelta(days=62)
"""Longer than any period of a budget; a `period` may be longer still."""


def count(turn: Turn, job: Job, run: Run) -> None:
    """Count what a run that is over is to the promise, and say what follows."""
    if job.sla is None:
        return
    verdict, _why = judge(job.sla, run)
    if verdict is Verdict.NONE:
        return
    mark = _mark(turn.tx, job)
    if mark is None:
        turn.tx.delete_sla(job.name)
    since, in_a_row = mark or (turn.now, 0)
    is_fail = verdict is Verdict.FAIL
    runs = run.slot_count
    in_a_row = in_a_row + runs if is_fail else 0
    turn.tx.put_sla_mark(job.name, slots.schedule_key(job), since, in_a_row)
    at = run.ended_at or turn.now
    turn.tx.add_tally(
        job.name, _quarter(at), passes=0 if is_fail else runs, fails=runs if is_fail else 0
    )
    kept = max(_KEPT, timedelta(seconds=job.sla.period_s))
    turn.tx.prune_tallies(job.name, turn.now - kept)
    tell(turn, job)


def _mark(tx: Tx, job: Job) -> tuple[datetime, int] | None:
    """Return since when a job's score counts, and how many of its runs failed in a row.

    None: nothing was counted yet, or for another schedule.
    """
    known = tx.sla_mark(job.name)
    if known is None or known[0] != slots.schedule_key(job):
        return None
    return known[1], known[2]


def _quarter(at: datetime) -> datetime:
    return datetime.fromtimestamp(int(at.timestamp()) // TALLY_S * TALLY_S, UTC)


def score(tx: Tx, job: Job, now: datetime) -> Score:
    """Return how a job's promise is kept just now."""
    wanted = job.sla or Sla()
    mark, budget = _mark(tx, job), wanted.error_budget
    begins, resets_at = budget.span(now, job.timezone) if budget else (now, None)
    if mark is None:
        return Score(since=now, resets_at=resets_at)
    since, in_a_row = mark
    period_at = now - timedelta(seconds=wanted.period_s)
    passes, fails = tx.tallies(job.name, max(_quarter(since), period_at))
    _passes, spent = tx.tallies(job.name, max(_quarter(since), begins)) if budget else (0, 0)
    return Score(
        since=max(since, period_at),
        passes=passes,
        fails=fails,
        in_a_row=in_a_row,
        spent=spent,
        resets_at=resets_at,
    )


def findings(tx: Tx, job: Job, now: datetime) -> dict[str, str]:
    """Return what of a job's promise is broken, or nearly so."""
    return {} if job.sla is None else dict(breaches(job.sla, score(tx, job, now)))


def tell(turn: Turn, job: Job) -> None:
    """Raise what is broken, and resolve what is not any more."""
    found = findings(turn.tx, job, turn.now)
    stands = {one.about: one for one in _standing(turn.tx, job)}
    for about in stands.keys() - found.keys():
        alerts.resolve(turn, AlertKind.SLA, job.name, "it is kept again", about=about)
    for about, text in found.items():
        if about not in stands:
            said = f"{job.name}: {text}: clawctl sla {job.name}"
            alerts.raise_alert(turn, AlertKind.SLA, job.name, None, said, about=about)


def is_news(tx: Tx, job: Job, now: datetime) -> bool:
    """Tell whether `tell` has something to say."""
    return findings(tx, job, now).keys() != {one.about for one in _standing(tx, job)}


def _standing(tx: Tx, job: Job) -> list[Alert]:
    return [one for one in tx.standing_alerts(job.name) if one.kind == AlertKind.SLA]
