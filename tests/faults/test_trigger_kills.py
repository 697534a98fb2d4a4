"""The master is killed between the ends of runs and what follows from them: each once."""

from functools import partial
from pathlib import Path

from claw.kernel import process
from tests.kit.master import MasterUnderTest, StartMaster
from tests.kit.witness import Witness

CHAINS = 4


def jobs(witness: Witness) -> str:
    return f"""
[jobs.a]
{witness.command(0, 0, "held")}
max_instances = {CHAINS}
[jobs.b]
{witness.command()}
trigger = {{ after = "a" }}
[jobs.c]
{witness.command()}
trigger = {{ after = "a", delay = "300ms" }}
[jobs.d]
{witness.command(3)}
trigger = {{ after = ["b", "c"] }}
[jobs.e]
{witness.command()}
trigger = {{ after = "d", on = "failure" }}
"""


def _has_got_to(claw: MasterUnderTest, witness: Witness, count: int) -> bool:
    return len(witness.lines()) >= count or not claw.runs_open()


def test_ends_without_a_master_are_followed_by_the_next_one_once(
    start_master: StartMaster, tmp_path: Path
) -> None:
    witness = Witness(tmp_path)
    claw = start_master(jobs(witness))
    roots = [claw.submit("a") for _ in range(CHAINS)]
    claw.wait_until(lambda: len(witness.lines()) == CHAINS, "children that run")
    pids = [one.pid for one in witness.lines()]
    claw.kill()
    witness.let_go()
    claw.wait_until(lambda: not any(map(process.stat_of, pids)), "ends that nobody reads")
    claw.start()
    # And again, wherever it is by then: what is begun goes on, what is not is begun.
    for count in (CHAINS + 1, 2 * CHAINS + 1):
        is_so_far = partial(_has_got_to, claw, witness, count)
        claw.wait_until(is_so_far, "more children")
        claw.restart()
    claw.wait_until(lambda: not claw.runs_open(), "the end of all chains")
    runs = claw.runs()
    assert {one["state"] for one in runs if one["job"] != "d"} == {"succeeded"}
    for job in "abcde":
        of_job = [one for one in runs if one["job"] == job]
        assert len(of_job) == CHAINS, job
        assert sorted(witness.count(one["id"]) for one in of_job) == [1] * CHAINS, job
    assert sorted(one["parent"] for one in runs if one["job"] == "b") == sorted(roots)
