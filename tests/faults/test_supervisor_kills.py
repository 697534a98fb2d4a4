"""I4: supervisors are killed at random instants, and of what they supervise nothing is lost.

Short jobs and services that restart at once run under the kills. A witness outside (a file
that each child appends to), the journal, the launch files and the output must all tell the
same: every attempt began once, ended in a known way, and said all that it said.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import pidfd
from tests.kit import supervision
from tests.kit.supervision import Bench, Supervised, ladder

ATTEMPTS = 12
LINES = 300
PATIENCE_S = 60.0
SCRIPT = """
echo "$CLAW_RUN_ID $CLAW_ATTEMPT" >> "{witness}"
seq "$CLAW_ATTEMPT"000 "$CLAW_ATTEMPT"{last:03}
exit $((CLAW_ATTEMPT % 5))
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


class Campaign:
    """Runs that go on under a rain of kills."""

    def __init__(self, bench: Bench, seed: int) -> None:
        print(f"seed {seed}")
        self.bench = bench
        self.random = random.Random(seed)
        self.witness = bench.home / "witness"
        self.witness.touch()
        self.script = SCRIPT.format(witness=self.witness, last=LINES - 1)
        self.going: list[Supervised] = []
        self.over: list[Supervised] = []
        self.kills = 0

    def kill_so_often(self, kills: int) -> None:
        """Keep four runs going, and kill a supervisor of one every few milliseconds."""
        deadline = time.monotonic() + PATIENCE_S + kills / 10
        while self.kills < kills:
            assert time.monotonic() < deadline, f"{self.kills} kills only"
            while len(self.going) < 4:
                self.begin()
            time.sleep(self.random.random() * 0.012)
            self.kill(self.random.choice(self.going).pid)
            for one in [one for one in self.going if one.of("ended")]:
                self.going.remove(one)
                self.over.append(one)
        for one in self.going:
            one.wait_for("ended")
        self.over += self.going

    def begin(self) -> None:
        """Launch a short job, or a service that runs a number of times."""
        restart = ladder(start_limit=ATTEMPTS) if self.random.random() < 0.5 else None
        self.going.append(self.bench.launch(["sh", "-c", self.script], restart=restart))

    def kill(self, pid: int) -> None:
        """Kill a supervisor, if it has not just ended by itself."""
        try:
            fd = pidfd.open_pid(pid)
        except (ProcessLookupError, OSError):
            return
        try:
            self.kills += pidfd.send_signal(fd, 9)
        finally:
            os.close(fd)

    def wrongs(self) -> list[str]:
        """Return all that is not as it should be."""
        seen = Counter(self.witness.read_text().splitlines())
        files = {path.name for path in (self.bench.home / "state/launch").iterdir()}
        return [wrong for one in self.over for wrong in wrongs_of(one, seen, files)]


def wrongs_of(one: Supervised, seen: Counter[str], files: set[str]) -> Iterator[str]:
    """Yield what journal, witness, launch files and output tell of a run that is not true."""
    assert one.launch is not None
    run = one.launch.run
    numbers = [*range(1, 2 if one.launch.restart is None else ATTEMPTS + 1)]
    started, exited = one.of("started"), one.of("exited")
    if [line["attempt"] for line in started] != numbers:
        yield f"{run}: {started}"
    if [line["attempt"] for line in exited] != numbers:
        yield f"{run}: {exited}"
    if [line["code"] for line in exited] != [number % 5 for number in numbers]:
        yield f"{run}: codes of {exited}"
    if [seen[f"{run} {number}"] for number in numbers] != [1] * len(numbers):
        yield f"{run}: ran {[seen[f'{run} {number}'] for number in numbers]} times"
    if not {f"{run}.{number}" for number in numbers} <= files:
        yield f"{run}: a launch file is missing"
    if one.output() != b"".join(said_by(number) for number in numbers):
        yield f"{run}: output of {len(one.output())} bytes"
    if [line["ev"] for line in one.lines()].index("ended") != len(one.lines()) - 1:
        yield f"{run}: {one.lines()[-3:]}"


def said_by(attempt: int) -> bytes:
    return b"".join(b"%d%03d\n" % (attempt, number) for number in range(LINES))


def test_i4_eighty_kills_of_supervisors_lose_nothing(bench: Bench) -> None:
    campaign = Campaign(bench, random.randrange(1 << 32))

    campaign.kill_so_often(80)

    assert campaign.wrongs() == []


@pytest.mark.slow
def test_i4_three_thousand_kills_of_supervisors_lose_nothing(bench: Bench) -> None:
    campaign = Campaign(bench, random.randrange(1 << 32))

    campaign.kill_so_often(3000)

    print(f"{len(campaign.over)} runs")
    assert campaign.wrongs() == []
