"""I4: two of master, fork server and supervisor are killed, in any order, and nothing is lost.

Each of the three holds what a replacement needs, so whoever is left passes it on.
"""

import contextlib
import os
import signal
import sqlite3
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit import roll
from tests.kit.ledger import Ledger
from tests.kit.master import MasterUnderTest, StartMaster, kill_process
from tests.kit.roll import supervisors_of
from tests.kit.witness import Witness, printed

LINES = 200_000


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def jobs(witness: Witness) -> str:
    return f"""
[jobs.web]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
restart = {{ delays = ["0s"] }}
[jobs.quick]
{witness.command()}
max_instances = 20
"""


def fork_server_of(claw: MasterUnderTest) -> int:
    return int(claw.call("daemon.status")["fork_server_pid"] or 0)


def kill_fork_server(claw: MasterUnderTest) -> int:
    """Kill it, and return who it was."""
    pid = fork_server_of(claw)
    assert kill_process(pid)
    return pid


def wait_fostered(claw: MasterUnderTest, *pids: int) -> None:
    """Wait until a fork server knows these supervisors."""
    claw.wait_until(lambda: set(pids) <= set(supervisors_of(claw.home).values()), "fostering")


def books_of(claw: MasterUnderTest, witness: Witness) -> list[str]:
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"quick"})
    return ledger.wrongs()


def running(claw: MasterUnderTest, witness: Witness, *args: str) -> tuple[str, int]:
    """Start a run and return it with its supervisor, once the child is there."""
    before = set(supervisors_of(claw.home))
    run = claw.submit("quick", args=list(args))
    claw.wait_until(lambda: witness.count(run), "a run")
    [(_, pid)] = [one for one in supervisors_of(claw.home).items() if one[0] not in before]
    return run, pid


def test_i4_a_supervisor_that_is_killed_after_its_fork_server_is_taken_over(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [supervisor] = supervisors_of(claw.home).values()
    run, short = running(claw, witness, "3", "500", "held")

    kill_fork_server(claw)
    wait_fostered(claw, supervisor, short)
    assert kill_process(supervisor)
    assert kill_process(short)

    witness.let_go()
    assert claw.ended(run)["exit_code"] == 3
    assert claw.output(f"quick/{run}.out") == printed(500)
    claw.wait_until(lambda: supervisor not in supervisors_of(claw.home).values(), "another")
    assert claw.job("web")["pid"] == web["pid"]
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    assert books_of(claw, witness) == []


def test_i4_a_supervisor_that_is_killed_right_after_its_fork_server_is_taken_over(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [supervisor] = supervisors_of(claw.home).values()
    run, short = running(claw, witness, "3", str(LINES), "held")

    kill_fork_server(claw)
    assert kill_process(short)
    assert kill_process(supervisor)

    witness.let_go()
    assert claw.ended(run)["exit_code"] == 3
    assert claw.output(f"quick/{run}.out") == printed(LINES)
    claw.wait_until(lambda: supervisors_of(claw.home), "a replacement")
    assert claw.job("web")["pid"] == web["pid"]
    assert books_of(claw, witness) == []


def test_i4_jobs_live_on_when_their_master_and_fork_server_and_then_supervisors_are_killed(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [supervisor] = supervisors_of(claw.home).values()
    run, short = running(claw, witness, "4", "500", "held")
    fork_server = fork_server_of(claw)

    claw.kill()
    assert kill_process(fork_server)
    claw.start()
    wait_fostered(claw, supervisor, short)
    assert kill_process(supervisor)
    assert kill_process(short)

    witness.let_go()
    assert claw.ended(run)["exit_code"] == 4
    assert claw.output(f"quick/{run}.out") == printed(500)
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert kill_process(web["pid"])
    claw.wait_until(lambda: witness.count(web["run"]) == 2, "a restart")
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    assert books_of(claw, witness) == []


@pytest.mark.parametrize("wrote", ["launch file", "spool"])
def test_i3_a_launch_that_was_cut_short_before_anything_began_is_queued_again(
    start_master: StartMaster, witness: Witness, wrote: str
) -> None:
    claw = start_master(jobs(witness))
    claw.wait_state("web", "running")
    fork_server = fork_server_of(claw)
    os.kill(fork_server, signal.SIGSTOP)
    run = claw.submit("quick", args=["6"])
    claw.wait_until(lambda: claw.runs("quick")[0]["state"] == "claimed", "a claim")
    claw.kill()
    assert kill_process(fork_server)
    with contextlib.closing(sqlite3.connect(claw.home.database)) as database:
        [(sid,)] = database.execute("SELECT sid FROM runs WHERE id = ?", (run,))

    (Path(claw.home.launches) / f"{run}.1").write_text(sid)
    if wrote == "spool":
        (Path(claw.home.spool) / sid).mkdir()
        (Path(claw.home.spool) / sid / "lock").touch()
    claw.start()

    assert claw.ended(run)["exit_code"] == 6
    assert witness.count(run) == 1
    assert books_of(claw, witness) == []


def test_i4_what_all_three_keepers_lost_is_crashed_and_begun_anew_never_doubled(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [supervisor] = supervisors_of(claw.home).values()
    fork_server = fork_server_of(claw)

    claw.kill()
    assert kill_process(fork_server)
    assert kill_process(supervisor)
    claw.start()

    again = claw.wait_state("web", "running")
    assert again["run"] != web["run"]
    assert process.stat_of(web["pid"]) is None or process.is_zombie(web["pid"])
    assert claw.call("run.show", run=web["run"])["state"] == "crashed"


def test_i4_a_fork_server_that_is_killed_again_and_again_costs_no_run(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    run, _ = running(claw, witness, "7", "500", "held")

    for _ in range(6):
        claw.wait_until(lambda: roll.fork_server_of(claw.home), "a fork server")
        assert kill_process(roll.fork_server_of(claw.home))

    claw.wait_until(lambda: roll.are_all_known(claw.home), "fostering")
    supervisors = supervisors_of(claw.home)
    assert supervisors
    for pid in supervisors.values():
        assert kill_process(pid)
    witness.let_go()
    assert claw.ended(run)["exit_code"] == 7
    assert claw.output(f"quick/{run}.out") == printed(500)
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert books_of(claw, witness) == []
