"""100 jobs due in the same second, beside other schedulers: -m benchmark -n 0 -s."""

import os
import statistics
from pathlib import Path

import pytest

from tests.kit.queues import MissingError
from tests.kit.timers import SCHEDULERS, Jobs

pytestmark = pytest.mark.benchmark
JOBS = 100


def test_100_jobs_due_in_the_same_second_all_begin(tmp_path: Path) -> None:
    counts: dict[str, int] = {}
    print(f"\n{JOBS} jobs due at once, milliseconds late, {os.cpu_count()} cores:")
    for number, (name, measure) in enumerate(SCHEDULERS.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        before = os.getloadavg()[0]
        try:
            late = measure(Jobs(folder, JOBS))
        except MissingError as error:
            print(f"  {name:12} left out: {error}")
            continue
        if not late:
            print(f"  {name:12} left out: not installed, or it needs root")
            continue
        counts[name] = len(late)
        median, p99 = statistics.median(late), late[int(0.99 * (len(late) - 1))]
        print(
            f"  {name:12} median {1000 * median:6.0f}  p99 {1000 * p99:6.0f}"
            f"   (load before: {before:.1f})"
        )
    assert set(counts.values()) == {JOBS}
    assert "claw" in counts
