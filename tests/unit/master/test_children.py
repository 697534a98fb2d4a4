"""What the children of runs make: whose it is, how deep, how many; and what holds it back."""

from dataclasses import replace
from typing import Any

import pytest

from claw.config.transient import build_transient
from claw.errors import ConflictError, SaturatedError, UsageError
from claw.master.engine import children, confinement, definitions, intake, transients
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.transients import Wish
from claw.master.engine.turn import Turn
from claw.model import making
from claw.model.job import Job, JobType, ResourceAction, Resources
from claw.model.lineage import MAX_DEPTH, below
from claw.model.run import Origin, Run, State
from claw.model.transient import Transient
from tests.kit.desk import Desk, job, service


def made_by(desk: Desk, run: Run, name: str, key: str) -> Run:
    """Have a run's child ask for a run of a job."""

    def decide(turn: Turn) -> Run:
        lineage = below(children.maker(turn, run.id))
        ask = Ask(job=name, origin=Origin.CHILD, key=f"{run.id}:{key}", lineage=lineage)
        return intake.submit(turn, ask)

    return desk.do(decide)


def begun(desk: Desk, name: str) -> Run:
    return desk.run_of(desk.begin(name))


def test_what_a_child_asks_for_comes_of_its_run() -> None:
    desk = Desk(job("a"), job("b"))
    parent = begun(desk, "a")

    child = made_by(desk, parent, "b", "1")

    assert child.origin is Origin.CHILD
    assert (child.lineage.parent, child.lineage.root, child.lineage.depth) == (
        parent.id, parent.id, 1,
    )  # fmt: skip
    assert desk.database.view(lambda tx: tx.runs_of_parent(parent.id)) == (child,)


def test_the_same_request_of_a_run_makes_one_run_and_that_of_another_run_its_own() -> None:
    desk = Desk(job("a", max_instances=2), job("b"))
    first, second = begun(desk, "a"), begun(desk, "a")

    one, again = made_by(desk, first, "b", "1"), made_by(desk, first, "b", "1")

    assert again.id == one.id
    assert made_by(desk, second, "b", "1").id != one.id


def test_a_run_that_is_over_makes_nothing() -> None:
    desk = Desk(job("a"), job("b"))
    parent = desk.end(desk.begin("a"))

    with pytest.raises(ConflictError, match="is over"):
        made_by(desk, parent, "b", "1")


def test_runs_come_of_each_other_ten_deep_and_no_deeper() -> None:
    desk = Desk(job("a", max_instances=20))
    run = begun(desk, "a")
    for level in range(1, MAX_DEPTH + 1):
        run = made_by(desk, run, "a", "1")
        desk.launch(*desk.dispatch())
        run = desk.run(run.id)
        assert run.lineage.depth == level

    with pytest.raises(ConflictError, match="too deep"):
        made_by(desk, run, "a", "1")


def test_a_run_makes_so_many_runs_and_no_more_whatever_has_become_of_them() -> None:
    desk = Desk(job("a"), job("b"))
    parent = begun(desk, "a")
    for no in range(children.MAX_FANOUT):
        made_by(desk, parent, "b", str(no))
    for claim in desk.dispatch():
        desk.end(desk.launch(claim))

    with pytest.raises(ConflictError, match="has made 25 runs"):
        made_by(desk, parent, "b", "one more")
    assert made_by(desk, parent, "b", "0").origin_key == f"{parent.id}:0"  # known already


def test_a_batch_of_a_child_counts_whole() -> None:
    desk = Desk(job("a"), job("b"))
    parent = begun(desk, "a")

    def ask(count: int) -> None:
        common = Ask(job="b", origin=Origin.CHILD, key=f"k{count}", lineage=below(parent))
        runs = [Particular()] * count
        desk.do(lambda turn: intake.submit_batch(turn, common, runs))

    ask(20)
    with pytest.raises(ConflictError, match="has made 20 runs and asks for 6 more"):
        ask(6)
    ask(5)


def test_of_a_service_those_count_that_are_open() -> None:
    desk = Desk(service("s"), job("b", max_instances=100))
    parent = begun(desk, "s")
    for no in range(children.MAX_FANOUT):
        made_by(desk, parent, "b", str(no))
    with pytest.raises(ConflictError, match="25 open at once"):
        made_by(desk, parent, "b", "one more")
    desk.end(desk.launch(desk.dispatch()[0]))

    assert made_by(desk, parent, "b", "one more").state is State.QUEUED


def test_a_child_is_refused_what_a_person_would_be() -> None:
    desk = Desk(job("a"), job("b", enabled=False))
    parent = begun(desk, "a")

    with pytest.raises(ConflictError, match="disabled"):
        made_by(desk, parent, "b", "1")


def test_the_runs_of_a_job_that_a_run_has_made_are_as_deep_as_its_own() -> None:
    desk = Desk(job("a"), job("b"))
    parent = made_by(desk, begun(desk, "a"), "b", "1")
    added = job("c", origin=making.origin_of(parent.id, 1))
    desk.set_config(job("a"), job("b"), added)

    def ask(origin: Origin) -> Run:
        asked = Ask(job="c", origin=origin, key="k")
        return desk.do(lambda turn: intake.submit(turn, asked))

    by_time, by_hand = ask(Origin.SCHEDULE), ask(Origin.MANUAL)

    assert (by_time.lineage.parent, by_time.lineage.depth) == (parent.id, 2)
    assert by_time.lineage.root == parent.lineage.root
    assert by_hand.lineage.depth == 0


def test_a_job_stays_as_deep_when_the_run_that_made_it_is_forgotten() -> None:
    gone = "r" + "0" * 26
    desk = Desk(job("c", origin=f"run:{gone}:7"))
    ask = Ask(job="c", origin=Origin.SCHEDULE, key="k")

    run = desk.do(lambda turn: intake.submit(turn, ask))

    assert (run.lineage.parent, run.lineage.depth) == (gone, 8)


def test_what_holds_a_job_back_holds_back_what_its_children_make() -> None:
    bounds: dict[str, Any] = {
        "nice": 5,
        "no_new_privs": True,
        "limits": (("nproc", 10, 20), ("core", 0, -1)),
        "resources": Resources(memory_bytes=1 << 20, pids=3, action=ResourceAction.KILL),
    }
    desk = Desk(job("a", **bounds))
    parent = begun(desk, "a")

    def decide(turn: Turn) -> Run:
        wish = Wish(table={"argv": ["/bin/true"], "cwd": "/"})
        ask = Ask(job="", origin=Origin.CHILD, key="k", lineage=below(parent))
        return transients.submit(turn, wish, ask)

    run = desk.do(decide)
    config = replace(desk.config)
    desk.config.transients.retire(run.job)
    stored = desk.database.view(lambda tx: tx.transient(run.job))
    again = definitions.made(run.job, stored)
    found = desk.do(lambda turn: definitions.recall(turn.tx, config, run.job))

    for one in (again, found):
        assert one is not None
        assert {key: getattr(one, key) for key in bounds} == bounds


def test_bounds_read_as_keys_of_a_job_make_the_same_bounds() -> None:
    base = Job(name="a", argv=("/bin/true",), type=JobType.MANUAL)
    held = replace(
        base,
        nice=3,
        no_new_privs=True,
        oom_score_adj=7,
        limits=(("core", 0, 0), ("nofile", 64, 128)),
        resources=Resources(memory_bytes=5 << 20, cpu=1.5, action=ResourceAction.WARN),
    )
    keys = confinement.as_keys(confinement.of(held))

    assert set(keys) == {"nice", "no_new_privs", "oom_score_adj", "limits", "resources"}
    assert confinement.of(confinement.confined(base, confinement.of(held))) == confinement.of(
        held
    )
    assert confinement.of(base) == {}
    assert build_transient("x", {"argv": ["true"]}, Transient()).nice is None


def test_another_user_does_not_fill_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "MAX_OF_USER", 2)
    desk = Desk(job("a"), job("b", max_instances=9))
    parent = begun(desk, "a")

    def ask(key: str) -> Run:
        asked = Ask(job="b", origin=Origin.CHILD, key=key, by="alice", lineage=below(parent))

        def decide(turn: Turn) -> Run:
            children.check_user(turn, "alice")
            return intake.submit(turn, asked)

        return desk.do(decide)

    ask("1"), ask("2")
    with pytest.raises(SaturatedError, match="events of alice"):
        ask("3")
    desk.end(desk.launch(desk.dispatch()[0]))
    assert ask("3").state is State.QUEUED


@pytest.mark.parametrize("name", ["audit.log", "clawd.log", "clawd.log.1"])
def test_no_run_has_the_name_of_a_log_of_claws_own(name: str) -> None:
    desk = Desk()
    wish = Wish(name=name, table={"argv": ["/bin/true"], "cwd": "/"})
    ask = Ask(job="", origin=Origin.MANUAL, key="k")

    with pytest.raises(UsageError, match="own log"):
        desk.do(lambda turn: transients.submit(turn, wish, ask))
