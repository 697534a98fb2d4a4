"""The master is killed while jobs are made: managed.toml and the state go together."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.errors import NotFoundError
from tests.kit.dying import Mortal
from tests.kit.master import MasterUnderTest

AT = ((9, "before"), (12, "after"), (16, "before"), (21, "after"))
MOST = 60
WEB = '[jobs.web]\ncommand = "true"\ntags = ["site"]\n'


class Making(Mortal):
    """A master that dies at one write, and somebody who has it make jobs."""

    def __init__(self, folder: Path, number: int, when: str) -> None:
        super().__init__(MasterUnderTest(folder), number, when)
        self.claw.configure(WEB)
        self.made: dict[str, str] = {}
        self.runs: list[str] = []

    def play(self) -> None:
        """Make, change and remove jobs, and run commands, until the master has died."""
        number = 0
        while not self.has_died.is_set():
            assert number < MOST, "it did not die"
            name = f"j{number}"
            self.ask("job.add", jobs={name: {"command": "true", "tags": ["a"]}})
            self.ask("job.set", targets=[name], changes=["tags+=b", f"description={name}"])
            self.ask("job.set", targets=["web"], changes=[f"env.N={number}"])
            table = {"argv": ["true"], "cwd": "/"}
            self.runs.append(self.ask("run.transient", table=table, name=f"t{number}")["run"])
            if number % 2:
                try:
                    self.ask("job.remove", targets=[name])
                except NotFoundError:  # it was done before the kill, and nobody was told
                    assert self.has_died.is_set()
            else:
                self.made[name] = name
            number += 1
        self.last = number - 1


@pytest.fixture
def making(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Making]:
    made = Making(tmp_path / "home", *request.param)
    try:
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("making", AT, indirect=True, ids=str)
def test_what_was_answered_holds_whichever_write_the_master_is_killed_at(
    making: Making,
) -> None:
    making.start()
    making.play()

    claw = making.claw
    text = (claw.folder / "config" / "managed.toml").read_text()
    written = tomllib.loads(text)["jobs"]
    loaded = {job["name"]: job for job in claw.call("job.list")["jobs"]}
    assert set(written) == {*making.made, "web"}
    assert set(loaded) == {*making.made, "web"}
    for name in making.made:
        assert (loaded[name]["tags"], loaded[name]["description"]) == (["a", "b"], name)
    assert written["web"] == {"env": {"N": str(making.last)}}
    assert len(set(making.runs)) == len(making.runs)
    assert [claw.ended(run)["exit_code"] for run in making.runs] == [0] * len(making.runs)
