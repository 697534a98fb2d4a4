"""The outbox: who is told what, and what becomes of each message."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.engine import alerts, deliveries, intake
from claw.master.engine.turn import Turn
from claw.model.alerts import Alerting, AlertKind
from claw.model.channels import AnnounceMode, Announcing, Channel, ChannelType
from claw.model.delivery import Delivery, DeliveryState, Refusal
from claw.model.effect import Posted
from claw.model.evidence import Evidence, Printed
from claw.model.hooks import Hook
from claw.model.job import Job
from claw.model.retry import Retry
from claw.model.workflow import OnBadEnd, Step, Workflow
from tests.kit.desk import Desk, job

OPS = Channel(name="ops", type=ChannelType.FILE, path="/x")
DOWN = Refusal(problem="down")
NEVER = Refusal(problem="no such place", is_final=True)


def a_desk(
    *jobs: Job, hooks: tuple[Hook, ...] = (), channels: tuple[Channel, ...] = (OPS,)
) -> Desk:
    desk = Desk(*jobs)
    desk.config = replace(desk.config, channels=channels, hooks=hooks)
    desk.effects.clear()
    return desk


def told(desk: Desk, state: DeliveryState | None = None) -> tuple[Delivery, ...]:
    return desk.database.view(lambda tx: tx.deliveries(state=state, limit=100_000))[::-1]


def bodies(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in told(desk)]


def settle(desk: Desk, number: int, refusal: Refusal | None = None) -> Delivery | None:
    return desk.do(lambda turn: deliveries.settle(turn, number, refusal))


def standing(desk: Desk) -> list[str]:
    found = desk.database.view(lambda tx: tx.all_standing_alerts())
    return [alert.kind for alert in found]


def post(desk: Desk, count: int = 1, *, channel: str = "ops", to: str = "") -> None:
    for _ in range(count):
        desk.do(lambda turn: deliveries.send_test(turn, channel, to, "tester"))


# -- hooks ----------------------------------------------------------------------------------


def test_a_hook_is_told_of_the_events_that_its_patterns_fit_in_their_order() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("run.*",), channel="ops"),))

    desk.end(desk.begin("a"))

    types = [body["type"] for body in bodies(desk)]
    assert types == ["run.queued", "run.claimed", "run.running", "run.succeeded"]
    assert Posted("ops") in desk.effects


def test_a_message_has_the_event_as_clients_see_it_and_what_is_known_of_the_run() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("run.failed",), channel="ops"),))

    run = desk.end(desk.begin("a"), 3)

    [body] = bodies(desk)
    [event] = [one for one in desk.events(run.id) if one.type == "run.failed"]
    assert body["cursor"] == event.cursor
    assert (body["job"], body["run"], body["to"]) == ("a", run.id, "failed")
    assert body["facts"]["exit_code"] == 3
    assert body["text"] == f"a: run.failed: exit 3 (run {run.id[-6:]})"


def test_a_hook_may_want_some_jobs_or_tags_only() -> None:
    of_jobs = Hook(on=("run.queued",), channel="ops", jobs=("etl-*",))
    of_tags = Hook(on=("run.queued",), channel="ops", tags=("site",))
    desk = a_desk(job("etl-a"), job("web", tags=("site",)), job("c"), hooks=(of_jobs, of_tags))

    for name in ("etl-a", "web", "c"):
        desk.ask(name)

    assert [one.job for one in told(desk)] == ["etl-a", "web"]


def test_the_text_of_a_hook_is_filled_with_facts_and_nothing_else() -> None:
    text = "{job} {state}: {reason} on {host}{duration} {{exit_code}} {nothing.here}"
    desk = a_desk(job("a"), hooks=(Hook(on=("run.failed",), channel="ops", text=text),))

    desk.end(desk.begin("a"), 3)

    [body] = bodies(desk)
    assert body["text"].startswith("a failed: exit 3 on ")
    assert body["text"].endswith("0.0 {3} {nothing.here}")


def test_an_alert_of_the_daemon_itself_reaches_a_hook() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("alert.*",), channel="ops"),))

    desk.do(lambda turn: intake.tell_full(turn, "a run of a was skipped"))

    [body] = bodies(desk)
    assert (body["type"], body["job"], body["to"]) == ("alert.raised", None, "queue_full")


def test_where_nobody_is_told_anything_the_events_are_not_looked_at() -> None:
    desk = a_desk(job("a"))
    assert not desk.config.outlets.is_used

    desk.end(desk.begin("a"), 3)

    assert told(desk) == ()


def test_an_event_is_told_once_when_consequences_are_followed_twice_in_a_turn() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("job.seen",), channel="ops"),))

    def twice(turn: Any) -> None:
        turn.note("job.seen", job="a")
        deliveries.announce(turn)
        turn.note("job.seen", job="a")

    desk.do(twice)

    assert len(told(desk)) == 2


def test_what_is_taken_back_is_not_told() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("job.seen",), channel="ops"),))

    def fail(turn: Any) -> None:
        with turn.tx.part():
            turn.note("job.seen", job="a")
            raise ValueError("no")

    def partly(turn: Any) -> None:
        with pytest.raises(ValueError, match="no"):
            fail(turn)
        turn.note("job.seen", job="a", why="stays")

    desk.do(partly)

    [body] = bodies(desk)
    assert body["why"] == "stays"


SPARE = replace(OPS, name="spare")
ON_ALERTS = (
    Hook(on=("alert.raised",), channel="ops"),
    Hook(on=("alert.raised",), channel="spare"),
)


def by_channel(desk: Desk) -> list[tuple[str, str]]:
    said = [(one.channel, json.loads(one.body)) for one in told(desk) if one.body]
    return [(channel, body["to"]) for channel, body in said if body["type"] == "alert.raised"]


def test_that_a_channel_takes_nothing_is_told_by_the_others() -> None:
    desk = a_desk(job("a"), hooks=ON_ALERTS, channels=(OPS, SPARE))
    post(desk)
    settle(desk, told(desk)[0].id, NEVER)

    assert by_channel(desk) == [("spare", "delivery")]
    settle(desk, told(desk)[1].id, NEVER)
    assert standing(desk) == ["delivery", "delivery"]
    assert len(by_channel(desk)) == 1, "nobody is left to be told, and nothing goes round"


def test_that_messages_were_dropped_is_told_by_the_others() -> None:
    small = replace(OPS, max_pending=2)
    desk = a_desk(job("a"), hooks=ON_ALERTS, channels=(small, SPARE))
    post(desk, 4)

    assert standing(desk) == ["dropped"]
    assert by_channel(desk) == [("spare", "dropped")]


def test_messages_that_events_drop_are_told_too() -> None:
    hooks = (Hook(on=("job.seen",), channel="ops"), ON_ALERTS[1])
    desk = a_desk(job("a"), hooks=hooks, channels=(replace(OPS, max_pending=2), SPARE))
    for _ in range(5):
        desk.do(lambda turn: turn.note("job.seen", job="a"))

    assert by_channel(desk) == [("spare", "dropped")]


def test_no_hook_is_told_what_became_of_its_own_messages() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("*",), channel="ops"),))
    desk.do(lambda turn: turn.note("job.seen", job="a"))
    [one] = told(desk)

    settle(desk, one.id, NEVER)
    assert standing(desk) == ["delivery"]
    desk.do(lambda turn: alerts.ack(turn, 1))

    assert len(told(desk)) == 1


# -- alerts ---------------------------------------------------------------------------------


def test_an_alert_is_told_when_it_is_raised_and_not_again_while_it_stands() -> None:
    wanted = Alerting(on=frozenset({AlertKind.FAILED}), channel="ops")
    desk = a_desk(job("a", alerts=wanted))

    for code in (3, 3, 0):
        desk.end(desk.begin("a"), code)

    [body] = bodies(desk)
    assert (body["kind"], body["type"], body["to"]) == ("alert", "alert.raised", "failed")
    assert "clawctl logs" in body["text"]
    assert body["subject"] == "a: failed"


def test_a_recovery_is_told_to_who_wants_it() -> None:
    wanted = Alerting(on=frozenset({AlertKind.FAILED, AlertKind.RECOVERED}), channel="ops")
    desk = a_desk(job("a", alerts=wanted))

    for code in (3, 0):
        desk.end(desk.begin("a"), code)

    assert [body["to"] for body in bodies(desk)] == ["failed", "recovered"]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_end_of_a_condition_that_has_no_alert_of_its_own_is_told_as_a_recovery(
    is_wanted: bool,
) -> None:
    kinds = {AlertKind.UNHEALTHY} | ({AlertKind.RECOVERED} if is_wanted else set())
    desk = a_desk(job("a", alerts=Alerting(on=frozenset(kinds), channel="ops")))

    desk.do(lambda turn: alerts.raise_alert(turn, "unhealthy", "a", None, "it is ill"))
    desk.do(lambda turn: alerts.resolve(turn, "unhealthy", "a", "it is well again"))

    texts = [body["text"] for body in bodies(desk)]
    assert texts == ["it is ill", "a: unhealthy is over: it is well again"][: 1 + is_wanted]


def test_that_an_approval_was_decided_is_told_as_that_it_was_asked_for() -> None:
    desk = a_desk(job("a", alerts=Alerting(channel="ops")))

    desk.do(lambda turn: alerts.raise_alert(turn, "approval", "a", None, "may it?"))
    desk.do(lambda turn: alerts.resolve(turn, "approval", "a", "approved by ann"))

    texts = [body["text"] for body in bodies(desk)]
    assert texts == ["may it?", "a: approval is over: approved by ann"]


@pytest.mark.parametrize("own", ["", "own"])
def test_of_an_inline_step_those_are_told_who_are_told_of_its_workflow(own: str) -> None:
    step = job("flow.step", step_of="flow", alerts=Alerting(channel=own))
    flow = job("flow", alerts=Alerting(channel="ops"))
    desk = a_desk(flow, step, channels=(OPS, replace(OPS, name="own")))

    desk.do(lambda turn: alerts.raise_alert(turn, "failed", "flow.step", None, "it is ill"))

    assert [one.channel for one in told(desk)] == [own or "ops"]


def test_a_hook_on_alerts_says_what_they_are_and_is_told_of_the_daemons_own() -> None:
    desk = a_desk(job("a"), hooks=(Hook(on=("alert.*",), channel="ops"),))

    desk.do(lambda turn: alerts.raise_alert(turn, "failed", "a", None, "it is ill"))
    desk.do(lambda turn: alerts.raise_alert(turn, "ticker", None, None, "it is stuck"))
    desk.do(lambda turn: alerts.resolve(turn, "ticker", None, "it is well"))

    found = [one.subject for one in told(desk)]
    assert found == ["a: failed", "ticker", "ticker is over"]


def test_a_job_without_a_channel_tells_of_its_alerts_nowhere() -> None:
    hook = Hook(on=("nothing",), channel="ops")
    desk = a_desk(job("a", alerts=Alerting(on=frozenset({AlertKind.FAILED}))), hooks=(hook,))

    desk.end(desk.begin("a"), 3)

    assert told(desk) == ()


# -- output ---------------------------------------------------------------------------------


def printed(text: str) -> Evidence:
    data = text.encode()
    return Evidence(
        printed=(Printed(stream="stdout", size=len(data), begin=0, head=data, tail=data),)
    )


def announcing(mode: AnnounceMode, **values: Any) -> Job:
    return job("a", delivery=Announcing(mode=mode, channel="ops"), **values)


@pytest.mark.parametrize(
    ("mode", "code", "count"),
    [
        (AnnounceMode.ANNOUNCE, 3, 1),
        (AnnounceMode.ANNOUNCE, 0, 0),
        (AnnounceMode.ALWAYS, 0, 1),
        (AnnounceMode.ALWAYS, 3, 1),
        (AnnounceMode.NONE, 3, 0),
    ],
)
def test_the_output_of_a_run_is_sent_as_its_job_says(
    mode: AnnounceMode, code: int, count: int
) -> None:
    desk = a_desk(announcing(mode))

    desk.end(desk.begin("a"), code, evidence=printed("line 1\nline 2\n"))

    found = bodies(desk)
    assert len(found) == count
    for body in found:
        assert body["text"] == "line 1\nline 2"
        assert body["output"] == {"stdout": "line 1\nline 2\n"}


def test_the_output_is_sent_once_after_the_last_attempt() -> None:
    retry = Retry(delays_s=(1.0,), max_attempts=2)
    desk = a_desk(announcing(AnnounceMode.ANNOUNCE, retry=retry))

    desk.end(desk.begin("a"), 3, evidence=printed("first"))
    assert told(desk) == ()
    desk.pass_s(2)
    [claim] = desk.dispatch()
    desk.end(desk.launch(claim), 4, evidence=printed("second"))

    [body] = bodies(desk)
    assert body["text"] == "second"
    assert "exit 4" in body["subject"]


def test_a_run_that_had_nothing_to_do_and_one_that_never_began_are_not_announced() -> None:
    desk = a_desk(announcing(AnnounceMode.ALWAYS, skip_code=75))

    desk.end(desk.begin("a"), 75)
    run = desk.ask("a")
    desk.do(lambda turn: turn.end(turn.run(run.id), why="canceled", by="tester"))

    assert told(desk) == ()


# -- whom it is to --------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["@team", "team"])
def test_an_alias_stands_for_channel_and_address_when_the_message_is_told(to: str) -> None:
    chat = Channel(name="chat", type=ChannelType.WEBHOOK, urls=("http://x/{to}",))
    desk = a_desk(channels=(OPS, chat), hooks=(Hook(on=("x",), channel="ops", to=to),))
    desk.do(lambda turn: deliveries.add_alias(turn, "@team", "chat", "#ops", "tester"))

    desk.do(lambda turn: turn.note("x"))

    [one] = told(desk)
    assert (one.channel, one.to) == ("chat", "#ops")


def test_a_message_to_an_unknown_alias_fails_with_words_and_can_be_sent_once_it_is_known() -> (
    None
):
    desk = a_desk(hooks=(Hook(on=("x",), to="@team"),))
    desk.do(lambda turn: turn.note("x"))
    [one] = told(desk)
    assert one.state is DeliveryState.FAILED
    assert "clawctl alias add @team" in (one.problem or "")
    assert standing(desk) == ["delivery"]
    with pytest.raises(ConflictError, match="no alias @team"):
        desk.do(lambda turn: deliveries.retry(turn, one.id))

    desk.do(lambda turn: deliveries.add_alias(turn, "team", "ops", "", "tester"))
    desk.do(lambda turn: deliveries.retry(turn, one.id))

    [again] = told(desk)
    assert (again.state, again.channel) == (DeliveryState.PENDING, "ops")
    assert standing(desk) == []


def _add(alias: tuple[str, str, str], turn: Turn) -> None:
    name, channel, to = alias
    deliveries.add_alias(turn, name, channel, to, "tester")


def test_an_alias_leads_to_a_channel_that_is_there_and_says_whom_it_needs() -> None:
    chat = Channel(name="chat", type=ChannelType.WEBHOOK, urls=("http://x/{to}",))
    desk = a_desk(channels=(OPS, chat))

    for alias, error in (
        (("@x y", "ops", ""), UsageError),
        (("@x", "oops", ""), NotFoundError),
        (("@x", "chat", ""), UsageError),
        (("@x", "ops", "@y"), UsageError),
    ):
        with pytest.raises(error):
            desk.do(partial(_add, alias))
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: deliveries.remove_alias(turn, "@x"))


# -- what becomes of it ---------------------------------------------------------------------


def test_a_message_that_is_not_taken_is_tried_by_the_ladder_and_then_given_up() -> None:
    desk = a_desk(channels=(replace(OPS, delays_s=(0.0, 30.0), max_attempts=3),))
    post(desk)
    waits = []
    for _ in range(2):
        after = settle(desk, 1, DOWN)
        assert after is not None
        waits.append(after.next_at - desk.now)
    assert waits == [timedelta(), timedelta(seconds=30)]
    assert standing(desk) == []

    after = settle(desk, 1, DOWN)

    assert after is not None
    assert (after.state, after.problem, after.attempts) == (DeliveryState.FAILED, "down", 3)
    assert standing(desk) == ["delivery"]


def test_what_would_never_be_taken_is_given_up_at_once() -> None:
    desk = a_desk()
    post(desk)
    after = settle(desk, 1, NEVER)
    assert after is not None
    assert after.state is DeliveryState.FAILED


def test_a_service_that_asks_to_be_left_alone_is_for_a_day_at_most() -> None:
    desk = a_desk()
    post(desk, 2)
    for number, after_s, wait in ((1, 120.0, 120.0), (2, 1e12, 86400.0)):
        after = settle(desk, number, Refusal(problem="busy", after_s=after_s))
        assert after is not None
        assert after.next_at == desk.now + timedelta(seconds=wait)


def test_the_alert_is_over_once_a_message_is_taken() -> None:
    desk = a_desk()
    post(desk, 2)
    for _ in range(3):
        settle(desk, 1, DOWN)
    assert standing(desk) == ["delivery"]

    settle(desk, 1)

    assert standing(desk) == []
    assert told(desk)[0].body == ""


def test_the_next_of_an_address_waits_for_the_one_before_it_and_others_do_not() -> None:
    desk = a_desk()
    for to in ("a", "b", "a"):
        post(desk, to=to)

    settle(desk, 1, Refusal(problem="down", after_s=60))

    heads = desk.database.view(lambda tx: tx.lane_heads("ops"))
    assert [(one.id, one.next_at <= desk.now) for one in heads] == [(1, False), (2, True)]
    assert desk.database.view(lambda tx: tx.channels_waiting()) == ("ops",)


def test_of_too_many_that_wait_the_oldest_are_dropped_counted_and_said() -> None:
    desk = a_desk(channels=(replace(OPS, max_pending=3),))

    post(desk, 5)

    states = [one.state for one in told(desk)]
    assert states == [DeliveryState.DROPPED] * 2 + [DeliveryState.PENDING] * 3
    assert told(desk)[0].body == ""
    assert desk.database.view(lambda tx: tx.dropped()) == {"ops": 2}
    [alert] = desk.database.view(lambda tx: tx.all_standing_alerts())
    assert alert.kind == "dropped"
    assert "2 messages were dropped" in alert.text
    with pytest.raises(ConflictError, match="dropped"):
        desk.do(lambda turn: deliveries.retry(turn, 1))


def test_a_flood_leaves_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "KEPT", 5)
    desk = a_desk(channels=(replace(OPS, max_pending=3),))

    post(desk, 40)
    for one in told(desk, DeliveryState.PENDING):
        settle(desk, one.id, NEVER)

    assert len(told(desk)) == 5 + 3
    assert desk.database.view(lambda tx: tx.dropped()) == {"ops": 37}


def test_a_message_that_was_sent_while_it_was_dropped_was_sent() -> None:
    desk = a_desk(channels=(replace(OPS, max_pending=1),))
    post(desk, 2)

    assert settle(desk, 1, DOWN) is None
    after = settle(desk, 1)

    assert after is not None
    assert after.state is DeliveryState.SENT
    assert settle(desk, 1, DOWN) is None


def test_what_waits_for_a_channel_that_has_gone_is_given_up_and_can_be_asked_for_again() -> (
    None
):
    desk = a_desk()
    post(desk, 3)
    config, desk.config = desk.config, replace(desk.config, channels=())

    assert not desk.do(lambda turn: deliveries.abandon(turn, "ops"))

    assert {one.state for one in told(desk)} == {DeliveryState.FAILED}
    assert "no channel 'ops' any more" in (told(desk)[0].problem or "")
    desk.config = config
    assert desk.do(lambda turn: deliveries.retry_all(turn, None)) == 3
    assert {one.state for one in told(desk)} == {DeliveryState.PENDING}


def test_all_that_failed_or_waits_is_tried_again_of_one_channel_or_all() -> None:
    desk = a_desk(channels=(OPS, replace(OPS, name="b")))
    post(desk, 2)
    post(desk, channel="b")
    settle(desk, 1, NEVER)
    settle(desk, 2, Refusal(problem="down", after_s=60))
    settle(desk, 3, NEVER)

    assert desk.do(lambda turn: deliveries.retry_all(turn, "b")) == 1
    assert desk.do(lambda turn: deliveries.retry_all(turn, None)) == 3

    assert all(one.next_at == desk.now for one in told(desk, DeliveryState.PENDING))


def test_what_was_sent_or_is_not_there_is_not_tried_again() -> None:
    desk = a_desk()
    post(desk)
    settle(desk, 1)
    with pytest.raises(ConflictError, match="was sent"):
        desk.do(lambda turn: deliveries.retry(turn, 1))
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: deliveries.retry(turn, 2))


def test_messages_that_are_over_are_forgotten_in_time_and_those_that_wait_are_not() -> None:
    desk = a_desk()
    post(desk, 3)
    settle(desk, 1)
    settle(desk, 2, NEVER)
    desk.pass_s(3600)

    gone = desk.database.transact(lambda tx: tx.prune_deliveries(desk.now, 100))

    assert gone == 2
    assert [one.id for one in told(desk)] == [3]


def test_what_is_purged_of_a_job_is_its_messages_too() -> None:
    desk = a_desk(job("a"), job("b"), hooks=(Hook(on=("run.queued",), channel="ops"),))
    for name in ("a", "b", "a"):
        desk.ask(name)

    counts = [desk.database.transact(lambda tx: tx.delete_deliveries_of("a", 1)) for _ in "123"]

    assert counts == [1, 1, 0]
    assert [one.job for one in told(desk)] == ["b"]


def test_the_key_of_a_message_stays_the_same_and_is_no_other_messages() -> None:
    desk = a_desk()
    post(desk, 2)
    before = [one.key for one in told(desk)]
    settle(desk, 1, DOWN)
    assert [one.key for one in told(desk)] == before
    assert len(set(before)) == 2


def test_an_event_that_nobody_wants_costs_one_look_per_type() -> None:
    hooks = (Hook(on=("run.failed",), channel="ops"), Hook(on=("job.*",), channel="ops"))
    desk = a_desk(job("a"), hooks=hooks)
    found = desk.config.outlets.hooks
    assert found.of("run.queued") == ()
    assert found.of("job.done") == hooks[1:]
    assert found.of("job.done") is found.of("job.done")


def test_of_a_workflow_it_is_told_how_it_has_ended() -> None:
    flow = job(
        "flow",
        workflow=Workflow(steps=(Step(name="a", job="a"),)),
        delivery=Announcing(mode=AnnounceMode.ALWAYS, channel="ops"),
    )
    desk = a_desk(flow, job("a"))
    run = desk.ask("flow")
    [claim] = [one for _ in "12" for one in desk.dispatch()]
    desk.end(desk.launch(claim), 3)

    [body] = bodies(desk)
    assert (body["run"], body["type"]) == (run.id, "run.failed")
    assert (
        body["text"] == f"flow failed: step a has failed: clawctl workflow show {run.id[-6:]}"
    )


def test_of_a_workflow_the_steps_are_named_that_ended_badly() -> None:
    steps = tuple(Step(name=name, job=name) for name in ("a", "b", "c"))
    flow = job(
        "flow",
        workflow=Workflow(steps=steps, on_failure=OnBadEnd.CONTINUE),
        delivery=Announcing(mode=AnnounceMode.ANNOUNCE, channel="ops"),
    )
    desk = a_desk(flow, *(job(one.name) for one in steps))
    desk.ask("flow")
    for claim in desk.dispatch():
        desk.end(desk.launch(claim), int(claim.run.job != "b"))
    [body] = bodies(desk)
    assert "(ended badly: a, c): clawctl workflow show" in body["text"]
