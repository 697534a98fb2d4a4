"""The master is killed while jobs are made: managed.toml and the state go together."""

import threading
import time
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.errors import NotFoundError, UnreachableError
from tests.kit.master import PATIENCE_S, Json, MasterUnderTest

AT = ((9, "before"), (12, "after"), (16, "before"), (21, "after"))
MOST = 60
_PAUSE_S = 0.2
WEB = '[jobs.web]\ncommand = "true"\ntags = ["site"]\n'


class Making:
    """A master that dies at one write, and somebody who has it make jobs."""

    def __init__(self, folder: Path, number: int, when: str) -> None:
        self.claw = MasterUnderTest(folder)
        self.claw.configure(WEB)
        self.claw.daemon = ("tests.kit.dying", str(number), when)
        self.has_died = threading.Event()  # and another one is there
        self.made: dict[str, str] = {}
        self.runs: list[str] = []

    def start(self) -> None:
        """Start the one that is going to die, and have it replaced when it has."""
        self.claw.start(wait=False)
        threading.Thread(target=self._look_after).start()

    def _look_after(self) -> None:
        assert self.claw.process is not None
        self.claw.process.wait()
        self.claw.daemon = ("claw", "clawd")
        self.claw.start(wait=False)
        self.has_died.set()

    def ask(self, method: str, **params: Any) -> Json:
        """Ask until there is an answer, by one request id."""
        request = {"request_id": uuid.uuid4().hex, **params}
        deadline = time.monotonic() + 2 * PATIENCE_S
        while True:
            try:
                return dict(self.claw.client.call(method, **request))
            except UnreachableError:  # it is not up yet, or has died
                assert time.monotonic() < deadline
                self.has_died.wait(_PAUSE_S)

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
        if not made.has_died.is_set():
            made.claw.kill()
            assert made.has_died.wait(PATIENCE_S)
        made.claw.end()


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
