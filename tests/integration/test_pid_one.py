"""clawd as PID 1, as in a container: it reaps, takes signals, and ends as its job does."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.master import PATIENCE_S, MasterUnderTest

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace needs root"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare"),
]

FRAME = """
[jobs.other]
type = "continuous"
argv = ["sh", "-c", "trap 'echo bye; exit' TERM; while :; do sleep 0.05; done"]
"""
ESSENTIAL = """
[daemon]
essential = ["web"]
[jobs.web]
type = "continuous"
argv = ["sh", "-c", "until [ -e %s ]; do sleep 0.02; done; %s"]
restart.policy = "never"
"""


class Container(MasterUnderTest):
    """A master that is PID 1 of a namespace; the process started is its parent, outside."""

    @property
    def init(self) -> int:
        """PID 1, as it is called outside."""
        assert self.process is not None
        [pid] = process.children_of(self.process.pid)
        return pid

    def run(self) -> None:
        """Start it, and wait until it answers."""
        namespaces = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
        with (self.folder / "stderr").open("ab") as stderr:
            self.process = subprocess.Popen(
                [*namespaces, sys.executable, "-m", "claw", "clawd", "--home", self.folder],
                stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr, cwd=self.program,
                env=self.environment, start_new_session=True,
            )  # fmt: skip
        self.wait_until(self._answers, "a master that answers")

    def status(self) -> int:
        """Wait for the end, and return the exit status."""
        assert self.process is not None
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    made = Container(tmp_path)
    yield made
    made.client.close()
    if made.process is not None and made.process.poll() is None:
        with contextlib.suppress(ValueError):
            process.kill(made.init, signal.SIGKILL)
        made.process.wait(PATIENCE_S)
    assert made.leftovers() == []


@pytest.mark.parametrize(("end", "status"), [("exit 7", 7), ("kill -9 $$", 137), ("exit 0", 0)])
def test_clawd_ends_as_its_essential_job_does_and_stops_the_others(
    container: Container, end: str, status: int, tmp_path: Path
) -> None:
    container.configure(FRAME + ESSENTIAL % (tmp_path / "go", end))
    container.run()
    container.wait_state("other", "running")

    (tmp_path / "go").touch()

    assert container.status() == status
    assert container.output("other/out.log") == b"bye\n"


def test_an_essential_job_that_is_restarted_by_its_policy_has_not_ended(
    container: Container, tmp_path: Path
) -> None:
    config = ESSENTIAL % (tmp_path / "go", "rm %s; exit 3" % (tmp_path / "go"))
    container.configure(config.replace('"never"', '"always"\nrestart.delays = [0]'))
    container.run()
    first = container.wait_state("web", "running")["pid"]

    (tmp_path / "go").touch()

    container.wait_until(lambda: container.job("web")["pid"] not in (None, first), "restart")
    container.call("job.restart", targets=["web"])
    container.call("job.stop", targets=["web"])
    assert container.call("daemon.status")["pid"] == 1


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGPWR]
)
def test_signals_stop_the_jobs_of_pid_1_whatever_on_shutdown_says(
    container: Container, number: int
) -> None:
    container.configure(FRAME + '[daemon]\non_shutdown = "detach"\n')
    container.run()
    container.wait_state("other", "running")
    container.wait_until(lambda: container.job("other")["uptime"] > 0.2, "trap that is set")

    process.kill(container.init, number)

    assert container.status() == 0
    assert container.output("other/out.log") == b"bye\n"


def test_pid_1_reaps_orphans_of_others(container: Container) -> None:
    container.configure(FRAME)
    container.run()
    init = container.init

    for _ in range(5):
        enter = ["nsenter", "-t", str(init), "--pid", "--mount"]
        subprocess.run([*enter, "sh", "-c", "sleep 0.1 & sleep 0.2 &"], check=True)

    def sleepers() -> list[int]:
        return [one for one in process.children_of(init) if process.command_of(one) == "sleep"]

    container.wait_until(lambda: not sleepers(), "end of the orphans")
    zombies = [one for one in process.children_of(init) if process.is_zombie(one)]
    assert zombies == []


def test_pid_1_is_replaced_in_place(container: Container) -> None:
    container.configure(FRAME)
    container.run()
    child = container.wait_state("other", "running")["pid"]
    init = container.init

    said = container.ctl("daemon", "restart", "--json")

    container.client.close()
    assert '"pid": 1' in said
    assert (container.init, container.job("other")["pid"]) == (init, child)


def test_a_container_that_was_killed_comes_up_again_with_its_essential_job(
    container: Container, tmp_path: Path
) -> None:
    container.configure(ESSENTIAL % (tmp_path / "go", "exit 4"))
    container.run()
    container.wait_state("web", "running")
    assert container.process is not None
    process.kill(container.init, signal.SIGKILL)
    container.process.wait(PATIENCE_S)
    container.client.close()

    container.run()

    container.wait_state("web", "running")
    (tmp_path / "go").touch()
    assert container.status() == 4
