"""``job.sla``: how far jobs keep what is promised of them."""

from datetime import datetime

from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import sla
from claw.master.views.statusview import iso
from claw.master.wiring import Json
from claw.model.job import Job
from claw.model.run import Run
from claw.model.sla import Score, Sla, breaches, judge
from claw.store.records import Tx

_RUNS_SHOWN = 10


async def show(call: Call, params: Params) -> Json:
    """Tell the score of jobs of which something is promised."""
    config, now, wanted = call.services.config.current, clock.now(), params.get("targets") or []

    def read(tx: Tx) -> list[Json]:
        aims = targets.choose_aims(tx, config, wanted) if wanted else ()
        names = [aim.job for aim in aims] if wanted else [job.name for job in config.jobs]
        found = (config.job(name) for name in dict.fromkeys(names))
        return [_shown(tx, job, job.sla, now) for job in found if job and job.sla]

    return {"jobs": await call.services.store.read(read)}


def _shown(tx: Tx, job: Job, wanted: Sla, now: datetime) -> Json:
    score = sla.score(tx, job, now)
    runs = (run for run in tx.runs_page(job=job.name, limit=_RUNS_SHOWN) if not run.is_open)
    return {
        "job": job.name,
        "since": iso(score.since),
        "passes": score.passes,
        "fails": score.fails,
        "rate": score.rate,
        "wanted": wanted.success_rate,
        "in_a_row": score.in_a_row,
        "budget": _budget(wanted, score),
        "broken": [text for _about, text in breaches(wanted, score)],
        "runs": [_verdict(wanted, run) for run in runs],
    }


def _verdict(wanted: Sla, run: Run) -> Json:
    verdict, why = judge(wanted, run)
    return {"run": run.id, "verdict": verdict, "why": why}


def _budget(wanted: Sla, score: Score) -> Json | None:
    budget = wanted.error_budget
    if budget is None:
        return None
    return {
        "period": budget.period,
        "failures": budget.failures,
        "spent": score.spent,
        "left": max(budget.failures - score.spent, 0),
        "resets_at": iso(score.resets_at),
    }
