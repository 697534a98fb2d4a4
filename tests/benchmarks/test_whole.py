"""What all of claw costs together, and how fast its client is: -m benchmark -n 0."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.master import MasterUnderTest, StartMaster

pytestmark = pytest.mark.benchmark
SERVICES = 100
WATCH_S = 40.0
ROUNDS = 60


def _claw_processes(claw: MasterUnderTest) -> list[int]:
    """Return the pids of master, fork server and supervisors."""
    fork_server = int(claw.call("daemon.status")["fork_server_pid"])
    return [claw.pid, fork_server, *claw.supervisors().values()]


def _cpu_ns(pids: list[int]) -> int:
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            words = (task / "schedstat").read_text().split()
            total += int(words[0])
    return total


def test_100_idle_services_cost_less_than_0_3_percent_of_a_core(
    start_master: StartMaster,
) -> None:
    config = "".join(
        f'[jobs.s{no}]\ntype = "continuous"\ncommand = "sleep 3600"\n' for no in range(SERVICES)
    )
    claw = start_master(config)
    claw.wait_until(lambda: len(claw.supervisors()) == SERVICES, "services")
    pids = _claw_processes(claw)
    assert len(pids) == SERVICES + 2
    time.sleep(3)  # what the start has left to do

    before = _cpu_ns(pids)
    time.sleep(WATCH_S)  # one heartbeat of each, and one look at them
    share = (_cpu_ns(pids) - before) / (WATCH_S * 1e9)

    print(f"\n{SERVICES} idle services, {len(pids)} processes: {share:.3%} of a core")
    assert share < 0.003


def _median_s(argv: list[str], env: dict[str, str]) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        subprocess.run(argv, env=env, stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def test_status_takes_at_most_three_bare_interpreters(start_master: StartMaster) -> None:
    """Wants an installed clawctl beside the interpreter, not an editable one."""
    script = Path(sys.executable).with_name("clawctl")
    if not script.exists():
        pytest.skip("no clawctl is installed beside this interpreter")
    claw = start_master('[jobs.web]\ntype = "continuous"\ncommand = "sleep 3600"\n')
    claw.wait_state("web", "running")
    env = {name: value for name, value in claw.environment.items() if name != "PYTHONPATH"}

    ratios = []
    for _ in range(3):
        bare = _median_s([sys.executable, "-c", "pass"], env)
        ratios.append(_median_s([str(script), "status"], env) / bare)

    shown = ", ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
    print(f"\nclawctl status / bare interpreter: {shown} (bar: 3)")
    assert min(ratios) < 3
    assert not process.is_zombie(claw.pid)
