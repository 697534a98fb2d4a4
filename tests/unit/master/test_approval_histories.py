"""Approvals against a model of them: decisions, cancels, time and kills in any order."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from claw.errors import ConflictError, SaturatedError
from claw.master.engine import approvals, intents, journal, services, sync
from claw.master.engine.dispatch import Claim
from claw.model.alerts import AlertKind
from claw.model.approval import Approval, Asked, Decider, Decision, OnTimeout
from claw.model.job import Daemon
from claw.model.run import State
from tests.kit.chance import examples
from tests.kit.desk import BOOT, Desk, job

LIMIT = 3
RULES = {
    "rejects": Approval(timeout_s=600),
    "approves": Approval(timeout_s=900, on_timeout=OnTimeout.APPROVE),
    "waits": Approval(timeout_s=0),
}
JOBS = tuple(
    job(name, approval=one, max_pending_approvals=LIMIT, max_instances=2)
    for name, one in RULES.items()
)
NAMES = st.sampled_from(sorted(RULES))
WHICH = st.integers(0, 30)
ALICE = Decider(name="alice")


@dataclass
class Known:
    """What the model knows of a run."""

    job: str
    expires_at: datetime | None
    decision: Decision | None = None
    by: str = ""


class Approvals(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(*JOBS, daemon=Daemon(max_parallel=2))
        self.known: dict[str, Known] = {}
        self.began: list[str] = []

    @rule(name=NAMES)
    def ask(self, name: str) -> None:
        waiting = [one for one in self.known.values() if one.job == name and not one.decision]
        if len(waiting) >= LIMIT:
            with pytest.raises(SaturatedError):
                self.desk.ask(name)
            return
        run = self.desk.ask(name)
        timeout_s = RULES[name].timeout_s
        until = run.queued_at + timedelta(seconds=timeout_s) if timeout_s else None
        self.known[run.id] = Known(name, until)

    @rule(which=WHICH, yes=st.booleans())
    def decide(self, which: int, yes: bool) -> None:
        if not self.known:
            return
        run_id = sorted(self.known)[which % len(self.known)]
        known = self.known[run_id]
        act = approvals.approve if yes else approvals.reject
        if known.decision or (known.expires_at and known.expires_at <= self.desk.now):
            with pytest.raises(ConflictError):
                self.desk.do(lambda turn: act(turn, run_id, ALICE, "so"))
            return
        self.desk.do(lambda turn: act(turn, run_id, ALICE, "so"))
        known.decision, known.by = (
            (Decision.APPROVED if yes else Decision.REJECTED),
            "alice",
        )

    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        if not self.known:
            return
        run_id = sorted(self.known)[which % len(self.known)]
        if self.desk.run(run_id).is_open:
            self.desk.do(lambda turn: intents.cancel_run(turn, run_id, by="op"))
            self.known[run_id].decision = self.known[run_id].decision or Decision.CANCELED

    @rule(name=NAMES)
    def stop_and_start(self, name: str) -> None:
        self.desk.do(lambda turn: intents.stop_job(turn, name, by="op"))
        for known in self.known.values():
            if known.job == name:
                known.decision = known.decision or Decision.CANCELED
        standing = replace(self.desk.standing(name), stopped_by=None)
        self.desk.do(lambda turn: turn.tx.put_standing(standing))

    @rule(seconds=st.integers(1, 700))
    def pass_time(self, seconds: int) -> None:
        self.desk.pass_s(seconds)

    @rule()
    def clock_is_set_back(self) -> None:
        self.desk.pass_s(-300)

    @rule()
    def dispatch(self) -> None:
        """Let the dispatcher look; what it claims runs and ends."""
        claims = self.desk.dispatch()
        self._expire()
        for claim in claims:
            self.began.append(claim.run.id)
            self.desk.end(self.desk.launch(claim))

    @rule()
    def kill(self) -> None:
        """Kill the master after a decision that nobody has acted upon, and begin another."""
        claims = self.desk.dispatch()
        self._expire()
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))
        for claim in claims:
            self._never_launched(claim)

    def _never_launched(self, claim: Claim) -> None:
        run, attempt = claim.run.id, claim.attempt
        self.desk.do(lambda turn: journal.never_launched(turn, run, attempt))

    def _expire(self) -> None:
        for known in self.known.values():
            if known.decision or known.expires_at is None or known.expires_at > self.desk.now:
                continue
            approves = RULES[known.job].on_timeout is OnTimeout.APPROVE
            known.decision = Decision.APPROVED if approves else Decision.EXPIRED

    @invariant()
    def what_is_stored_is_what_was_decided(self) -> None:
        for run_id, known in self.known.items():
            run = self.desk.run(run_id)
            asked = self._asked(run_id)
            assert (asked.decision, asked.decided_by) == (known.decision, known.by)
            assert (run.state is State.AWAITING_APPROVAL) is (known.decision is None)
            if known.decision in {Decision.REJECTED, Decision.EXPIRED, Decision.CANCELED}:
                assert run.state is State.CANCELED
            moves = self.desk.moves(run_id)
            assert moves[0] == (None, State.AWAITING_APPROVAL)
            left = [move for move in moves if move[0] == State.AWAITING_APPROVAL]
            assert len(left) == (known.decision is not None)

    def _asked(self, run_id: str) -> Asked:
        found = self.desk.database.view(lambda tx: tx.approval(run_id))
        assert found is not None
        return found

    @invariant()
    def nothing_begins_that_was_not_approved(self) -> None:
        assert len(self.began) == len(set(self.began))
        for run_id in self.began:
            assert self.known[run_id].decision is Decision.APPROVED

    @invariant()
    def an_alert_stands_for_each_that_is_pending(self) -> None:
        pending = {run for run, known in self.known.items() if known.decision is None}
        alerts = self.desk.database.view(lambda tx: tx.all_standing_alerts())
        assert {one.about for one in alerts if one.kind == AlertKind.APPROVAL} == pending


TestApprovals = Approvals.TestCase
TestApprovals.settings = settings(
    max_examples=examples(40), stateful_step_count=25, deadline=None
)
