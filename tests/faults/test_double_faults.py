"""I4: two of master, fork server and supervisor are killed, in any order, and nothing is lost.

Each of the three holds what a replacement needs, so whoever is left passes it on.
"""

from pathlib import Path

import pytest

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
    run, short = running(claw, witness, "3", "500", "2")

    kill_fork_server(claw)
    wait_fostered(claw, supervisor, short)
    assert kill_process(supervisor)
    assert kill_process(short)

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
    run, short = running(claw, witness, "3", str(LINES), "0")

    kill_fork_server(claw)
    assert kill_process(short)
    assert kill_process(supervisor)

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
    run, short = running(claw, witness, "4", "500", "3")
    fork_server = fork_server_of(claw)

    claw.kill()
    assert kill_process(fork_server)
    claw.start()
    wait_fostered(claw, supervisor, short)
    assert kill_process(supervisor)
    assert kill_process(short)

    assert claw.ended(run)["exit_code"] == 4
    assert claw.output(f"quick/{run}.out") == printed(500)
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert kill_process(web["pid"])
    claw.wait_until(lambda: witness.count(web["run"]) == 2, "a restart")
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    assert books_of(claw, witness) == []
