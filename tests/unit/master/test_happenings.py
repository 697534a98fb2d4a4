"""Events that come in: stored with their runs, once; tokens for those who may tell of some."""

import json
from collections.abc import Sequence

import pytest

from claw.errors import ConflictError, DeniedError, NotFoundError, SaturatedError, UsageError
from claw.master.engine import children, handouts, happenings, intents
from claw.master.engine.happenings import Told
from claw.master.inputs.spool import Taken, emit_all
from claw.model.happening import Bridge, Source, text_of
from claw.model.job import Daemon
from claw.model.run import Origin, Run, State
from tests.kit.desk import Desk, job


def emit(desk: Desk, name: str, data: object = None, **values: object) -> Sequence[Run]:
    told = Told(name=name, data=text_of(data), by="ann", source=Source.EMIT, **values)  # type: ignore[arg-type]
    return desk.do(lambda turn: happenings.emit(turn, told))[1]


def test_an_event_starts_every_job_that_names_it_and_no_other() -> None:
    desk = Desk(
        job("exact", events=("orders.new",)),
        job("pattern", events=("x", "orders.*")),
        job("other", events=("orders",)),
        job("none"),
    )

    runs = emit(desk, "orders.new")

    assert {run.job for run in runs} == {"exact", "pattern"}
    assert {run.origin for run in runs} == {Origin.EMIT}
    assert {run.origin_key for run in runs} == {
        f"{runs[0].lineage.event}:exact",
        f"{runs[0].lineage.event}:pattern",
    }
    assert {run.asked_by for run in runs} == {"ann"}


def test_its_payload_reaches_the_child_at_every_attempt() -> None:
    desk = Desk(job("j", events=("*",)))
    [run] = emit(desk, "orders.new", {"id": 7, "text": "ü"})

    first, found = (
        desk.do(lambda turn: handouts.of(turn, desk.config.jobs[0], run)) for _ in range(2)
    )

    assert first == found
    [file] = found.files
    assert isinstance(file.content, bytes)
    told = json.loads(file.content)
    assert found.env == {"CLAW_EVENT": "orders.new"}
    assert file.variable == "CLAW_EVENT_FILE"
    assert (told["name"], told["data"]) == ("orders.new", {"id": 7, "text": "ü"})
    assert (told["by"], told["source"], told["id"]) == ("ann", "emit", run.lineage.event)


def test_an_event_that_nobody_names_is_on_record_all_the_same() -> None:
    desk = Desk(job("j"))

    assert emit(desk, "lonely") == []
    assert [event.type for event in desk.events()][-1] == "event.emitted"


@pytest.mark.parametrize("how", ["stop", "pause", "disable"])
def test_a_job_that_is_closed_has_a_skipped_run_that_says_why(how: str) -> None:
    desk = Desk(job("j", events=("e",)))
    if how == "disable":
        desk.set_config(job("j", events=("e",), enabled=False))
    else:
        act = {"stop": intents.stop_job, "pause": intents.pause_job}[how]
        desk.do(lambda turn: act(turn, "j", by="op"))  # type: ignore[operator]

    [run] = emit(desk, "e")

    assert run.state is State.SKIPPED
    assert "'j' is" in (run.reason or "")


def test_a_full_queue_takes_no_event_and_nothing_of_it() -> None:
    desk = Desk(job("a", events=("e",)), job("b", events=("e",)), daemon=Daemon(max_queue=1))

    with pytest.raises(SaturatedError):
        emit(desk, "e")

    assert desk.runs() == ()
    assert "event.emitted" not in [event.type for event in desk.events()]


def test_what_a_child_tells_of_is_its_runs_and_one_deeper() -> None:
    desk = Desk(job("p"), job("j", events=("e",)))
    parent = desk.run_of(desk.begin("p"))

    [run] = emit(desk, "e", parent=parent.id)

    assert (run.lineage.parent, run.lineage.root, run.lineage.depth) == (
        parent.id,
        parent.id,
        1,
    )


def test_what_events_start_counts_among_the_runs_that_a_run_makes() -> None:
    desk = Desk(job("p"), job("j", events=("e",)), job("k", events=("e",)))
    parent = desk.run_of(desk.begin("p"))
    for _ in range(children.MAX_FANOUT // 2):
        emit(desk, "e", parent=parent.id)

    with pytest.raises(ConflictError, match="has made 24 runs and asks for 2 more"):
        emit(desk, "e", parent=parent.id)

    assert len(desk.runs("j")) == len(desk.runs("k")) == 12
    assert emit(desk, "nobody", parent=parent.id) == []


def test_a_run_that_an_event_starts_is_asked_for_by_the_user_and_not_by_the_token() -> None:
    desk = Desk(job("j", events=("e",)))

    [run] = emit(desk, "e", token="k1")

    event = desk.do(lambda turn: turn.tx.happening(run.lineage.event or ""))
    assert run.asked_by == "ann"
    assert event is not None
    assert event.by == "ann, token k1"


def test_a_guest_fills_neither_queue_nor_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "MAX_OF_USER", 3)
    monkeypatch.setattr(happenings, "MOST_OF_GUEST", 5)
    desk = Desk(job("j", events=("e",)))
    for _ in range(3):
        emit(desk, "e", token="k1", is_guest=True)
    with pytest.raises(SaturatedError, match="events of ann have made"):
        emit(desk, "e", token="k1", is_guest=True)
    emit(desk, "e")  # of ann as an operator
    for _ in range(2):
        emit(desk, "nobody", {"much": "data"}, token="k1", is_guest=True)
    with pytest.raises(SaturatedError, match="within an hour"):
        emit(desk, "nobody", token="k1", is_guest=True)
    emit(desk, "nobody", token="k2", is_guest=True)
    desk.pass_s(3601)
    told = Told(name="x", data="[1]", by="ann", source=Source.TOKEN, token="k1", is_guest=True)

    one, _ = desk.do(lambda turn: happenings.emit(turn, told))

    assert one.data == "null"


def test_events_that_start_each_other_end_at_the_limit() -> None:
    desk = Desk(job("j", events=("e",), max_instances=100))
    [run] = emit(desk, "e")
    count = 1
    while run.state is not State.SKIPPED:
        [run] = emit(desk, "e", parent=run.id)
        count += 1

    assert count == 12
    assert "too deep" in (run.reason or "")


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "a/b", "a\n", "x" * 129])
def test_a_name_that_could_be_something_else_is_refused(name: str) -> None:
    desk = Desk()
    with pytest.raises(UsageError, match="no event can be called"):
        emit(desk, name)


def test_data_has_a_bound() -> None:
    text_of("x" * ((256 << 10) - 2))
    with pytest.raises(ValueError, match="more than"):
        text_of("x" * ((256 << 10) - 1))


def issue(desk: Desk, *patterns: str, ttl_s: float = 60.0) -> Bridge:
    return desk.do(lambda turn: happenings.issue(turn, patterns, ttl_s, "op"))


def test_a_token_is_good_for_its_events_until_it_expires_or_is_revoked() -> None:
    desk = Desk()
    one, other = issue(desk, "orders.*"), issue(desk, "x", ttl_s=600.0)

    def check(token_id: str, name: str) -> None:
        desk.do(lambda turn: happenings.check_bridge(turn, token_id, name))

    check(one.id, "orders.new")
    with pytest.raises(DeniedError, match=r"not for deploy"):
        check(one.id, "deploy")
    desk.pass_s(61)
    with pytest.raises(DeniedError, match="has expired"):
        check(one.id, "orders.new")
    check(other.id, "x")
    desk.do(lambda turn: happenings.revoke(turn, other.id, "op"))
    with pytest.raises(DeniedError, match="was revoked"):
        check(other.id, "x")
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: happenings.revoke(turn, other.id, "op"))


def test_old_events_are_forgotten_once_no_run_answers_to_them() -> None:
    desk = Desk(job("j", events=("e",)))
    [run] = emit(desk, "e")
    emit(desk, "nobody")
    desk.pass_s(10)

    gone = desk.do(lambda turn: turn.tx.prune_happenings(turn.now, 100))
    event = desk.do(lambda turn: turn.tx.happening(run.lineage.event or ""))

    assert gone == 1
    assert event is not None


def spooled(name: str, key: str) -> Taken:
    told = Told(name=name, data="1", by="spool", source=Source.SPOOL, key=key)
    return Taken(key, name, told)


def test_a_spooled_file_that_was_stored_and_not_yet_removed_is_no_second_event() -> None:
    desk = Desk(job("j", events=("e", "f")))
    for _ in range(2):  # the master was killed between the commit and the removal
        took = [spooled("e", "1"), Taken("3", "bad", None, "no event"), spooled("f", "2")]
        assert desk.do(lambda turn, took=took: emit_all(turn, took)) == 3  # type: ignore[misc]

    assert len(desk.runs("j")) == 2


def test_what_has_no_room_stays_spooled_and_what_came_before_it_does_not() -> None:
    desk = Desk(job("j", events=("*",)), daemon=Daemon(max_queue=2))
    took = [spooled(name, name) for name in ("a", "b", "c")]

    assert desk.do(lambda turn: emit_all(turn, took)) == 2
    with pytest.raises(SaturatedError):
        desk.do(lambda turn: emit_all(turn, took[2:]))
    assert len(desk.runs("j")) == 2
