"""Approvals: who may decide about a run, until when, and what becomes of it."""

from datetime import timedelta

import pytest

from claw.errors import ConflictError, DeniedError, SaturatedError
from claw.master.engine import approvals, deadletters, intake, intents, services, slots
from claw.master.engine.deadletters import Changes
from claw.master.engine.intake import Ask, Particular
from claw.model.alerts import Alert, Alerting, AlertKind
from claw.model.approval import Approval, Asked, Decider, Decision, OnTimeout
from claw.model.effect import Dispatch, DispatchAt
from claw.model.graph import Dependency
from claw.model.job import Job, JobType, Overlap
from claw.model.lineage import ALONE, below
from claw.model.retry import Retry
from claw.model.run import Origin, Run, State
from claw.model.workflow import On, Step, Workflow
from tests.kit.desk import BOOT, T0, Desk, job

ALICE = Decider(name="alice")
CLAW = Decider(name="claw", is_operator=False)


def gated(name: str = "a", type_: JobType = JobType.MANUAL, **values: object) -> Job:
    """Return a job whose runs have to be approved."""
    rule = values.pop("rule", Approval())
    return job(name, type_, approval=rule, **values)


def named(name: str, *entries: str) -> Decider:
    return Decider(name=name, named=entries)


def asked(desk: Desk, run: Run) -> Asked:
    found = desk.database.view(lambda tx: tx.approval(run.id))
    assert found is not None
    return found


def standing(desk: Desk, name: str = "a") -> list[Alert]:
    found = desk.database.view(lambda tx: tx.standing_alerts(name))
    return [one for one in found if one.kind == AlertKind.APPROVAL]


def approve(desk: Desk, run: Run, who: Decider = ALICE, reason: str = "") -> Run:
    return desk.do(lambda turn: approvals.approve(turn, run.id, who, reason))


def reject(desk: Desk, run: Run, who: Decider = ALICE, reason: str = "") -> Run:
    return desk.do(lambda turn: approvals.reject(turn, run.id, who, reason))


def states(desk: Desk, name: str = "a") -> list[State]:
    return [run.state for run in reversed(desk.runs(name))]


def test_a_run_waits_until_somebody_has_approved_it() -> None:
    desk = Desk(gated())
    run = desk.ask("a")
    assert run.state is State.AWAITING_APPROVAL
    assert run.waiting_for == "approval by an operator; rejected at 2026-03-02 13:00:00 UTC"
    assert desk.dispatch() == ()
    desk.pass_s(60)
    approved = approve(desk, run, reason="looks good")
    assert (approved.state, approved.waiting_for) == (State.QUEUED, None)
    assert approved.due_at == desk.now  # it takes its place in the queue from now on
    [claim] = desk.dispatch()
    assert desk.end(desk.launch(claim)).state is State.SUCCEEDED
    said = [(one.type, one.by, one.why) for one in desk.events(run=run.id)][:3]
    assert said == [
        ("run.awaiting_approval", "tester", "manual"),
        ("alert.raised", None, standing_text(run)),
        ("run.queued", "alice", "approved: looks good"),
    ]
    kept = asked(desk, run)
    assert (kept.decision, kept.decided_by) == (Decision.APPROVED, "alice")
    assert (kept.decided_at, kept.reason) == (approved.due_at, "looks good")


def standing_text(run: Run) -> str:
    short = run.id[-6:]
    return (
        f"a waits for approval by an operator: clawctl approve {short},"
        f" or clawctl reject {short}"
    )


def test_a_rejected_run_is_canceled_and_says_by_whom_and_why() -> None:
    desk = Desk(gated(dead_letter=True, alerts=Alerting(on=frozenset(AlertKind))))
    run = desk.ask("a")
    rejected = reject(desk, run, reason="too late today")
    assert (rejected.state, rejected.reason) == (
        State.CANCELED,
        "rejected by alice: too late today",
    )
    assert rejected.ended_at == desk.now
    assert desk.run(run.id).dead_at is None
    assert asked(desk, run).decision is Decision.REJECTED
    assert reject(desk, desk.ask("a")).reason == "rejected by alice"
    assert desk.dispatch() == ()


def test_an_alert_stands_while_somebody_has_to_decide_whatever_else_is_told() -> None:
    desk = Desk(gated(alerts=Alerting(on=frozenset())))
    one, other = desk.ask("a"), desk.ask("a")
    assert [alert.about for alert in standing(desk)] == [one.id, other.id]
    approve(desk, one)
    assert [alert.about for alert in standing(desk)] == [other.id]
    reject(desk, other)
    assert standing(desk) == []


@pytest.mark.parametrize(
    ("on_timeout", "state", "decision"),
    [
        (OnTimeout.REJECT, State.CANCELED, Decision.EXPIRED),
        (OnTimeout.APPROVE, State.CLAIMED, Decision.APPROVED),
    ],
)
def test_what_was_said_for_that_holds_when_nobody_decides_in_time(
    on_timeout: OnTimeout, state: State, decision: Decision
) -> None:
    desk = Desk(gated(rule=Approval(timeout_s=600, on_timeout=on_timeout)))
    run = desk.ask("a")
    assert DispatchAt(desk.now + timedelta(seconds=600)) in desk.effects
    desk.pass_s(599)
    desk.effects.clear()
    desk.dispatch()
    assert desk.run(run.id).state is State.AWAITING_APPROVAL
    assert DispatchAt(run.queued_at + timedelta(seconds=600)) in desk.effects
    desk.pass_s(1)
    with pytest.raises(ConflictError, match="the time to decide about run"):
        approve(desk, run)
    desk.dispatch()
    ended = desk.run(run.id)
    assert ended.state is state
    assert ended.reason == ("approval expired" if state is State.CANCELED else None)
    kept = asked(desk, run)
    assert (kept.decision, kept.decided_by, kept.decided_at) == (decision, "", desk.now)
    assert standing(desk) == []
    with pytest.raises(ConflictError, match=f"was {decision}"):
        approve(desk, run)


def test_a_question_without_a_timeout_never_expires() -> None:
    desk = Desk(gated(rule=Approval(timeout_s=0)))
    run = desk.ask("a")
    assert run.waiting_for == "approval by an operator"
    desk.pass_s(10 * 365 * 86400)
    desk.dispatch()
    assert approve(desk, run).state is State.QUEUED


def test_more_expire_than_one_transaction_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approvals, "AT_ONCE", 2)
    desk = Desk(gated())
    for _ in range(5):
        desk.ask("a")
    desk.pass_s(3601)
    for left in (3, 1, 0):
        desk.dispatch()
        assert states(desk).count(State.AWAITING_APPROVAL) == left


def test_only_those_who_are_named_may_decide_root_included() -> None:
    desk = Desk(gated(rule=Approval(by=("bob", "group:release"))))
    run = desk.ask("a")
    assert "approval by bob or group release" in (run.waiting_for or "")
    for who in (named("root"), named("alice"), named("alice", "group:other")):
        with pytest.raises(DeniedError, match="is none of those who may decide: bob or group"):
            approve(desk, run, who)
        with pytest.raises(DeniedError):
            reject(desk, run, who)
    assert approve(desk, run, named("carol", "group:release")).state is State.QUEUED


def test_where_nobody_is_named_whoever_may_operate_decides() -> None:
    desk = Desk(gated())
    run = desk.ask("a")
    with pytest.raises(DeniedError, match="may not operate"):
        approve(desk, run, CLAW)
    assert approve(desk, run, named("tester")).state is State.QUEUED  # who asked for it


@pytest.mark.parametrize("of", ["run", "parent", "workflow", "join", "repeated"])
def test_who_asked_for_a_run_or_what_it_comes_of_may_not_decide_unless_said_so(
    of: str,
) -> None:
    rule = Approval(by=("tester", "bob"), allows_self=False)
    desk = Desk(job("first"), gated(rule=rule))
    if of == "run":
        run = desk.ask("a")
    else:
        first = desk.ask("first")
        workflow = first.id if of == "workflow" else None
        ask = Ask(
            job="a",
            origin=Origin.JOIN if of == "join" else Origin.TRIGGER,
            key=f"{first.id}+{'r' * 27}:a" if of == "join" else "k",
            by="trigger",
            replay_of=first.id if of == "repeated" else None,
            lineage=below(first, workflow=workflow, step="s" if workflow else None)
            if of in {"parent", "workflow"}
            else ALONE,
        )
        run = desk.do(lambda turn: intake.follow_up(turn, ask))
    with pytest.raises(DeniedError, match="somebody else has to decide"):
        approve(desk, run, named("tester", "tester"))
    assert approve(desk, run, named("bob", "bob")).state is State.QUEUED


def test_who_may_decide_is_what_the_present_configuration_says() -> None:
    desk = Desk(gated(rule=Approval(by=("bob",))))
    one, other = desk.ask("a"), desk.ask("a")
    desk.set_config(gated(rule=Approval(by=("alice",))))
    with pytest.raises(DeniedError):
        approve(desk, one, named("bob", "bob"))
    approve(desk, one, named("alice", "alice"))
    desk.set_config(job("a"))  # it needs none any more: what was asked goes by its own rule
    with pytest.raises(DeniedError):
        approve(desk, other, named("alice", "alice"))
    approve(desk, other, named("bob", "bob"))


@pytest.mark.parametrize("end", ["cancel", "stop", "remove"])
def test_a_run_that_is_revoked_needs_no_decision_any_more(end: str) -> None:
    desk = Desk(gated())
    run = desk.ask("a")
    if end == "cancel":
        desk.do(lambda turn: intents.cancel_run(turn, run.id, by="op", why="no need"))
    elif end == "stop":
        desk.do(lambda turn: intents.stop_job(turn, "a", by="op"))
    else:
        desk.set_config()
    assert desk.run(run.id).state is State.CANCELED
    assert asked(desk, run).decision is Decision.CANCELED
    assert standing(desk) == []
    with pytest.raises(ConflictError, match="was canceled; it is canceled"):
        approve(desk, run)
    desk.pass_s(7200)
    desk.dispatch()
    assert asked(desk, run).decision is Decision.CANCELED


def test_a_run_that_needs_no_approval_cannot_be_approved() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a")
    with pytest.raises(ConflictError, match="is queued, and needs no approval"):
        approve(desk, run)


def test_two_decisions_about_one_run_are_one() -> None:
    desk = Desk(gated())
    run = desk.ask("a")
    approve(desk, run)
    with pytest.raises(ConflictError, match="was approved by alice; it is queued"):
        reject(desk, run, Decider(name="bob"))
    assert desk.run(run.id).state is State.QUEUED


def test_what_people_ask_for_beyond_the_limit_is_refused() -> None:
    desk = Desk(gated(max_pending_approvals=2))
    desk.ask("a")
    common = Ask(job="a", origin=Origin.MANUAL, key="batch", by="tester")
    with pytest.raises(SaturatedError):
        desk.do(lambda turn: intake.submit_batch(turn, common, [Particular()] * 2))
    second = desk.ask("a")
    with pytest.raises(SaturatedError, match="2 runs of a may wait for approval") as caught:
        desk.ask("a")
    assert "approvals list --job a" in (caught.value.hint or "")
    approve(desk, second)
    desk.ask("a")
    assert len(desk.runs("a")) == 3


def test_what_comes_by_itself_beyond_the_limit_is_skipped_and_says_why() -> None:
    desk = Desk(gated(max_pending_approvals=1), job("first"))
    desk.ask("a")
    ask = Ask(job="a", origin=Origin.TRIGGER, key="k", lineage=below(desk.ask("first")))
    run = desk.do(lambda turn: intake.follow_up(turn, ask))
    assert run.state is State.SKIPPED
    assert run.reason == "1 run of a may wait for approval (max_pending_approvals), and no more"
    assert desk.database.view(lambda tx: tx.approval(run.id)) is None


def test_a_batch_is_asked_for_run_by_run() -> None:
    desk = Desk(gated())
    common = Ask(job="a", origin=Origin.MANUAL, key="batch", by="tester")
    batch, _queued = desk.do(lambda turn: intake.submit_batch(turn, common, [Particular()] * 3))
    assert batch
    assert states(desk) == [State.AWAITING_APPROVAL] * 3
    for run in desk.runs("a")[:2]:
        approve(desk, run)
    assert sorted(states(desk)) == ["awaiting_approval", "queued", "queued"]


def _tick(desk: Desk) -> None:
    desk.do(lambda turn: slots.tick(turn, ["a"]))


def test_each_slot_of_a_schedule_is_asked_for() -> None:
    rule = Approval(timeout_s=0)
    desk = Desk(
        gated(
            type_=JobType.SCHEDULED, schedule=("@hourly",), rule=rule, max_pending_approvals=2
        )
    )
    for _ in range(3):
        desk.pass_s(3600)
        _tick(desk)
    assert states(desk) == [State.AWAITING_APPROVAL] * 2 + [State.SKIPPED]
    first = desk.runs("a")[-1]
    assert first.slot_at == T0 + timedelta(hours=1)
    approve(desk, first)
    [claim] = desk.dispatch()
    assert claim.run.slot_at == first.slot_at


def test_what_makes_up_for_missed_slots_is_asked_for_too() -> None:
    desk = Desk(gated(type_=JobType.SCHEDULED, schedule=("@hourly",)))
    desk.pass_s(3 * 3600 + 600)
    _tick(desk)
    [run] = [one for one in desk.runs("a") if one.is_open]
    assert (run.state, run.cause) == (State.AWAITING_APPROVAL, "catch_up")


def test_a_run_for_later_is_asked_for_at_once_and_waits_for_its_time() -> None:
    desk = Desk(gated())
    at = T0 + timedelta(minutes=30)
    run = desk.ask("a", due_at=at)
    assert run.state is State.AWAITING_APPROVAL
    assert approve(desk, run).due_at == at
    assert desk.dispatch() == ()
    desk.pass_s(1801)
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]


def test_force_passes_no_approval() -> None:
    desk = Desk(gated(enabled=False))
    assert desk.ask("a", forced=True).state is State.AWAITING_APPROVAL


def test_a_dead_letter_that_is_done_again_is_asked_for_anew() -> None:
    desk = Desk(gated(dead_letter=True, max_pending_approvals=1))
    run = desk.ask("a")
    approve(desk, run)
    [claim] = desk.dispatch()
    dead = desk.end(desk.launch(claim), 1)
    assert dead.state is State.FAILED

    def reinject() -> Run:
        return desk.do(
            lambda turn: deadletters.reinject(turn, dead, key="k", by="op", changes=Changes())
        )

    other = desk.ask("a")
    with pytest.raises(SaturatedError):
        reinject()
    assert desk.run(dead.id).dead_at is not None
    reject(desk, other)
    assert reinject().state is State.AWAITING_APPROVAL


def test_another_attempt_needs_no_approval() -> None:
    desk = Desk(gated(retry=Retry(delays_s=(0.0,), max_attempts=2)))
    run = desk.ask("a")
    approve(desk, run)
    [claim] = desk.dispatch()
    desk.end(desk.launch(claim), 1)
    [again] = desk.dispatch()
    assert (again.run.id, again.attempt) == (run.id, 2)


def test_a_run_that_waits_for_approval_takes_up_no_place_of_its_job() -> None:
    desk = Desk(gated(on_overlap=Overlap.SKIP))
    one, other = desk.ask("a"), desk.ask("a")
    approve(desk, other)
    [claim] = desk.dispatch()
    assert claim.run.id == other.id
    approve(desk, one)
    assert desk.dispatch() == ()
    assert desk.run(one.id).state is State.SKIPPED


def test_what_depends_on_a_run_waits_for_it_while_it_waits_for_approval() -> None:
    desk = Desk(
        gated("migrate"),
        job("web", depends_on=(Dependency(job="migrate", condition="after_complete"),)),  # type: ignore[arg-type]
    )
    web = desk.ask("web")
    assert desk.dispatch() == ()
    [migrate] = desk.runs("migrate")
    assert migrate.state is State.AWAITING_APPROVAL
    assert desk.dispatch() == ()
    assert len(desk.runs("migrate")) == 1
    approve(desk, migrate)
    [claim] = desk.dispatch()
    desk.end(desk.launch(claim))
    assert [one.run.id for one in desk.dispatch()] == [web.id]


def test_the_same_request_is_asked_for_once() -> None:
    desk = Desk(gated())
    assert desk.ask("a", key="k").id == desk.ask("a", key="k").id
    assert len(desk.runs("a")) == 1


def _release_jobs(step: Approval | None) -> tuple[Job, ...]:
    """Return a workflow whose second step has to be approved, and its jobs."""
    whole = Workflow(
        steps=(
            Step(name="build", job="b"),
            Step(name="ship", job="a", needs=("build",), approval=step),
            Step(name="undo", job="b", needs=("ship",), on=On.FAILURE),
        )
    )
    return job("a"), job("b", max_instances=2), Job(name="release", argv=(), workflow=whole)


def _release(step: Approval) -> Desk:
    desk = Desk(*_release_jobs(step))
    desk.ask("release")
    _work(desk)
    return desk


def _work(desk: Desk) -> None:
    """Let all that may begin do so, and end well."""
    while claims := desk.dispatch():
        for claim in claims:
            desk.end(desk.launch(claim))


def test_a_step_of_a_workflow_waits_for_its_own_approval() -> None:
    desk = _release(Approval(by=("bob",), allows_self=False))
    [ship] = desk.runs("a")
    assert (ship.state, ship.lineage.step) == (State.AWAITING_APPROVAL, "ship")
    assert desk.runs("release")[0].state is State.RUNNING
    desk.do(lambda turn: services.begin(turn, BOOT))  # of a new master
    desk.set_config(*_release_jobs(None))  # its rule is kept with it
    with pytest.raises(DeniedError, match="none of those"):
        approve(desk, ship, named("tester"))
    approve(desk, ship, named("bob", "bob"))
    _work(desk)
    assert desk.run(ship.id).state is State.SUCCEEDED
    assert desk.runs("release")[0].state is State.SUCCEEDED


@pytest.mark.parametrize("end", ["reject", "expire"])
def test_a_step_that_is_not_approved_has_ended_badly(end: str) -> None:
    desk = _release(Approval(timeout_s=60))
    [ship] = desk.runs("a")
    if end == "reject":
        reject(desk, ship)
    else:
        desk.pass_s(61)
        assert desk.dispatch() == ()  # what follows from that is for the next look
        assert Dispatch() in desk.effects
    _work(desk)
    assert desk.run(ship.id).state is State.CANCELED
    assert [run.lineage.step for run in desk.runs("b")] == ["undo", "build"]
    assert desk.runs("release")[0].state is State.FAILED


def test_a_workflow_as_a_whole_can_need_approval() -> None:
    whole = Workflow(steps=(Step(name="build", job="b"),))
    desk = Desk(job("b"), Job(name="release", argv=(), workflow=whole, approval=Approval()))
    root = desk.ask("release")
    assert root.state is State.AWAITING_APPROVAL
    _work(desk)
    assert desk.runs("b") == ()
    approve(desk, root)
    _work(desk)
    assert desk.run(root.id).state is State.SUCCEEDED
