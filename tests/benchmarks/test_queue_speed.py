"""2,000 short jobs through the queue, beside its peers: -m benchmark -n 0 -s."""

import os
from pathlib import Path

import pytest

from tests.kit.queues import QUEUES, MissingError

pytestmark = pytest.mark.benchmark
RUNS = 2000


def test_2000_short_jobs_go_through_the_queue_as_fast_as_they_do(tmp_path: Path) -> None:
    took: dict[str, float] = {}
    print(f"\n{RUNS} runs of /bin/true, jobs a second, {os.cpu_count()} cores:")
    for number, (name, measure) in enumerate(QUEUES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        before = os.getloadavg()[0]
        try:
            took[name] = measure(folder, RUNS)
        except MissingError as error:
            print(f"  {name:24} left out: {error}")
            continue
        print(f"  {name:24} {RUNS / took[name]:6.0f}   (load before: {before:.1f})")
    assert {"claw, a request each", "claw, one batch"} <= took.keys()
