"""The master reaps what is re-parented to it, and leaves its own children to their starters."""

import subprocess
import sys

from claw.kernel import process
from tests.kit.master import ROOT, StartMaster, kill_process

SERVICE = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""

MANY = """
import os, subprocess, sys
import trio
from claw.kernel import process
from claw.master.reaper import Reaper

ORPHANS = "for n in 1 2 3; do sh -c 'exit 9' & done; sh -c 'sleep 0.02' & exit "

async def one(reaper, code, found):
    child = subprocess.Popen(["sh", "-c", ORPHANS + str(code)])
    reaper.own(child.pid)
    found.append((code, await reaper.reap_own(child)))

async def other(reaper, code, found):
    with reaper.starting():
        child = await trio.lowlevel.open_process(["sh", "-c", ORPHANS + str(code)])
        reaper.own(child.pid)
    found.append((code, await child.wait()))

async def main():
    reaper, found = Reaper(), []
    async with trio.open_nursery() as nursery:
        await nursery.start(reaper.serve)
        async with trio.open_nursery() as children:
            for code in range(40):
                children.start_soon(one if code % 2 else other, reaper, code, found)
        while process.children_of(os.getpid()):
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    assert sorted(found) == [(code, code) for code in range(40)], found

trio.run(main)
"""


def test_no_status_of_an_own_child_is_stolen_and_no_orphan_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MANY],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


def test_supervisors_without_a_fork_server_become_the_masters_and_are_reaped(
    start_master: StartMaster,
) -> None:
    claw = start_master(SERVICE)
    claw.wait_state("web", "running")
    [supervisor] = claw.supervisors().values()

    assert kill_process(claw.call("daemon.status")["fork_server_pid"])
    claw.wait_until(lambda: process.parent_of(supervisor) == claw.pid, "new parent")
    claw.call("job.stop", targets=["web"])

    claw.wait_until(lambda: process.parent_of(supervisor) is None, "end that is reaped")
