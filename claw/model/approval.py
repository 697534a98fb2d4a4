"""Approvals: a run that begins only once somebody has said that it may.

It waits in the state `awaiting_approval`, with a row of its own that says until when, and who
may decide; nothing else is held for it. What is decided is kept with the run:

============  ===========================================================================
decision      what becomes of the run
============  ===========================================================================
approved      queued: from then on it waits at the gates as any other run
rejected      canceled, ``rejected by alice: too late today``
expired       canceled, ``approval expired``; with ``on_timeout = "approve"`` it is approved
canceled      it was canceled, or its job stopped or removed, before anybody decided
============  ===========================================================================
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from claw.model import machine
from claw.model.effect import Dispatch
from claw.model.machine import Step
from claw.model.run import Run, State
from claw.model.units import format_duration
from claw.model.values import replace

GROUP = "group:"
"""Begins what names all users of a group."""

EXPIRED = "approval expired"


class OnTimeout(StrEnum):
    """What holds when nobody has decided in time."""

    REJECT = "reject"
    APPROVE = "approve"


class Decision(StrEnum):
    """What has become of the question."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The rule of a job whose runs have to be approved."""

    by: tuple[str, ...] = ()  # users, and groups with `GROUP` before; empty: any operator
    allows_self: bool = True  # whoever asked for the run may be the one who decides
    timeout_s: float = 3600.0  # 0: it never expires
    on_timeout: OnTimeout = OnTimeout.REJECT

    def expires_at(self, now: datetime) -> datetime | None:
        """Return until when somebody may decide that is asked now; None: for ever."""
        return now + timedelta(seconds=self.timeout_s) if self.timeout_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for one run, and what was decided; a row of the store."""

    run: str
    job: str
    asked_at: datetime
    expires_at: datetime | None
    rule: Approval  # as it was when it was asked
    decision: Decision | None = None  # None: it is pending
    decided_at: datetime | None = None
    decided_by: str = ""  # empty: nobody, it expired or was canceled
    reason: str = ""  # in that person's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who wants to decide.

    Attributes:
        name: Their name, as runs keep it.
        named: Those entries of ``by`` that mean them.
        is_operator: Whether they may operate this claw at all.
    """

    name: str
    named: Collection[str] = ()
    is_operator: bool = True


def objection(rule: Approval, who: Decider, askers: Collection[str]) -> str | None:
    """Return why somebody may not decide; None: they may.

    Args:
        rule: Of the run.
        who: They.
        askers: Who asked for the run, and for those that it came of.
    """
    if rule.by and not set(rule.by) & set(who.named):
        return f"{who.name} is none of those who may decide: {by_text(rule)}"
    if not rule.by and not who.is_operator:
        return f"{who.name} may not operate this daemon, and nobody else is named in `by`"
    if not rule.allows_self and who.name in askers:
        return f"{who.name} asked for it: somebody else has to decide (self = false)"
    return None


def by_text(rule: Approval) -> str:
    """Return who may decide, for people: ``alice or group release``."""
    names = [f"group {one[len(GROUP) :]}" if one.startswith(GROUP) else one for one in rule.by]
    return " or ".join(names) or "an operator"


def waiting_text(asked: Asked, rule: Approval | None = None) -> str:
    """Return what a run waits for that is to be approved.

    Args:
        asked: The question.
        rule: By which it is decided now, if that is another one.
    """
    text = f"approval by {by_text(rule or asked.rule)}"
    if asked.expires_at is None:
        return text
    default = "approved" if asked.rule.on_timeout is OnTimeout.APPROVE else "rejected"
    return f"{text}; {default} at {asked.expires_at:%Y-%m-%d %H:%M:%S} UTC"


def approve(run: Run, *, why: str, by: str, at: datetime) -> Step:
    """Let a run go to the queue; it is due from then on, if it was due before."""
    queued = replace(run, state=State.QUEUED, waiting_for=None, due_at=max(run.due_at, at))
    return Step(queued, why=why, by=by or None, effects=(Dispatch(),))


def reject(run: Run, *, why: str, by: str, at: datetime) -> Step:
    """End a run that was not approved."""
    return machine.revoke(run, why=why, by=by, at=at)


def rejection_text(by: str, reason: str) -> str:
    """Return why a rejected run was canceled."""
    return f"rejected by {by}: {reason}" if reason else f"rejected by {by}"


def nobody_text(rule: Approval) -> str:
    """Return why a run was approved that nobody has decided about."""
    return f"nobody decided within {format_duration(rule.timeout_s)}, on_timeout = approve"


def full_text(job: str, most: int) -> str:
    """Return why no more runs of a job may wait for approval."""
    runs = "1 run" if most == 1 else f"{most} runs"
    return f"{runs} of {job} may wait for approval (max_pending_approvals), and no more"
