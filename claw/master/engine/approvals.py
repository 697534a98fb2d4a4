"""Approvals: runs that wait until somebody has said that they may begin.

A run of a job with ``approval`` is stored as `awaiting_approval` with what was asked, in the
transaction that would have queued it. From then on there are rows and nothing else: no process
and no timer is held. `expire` is called at the beginning of each dispatch, and says when the
next one's time is over; so what expires while no master is there does so when one comes.
"""

import sys
from collections.abc import Iterator

from claw.errors import ConflictError, DeniedError, SaturatedError
from claw.master.engine import alerts, descent
from claw.master.engine.turn import Change, Turn
from claw.model import approval, ids
from claw.model.alerts import AlertKind
from claw.model.approval import Approval, Asked, Decider, Decision, OnTimeout
from claw.model.effect import Dispatch, DispatchAt
from claw.model.job import Config, Job
from claw.model.run import Run, State
from claw.model.values import replace

AT_ONCE = 500
"""So many expire in one transaction; the next pass has the others."""


def check_room(turn: Turn, job: Job, count: int = 1) -> None:
    """Refuse what somebody asks for when too many runs wait for approval already.

    Raises:
        SaturatedError: They do.
    """
    if room(turn, job) >= count:
        return
    raise SaturatedError(
        approval.full_text(job.name, job.max_pending_approvals),
        hint=f"clawctl approvals list --job {job.name}",
    )


def room(turn: Turn, job: Job) -> int:
    """Return how many more runs of a job may come to wait for approval, if they need it."""
    if job.approval is None:
        return sys.maxsize
    return max(0, job.max_pending_approvals - turn.tx.count_pending(job.name))


def hold(turn: Turn, job: Job, run: Run) -> Run:
    """Return a run that is about to be queued, as it is to be stored instead.

    That is skipped, where too many of its job wait for approval already.
    """
    if job.approval is None:
        return run
    if not room(turn, job):
        why = approval.full_text(job.name, job.max_pending_approvals)
        return replace(run, state=State.SKIPPED, reason=why, ended_at=turn.now)
    text = approval.waiting_text(_question(turn, job.approval, run))
    return replace(run, state=State.AWAITING_APPROVAL, waiting_for=text)


def _question(turn: Turn, rule: Approval, run: Run) -> Asked:
    return Asked(
        run=run.id,
        job=run.job,
        asked_at=turn.now,
        expires_at=rule.expires_at(turn.now),
        rule=rule,
    )


def ask(turn: Turn, job: Job, run: Run) -> None:
    """Ask whether a run may begin that was stored just now, as `hold` has it."""
    if job.approval is None or run.state is not State.AWAITING_APPROVAL:
        return
    asked = _question(turn, job.approval, run)
    turn.tx.insert_approval(asked)
    if asked.expires_at is not None:
        turn.emit(DispatchAt(asked.expires_at))
    short = ids.short(run.id)
    text = (
        f"{run.job} waits for approval by {approval.by_text(job.approval)}:"
        f" clawctl approve {short}, or clawctl reject {short}"
    )
    alerts.raise_alert(turn, AlertKind.APPROVAL, run.job, run.id, text, about=run.id)


def approve(turn: Turn, run_id: str, who: Decider, reason: str = "") -> Run:
    """Let a run go to the queue.

    Args:
        turn: The decision.
        run_id: Which.
        who: Who has decided so.
        reason: Why, in their words.

    Raises:
        NotFoundError: No such run.
        ConflictError: It waits for no approval, or not any more.
        DeniedError: They may not decide about it.
    """
    run, asked = _pending(turn, run_id, who)
    why = f"approved: {reason}" if reason else "approved"
    _note(turn, asked, Decision.APPROVED, by=who.name, reason=reason)
    return turn.take(run, approval.approve(run, why=why, by=who.name, at=turn.now))


def reject(turn: Turn, run_id: str, who: Decider, reason: str = "") -> Run:
    """End a run before it begins; arguments and errors are those of `approve`."""
    run, asked = _pending(turn, run_id, who)
    why = approval.rejection_text(who.name, reason)
    _note(turn, asked, Decision.REJECTED, by=who.name, reason=reason)
    return turn.take(run, approval.reject(run, why=why, by=who.name, at=turn.now))


def _pending(turn: Turn, run_id: str, who: Decider) -> tuple[Run, Asked]:
    run, asked = turn.run(run_id), turn.tx.approval(run_id)
    short = ids.short(run_id)
    if asked is None:
        raise ConflictError(
            f"run {short} is {run.state}, and needs no approval",
            hint="clawctl approvals list lists those that do",
        )
    if asked.decision is not None:
        by = f" by {asked.decided_by}" if asked.decided_by else ""
        raise ConflictError(
            f"run {short} was {asked.decision}{by}; it is {run.state}",
            hint=f"clawctl runs show {short}",
        )
    if asked.expires_at is not None and asked.expires_at <= turn.now:
        raise ConflictError(f"the time to decide about run {short} is over")
    why = approval.objection(rule_of(turn.config, run, asked), who, set(_askers(turn, run)))
    if why is not None:
        raise DeniedError(why, hint=f"clawctl why {short}")
    return run, asked


def rule_of(config: Config, run: Run, asked: Asked) -> Approval:
    """Return the rule by which it is decided now: that of the present configuration.

    Of a step of a workflow, and of a job that has none any more, it is the one of the question.
    """
    job = None if run.lineage.step is not None else config.job(run.job)
    return asked.rule if job is None or job.approval is None else job.approval


def _askers(turn: Turn, run: Run) -> Iterator[str]:
    """Yield who asked for a run, and for all those that it came of or repeats."""
    seen: set[str] = set()
    todo = [run.id]
    while todo:
        found = turn.tx.run(todo.pop())
        if found is None or found.id in seen:
            continue
        seen.add(found.id)
        yield found.asked_by
        line = found.lineage
        above = (line.parent, line.root, line.workflow, found.replay_of)
        todo += descent.parents_of(found)
        todo += [one for one in above if one is not None]


def expire(turn: Turn) -> None:
    """Have hold what was said for when nobody decides, and say when the next one's time is."""
    following = turn.tx.next_expiry()
    if following is not None and following <= turn.now:
        due = turn.tx.due_approvals(turn.now, AT_ONCE)
        for asked in due:
            _expire(turn, asked)
        following = turn.tx.next_expiry()
    if following is None:
        return
    turn.emit(Dispatch() if following <= turn.now else DispatchAt(following))


def _expire(turn: Turn, asked: Asked) -> None:
    run = turn.run(asked.run)
    if asked.rule.on_timeout is OnTimeout.APPROVE:
        why = approval.nobody_text(asked.rule)
        _note(turn, asked, Decision.APPROVED, reason=why)
        turn.take(run, approval.approve(run, why=why, by="", at=turn.now))
    else:
        _note(turn, asked, Decision.EXPIRED)
        turn.take(run, approval.reject(run, why=approval.EXPIRED, by="", at=turn.now))


def settle(turn: Turn, change: Change) -> None:
    """Take note of a run that waits for approval no more, whatever has become of it."""
    run = change.after
    if change.before.state is not State.AWAITING_APPROVAL or run.state is change.before.state:
        return
    asked = turn.tx.approval(run.id)
    if asked is None:
        return
    if asked.decision is None:
        asked = _note(turn, asked, Decision.CANCELED, reason=run.reason or "")
    by = f" by {asked.decided_by}" if asked.decided_by else ""
    alerts.resolve(turn, AlertKind.APPROVAL, run.job, f"{asked.decision}{by}", about=run.id)


def _note(
    turn: Turn, asked: Asked, decision: Decision, *, by: str = "", reason: str = ""
) -> Asked:
    decided = replace(
        asked, decision=decision, decided_at=turn.now, decided_by=by, reason=reason
    )
    turn.tx.decide_approval(decided)
    return decided
