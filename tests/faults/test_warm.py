"""Supervisors that take one run after the other are killed between two runs and within one."""

import contextlib
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit import supervision
from tests.kit.ledger import Ledger
from tests.kit.master import MasterUnderTest, StartMaster, kill_process
from tests.kit.roll import fork_server_of, supervisors_of
from tests.kit.supervision import Bench
from tests.kit.witness import Witness, printed

CONFIG = """
[daemon]
max_parallel = 2
[jobs.quick]
{quick}
on_overlap = "queue"
[jobs.long]
{long}
"""
RUNS = 24
TRIES = 20


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def claw(start_master: StartMaster, witness: Witness) -> MasterUnderTest:
    quick, long = witness.command(3, 50), witness.command(7, 300, "held")
    return start_master(CONFIG.format(quick=quick, long=long))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def books_of(claw: MasterUnderTest, witness: Witness) -> list[str]:
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"quick", "long"})
    return ledger.wrongs()


def sid_of(claw: MasterUnderTest, run: str) -> str:
    """Return whose journal tells of a run's begin; "" while none does."""
    for sid, lines in claw.journals().items():
        if any(line["ev"] == "launch" and line["run"] == run for line in lines):
            return sid
    return ""


def free_supervisor(claw: MasterUnderTest) -> int:
    """Return the pid of a supervisor whose run has just ended, held in place."""
    for _ in range(TRIES):
        run = claw.submit("quick")
        claw.ended(run)
        pid = supervisors_of(claw.home).get(sid_of(claw, run), 0)
        if pid and process.kill(pid, signal.SIGSTOP):
            return pid
    raise AssertionError("none waits for another run")


def kill(claw: MasterUnderTest, whom: str, supervisor: int) -> None:
    """Kill some of the three, the supervisor first: it is to do nothing meanwhile."""
    fork_server = fork_server_of(claw.home)
    if "supervisor" in whom:
        kill_process(supervisor)
    if "fork server" in whom:
        kill_process(fork_server)
    if "master" in whom:
        claw.kill()


def test_a_queue_goes_through_few_supervisors_and_each_run_happens_once(
    claw: MasterUnderTest, witness: Witness
) -> None:
    runs = [claw.submit("quick") for _ in range(RUNS)]

    assert [claw.ended(run)["exit_code"] for run in runs] == [3] * RUNS
    assert [witness.count(run) for run in runs] == [1] * RUNS
    assert len(claw.journals()) < RUNS
    assert all(claw.output(f"quick/{run}.out") == printed(50) for run in runs)
    assert books_of(claw, witness) == []


@pytest.mark.parametrize(
    "whom",
    [
        "supervisor",
        "master",
        "fork server",
        "supervisor, master",
        "supervisor, fork server, master",
    ],
)
def test_a_launch_on_its_way_to_a_free_supervisor_happens_once_whoever_is_killed(
    claw: MasterUnderTest, witness: Witness, whom: str
) -> None:
    supervisor = free_supervisor(claw)
    run = claw.submit("quick")
    claw.wait_until(
        lambda: any(one["id"] == run and one["state"] != "queued" for one in claw.runs()),
        "claim",
    )

    kill(claw, whom, supervisor)
    process.kill(supervisor, signal.SIGCONT)
    if "master" in whom:
        claw.start()

    assert claw.ended(run)["exit_code"] == 3
    assert witness.count(run) == 1
    assert claw.output(f"quick/{run}.out") == printed(50)
    assert books_of(claw, witness) == []


def test_a_launch_on_its_way_when_the_host_goes_down_counts_as_begun(
    claw: MasterUnderTest, witness: Witness
) -> None:
    run, supervisor = given_to_a_frozen_one(claw)
    kill(claw, "supervisor, fork server, master", supervisor)
    with contextlib.closing(sqlite3.connect(claw.home.database)) as database:
        database.execute("UPDATE meta SET value = 'another' WHERE key = 'boot'")
        database.commit()

    claw.start()

    assert claw.ended(run)["state"] == "crashed"
    assert witness.count(run) == 0


def given_to_a_frozen_one(claw: MasterUnderTest) -> tuple[str, int]:
    """Have a run claimed by a supervisor that is held in place; return both."""
    for _ in range(TRIES):
        supervisor = free_supervisor(claw)
        run = claw.submit("quick")
        claw.wait_until(
            lambda run=run: any(  # type: ignore[misc]
                one["id"] == run and one["state"] != "queued" for one in claw.runs()
            ),
            "claim",
        )
        with contextlib.closing(sqlite3.connect(claw.home.database)) as database:
            query = "SELECT sid FROM runs WHERE id = ?"
            sid = str(database.execute(query, (run,)).fetchone()[0])
        if supervisors_of(claw.home).get(sid) == supervisor:
            return run, supervisor
        os.kill(supervisor, signal.SIGCONT)
        claw.ended(run)
    raise AssertionError("another took it each time")


@pytest.mark.parametrize(
    "whom",
    ["supervisor", "supervisor, fork server", "supervisor, master", "fork server, master"],
)
def test_i4_a_later_run_of_a_supervisor_outlives_kills_as_a_first_one_does(
    claw: MasterUnderTest, witness: Witness, whom: str
) -> None:
    run, sid = begin_later_run(claw)
    child = next(line["pid"] for line in claw.journals()[sid][::-1] if line["ev"] == "started")

    kill(claw, whom, supervisors_of(claw.home)[sid])
    if "master" in whom:
        claw.start()
    assert process.kill(child, 0)
    witness.let_go()

    assert claw.ended(run)["exit_code"] == 7
    assert witness.count(run) == 1
    assert claw.output(f"long/{run}.out") == printed(300)
    assert sid_of(claw, run) == sid
    assert books_of(claw, witness) == []


def begin_later_run(claw: MasterUnderTest) -> tuple[str, str]:
    """Have a supervisor that has ended a run begin one that goes on; return both."""
    for _ in range(TRIES):
        claw.ended(claw.submit("quick"))
        run = claw.submit("long")
        claw.client.wait(run, "running", 30.0)
        sid = claw.wait_until(lambda run=run: sid_of(claw, run), "journal")  # type: ignore[misc]
        if sum(line["ev"] == "launch" for line in claw.journals()[sid]) > 1:
            return run, sid
        claw.call("run.cancel", targets=[run])
        claw.ended(run)
    raise AssertionError("none has taken another run")


def test_a_master_that_goes_takes_no_free_supervisor_along(
    claw: MasterUnderTest, witness: Witness
) -> None:
    supervisor = free_supervisor(claw)
    claw.kill()
    os.kill(supervisor, signal.SIGCONT)

    claw.start()
    claw.wait_until(lambda: not supervisors_of(claw.home), "end of the one that was free")
    assert claw.ended(claw.submit("quick"))["exit_code"] == 3
    assert books_of(claw, witness) == []


def test_a_stop_of_a_run_that_has_ended_touches_no_other(bench: Bench) -> None:
    one = bench.launch(["sleep", "600"])
    assert one.launch is not None
    one.wait_for("started")

    asked = {"op": "stop", "why": "stop", "by": "test", "grace_s": 0.0}
    assert "error" not in one.tell(**asked, run="r" + "9" * 26)
    assert one.tell(op="signal", number=0, run="r" + "9" * 26)["error"]
    assert one.tell(op="signal", number=0, run=one.launch.run)["sent"]
    assert not one.of("stopping")

    one.tell(**asked, run=one.launch.run)
    assert one.wait_for("ended")["why"] == "stop"


def test_one_that_is_not_free_refuses_another_run(bench: Bench) -> None:
    one = bench.launch(["sleep", "600"])
    assert one.launch is not None
    one.wait_for("started")

    one.tell_all({"op": "launch", "launch": one.launch.values()}, until="refused")
    assert len(one.of("launch")) == 1
    one.tell(op="stop", why="stop", by="test", grace_s=0.0)
