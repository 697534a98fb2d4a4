"""I1, I2, I5: the master is killed at each of its writes in turn, before and after COMMIT.

One scenario of everything that people and time ask for; whoever gets no answer asks again by
the same request id. Afterwards all books agree, and each request has had one effect.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.master.configuration import Configuration
from tests.kit.dying import Mortal
from tests.kit.ledger import Ledger
from tests.kit.master import Json, MasterUnderTest
from tests.kit.witness import Witness

SHORT = ((2, "after"), (5, "before"), (9, "after"), (14, "before"), (20, "after"))
LONG = tuple((number, when) for number in range(1, 61) for when in ("before", "after"))
MOST_RUNS = 200

JOBS = """
[daemon]
timezone = "UTC"
[jobs.quick]
{quick}
max_instances = 3
[jobs.tick]
{quick}
schedule = "* * * * * *"
catch_up = "all"
[jobs.web]
type = "continuous"
{web}
grace_period = "2s"
"""


class Scenario(Mortal):
    """A master that dies at one write, and those who ask it for things."""

    def __init__(self, folder: Path, number: int, when: str) -> None:
        self.witness = Witness(folder)
        super().__init__(MasterUnderTest(folder / "home"), number, when)
        self.claw.configure(
            JOBS.format(quick=self.witness.command(), web=self.witness.command(0, 0, 600))
        )
        self.promised: dict[str, tuple[Json, int]] = {}  # by request id: what was asked

    def submit(self, code: int, **params: object) -> str:
        """Ask for a run of ``quick`` and remember what was promised."""
        asked: Json = {"job": "quick", "args": [str(code)], "request_id": uuid.uuid4().hex}
        run = str(self.ask("run.submit", **asked, **params)["run"])
        self.promised[run] = ({**asked, **params}, code)
        return run

    def play(self) -> None:
        """Ask for everything, and for more until the master has died."""
        for code in (0, 3):
            self.submit(code)
        self.ask("job.stop", targets=["web"])
        self.submit(0, delay_s=0.2)
        self.ask("job.pause", targets=["tick"])
        canceled = self.submit(0, delay_s=3600)
        self.ask("run.cancel", targets=[canceled])
        del self.promised[canceled]
        self.ask("job.start", targets=["web"])
        self.ask("job.resume", targets=["tick"])
        while not self.has_died.is_set():
            assert len(self.promised) < MOST_RUNS, "it did not die"
            self.submit(0)

    def wrongs(self) -> list[str]:
        """Return what is wrong once all is over."""
        claw = self.claw
        ends = {run: claw.ended(run)["exit_code"] for run in self.promised}
        assert ends == {run: code for run, (_, code) in self.promised.items()}
        again = {
            run: claw.call("run.submit", **asked) for run, (asked, _) in self.promised.items()
        }
        assert {run: reply["run"] for run, reply in again.items()} == {
            run: run for run in again
        }
        for job, state in (("tick", "stopped"), ("web", "stopped")):
            claw.call("job.stop", targets=[job])
            claw.wait_state(job, state)
        ledger = Ledger(claw, self.witness.lines())
        ledger.plural = frozenset({"quick"})
        [tick] = [job for job in Configuration(claw.home.config).load().jobs if job.schedule]
        return [*ledger.wrongs(), *ledger.wrong_slots([tick])]


@pytest.fixture
def scenario(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    made = Scenario(tmp_path, *request.param)
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("scenario", SHORT, indirect=True, ids=str)
def test_i1_i2_i5_hold_when_the_master_is_killed_at_a_write(scenario: Scenario) -> None:
    scenario.start()
    scenario.play()

    assert scenario.wrongs() == []


@pytest.mark.slow
@pytest.mark.parametrize("scenario", LONG, indirect=True, ids=str)
def test_i1_i2_i5_hold_whichever_write_the_master_is_killed_at(scenario: Scenario) -> None:
    scenario.start()
    scenario.play()

    assert scenario.wrongs() == []
