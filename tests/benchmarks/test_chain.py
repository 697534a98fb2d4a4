"""What a chain costs beside as many single runs: -m benchmark -n 0."""

import statistics
import time

import pytest

from tests.kit.master import MasterUnderTest, StartMaster

pytestmark = pytest.mark.benchmark
LENGTH = 10
ROUNDS = 15
BAR = 1.2
"""So much of ten single runs may a chain of ten take."""


def _single_s(claw: MasterUnderTest) -> float:
    begun = time.perf_counter()
    for _ in range(LENGTH):
        run = claw.call("run.submit", job="true")["run"]
        claw.call("run.wait", target=run)
    return time.perf_counter() - begun


def _chain_s(claw: MasterUnderTest) -> float:
    begun = time.perf_counter()
    asked = claw.call("workflow.compose", kind="chain", jobs=["true"] * LENGTH)
    claw.call("run.wait", target=asked["run"])
    return time.perf_counter() - begun


def test_a_chain_of_ten_takes_less_than_ten_runs_and_a_fifth(
    start_master: StartMaster,
) -> None:
    claw = start_master('[jobs.true]\nargv = ["/bin/true"]\n')
    _single_s(claw)
    _chain_s(claw)
    pairs = [(_single_s(claw), _chain_s(claw)) for _ in range(ROUNDS)]
    single, chain = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(chain / single for single, chain in pairs)
    print(
        f"\n{LENGTH} runs {single * 1e3:.1f} ms, a chain of {LENGTH} {chain * 1e3:.1f} ms:"
        f" {ratio:.2f} of it (bar: {BAR})"
    )
    assert ratio < BAR
