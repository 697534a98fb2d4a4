"""A service with sockets refuses no connection, whatever is restarted or killed under it."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from claw.errors import ClawError
from tests.kit.listening import Load, ask, write_server
from tests.kit.master import MasterUnderTest, kill_process
from tests.kit.roll import are_all_known, fork_server_of
from tests.kit.servers import free_ports

SHORT, LONG = 20, 100
KILLED = ("child", "supervisor", "fork server", "master")
CONFIG = """
[jobs.web]
type = "continuous"
command = "{server}"
sockets = {{ tcp = "{tcp}", unix = "{unix}" }}
restart = {{ delays = ["20ms"] }}
{more}
"""


class Siege:
    """One home whose service is restarted and killed while clients call it."""

    def __init__(self, claw: MasterUnderTest, addresses: tuple[str, str], seed: int) -> None:
        self._claw = claw
        self._dice = random.Random(seed)
        self._addresses = addresses

    def run(self, count: int) -> None:
        """Restart so often, and kill so often, in any order."""
        acts = [self._restart] * count
        acts += [self._act_of(KILLED[number % len(KILLED)]) for number in range(count)]
        self._dice.shuffle(acts)
        with Load(*self._addresses, *self._addresses) as load:
            for act in acts:
                act()
            self._claw.wait_until(self._all_answer, "an answer at each address")
        assert load.failures == []
        assert len(load.answers) >= count  # children that have answered
        assert sum(load.answers.values()) > 10 * load.broken

    def _all_answer(self) -> bool:
        return all(ask(address) for address in self._addresses)

    def _act_of(self, what: str) -> Callable[[], None]:
        return {
            "child": self._kill_child,
            "supervisor": self._kill_supervisor,
            "fork server": self._kill_fork_server,
            "master": self._kill_master,
        }[what]

    def _pids(self) -> list[int]:
        """Return the pids of the children that live."""
        with contextlib.suppress(ClawError):
            jobs = self._claw.call("job.status", targets=["web"])["jobs"]
            return [job["pid"] for job in jobs if job["state"] == "running" and job["pid"]]
        return []

    def _restart(self) -> None:
        before = set(self._claw.wait_until(self._pids, "a child"))
        self._claw.call("job.restart", targets=["web"])
        self._claw.wait_until(lambda: not before & set(self._pids()), "end of the children")
        self._claw.wait_until(
            lambda: ask(self._addresses[0]).get("pid", 0) not in {0, *before},
            "an answer of another child",
        )

    def _kill_child(self) -> None:
        kill_process(self._dice.choice(self._claw.wait_until(self._pids, "a child")))

    def _kill_supervisor(self) -> None:
        found = self._claw.wait_until(self._claw.supervisors, "a supervisor")
        kill_process(self._dice.choice(sorted(found.values())))

    def _kill_fork_server(self) -> None:
        """Kill it, and wait for the next: two of three holders may die at once."""
        home = self._claw.home
        kill_process(self._claw.wait_until(lambda: fork_server_of(home), "a fork server"))
        self._claw.wait_until(
            lambda: self._claw.supervisors() and are_all_known(home), "a whole fork server"
        )

    def _kill_master(self) -> None:
        self._claw.restart()


def besiege(claw: MasterUnderTest, folder: Path, seed: int, count: int, more: str = "") -> None:
    addresses = (f"tcp://127.0.0.1:{free_ports(1)[0]}", f"unix:{folder}/web.sock")
    server = write_server(folder)
    claw.configure(CONFIG.format(server=server, tcp=addresses[0], unix=addresses[1], more=more))
    claw.start()
    try:
        claw.wait_state("web", "running")
        Siege(claw, addresses, seed).run(count)
    finally:
        claw.end()


def test_no_connection_is_refused_over_restarts_and_kills(tmp_path: Path, seed: int) -> None:
    besiege(MasterUnderTest(tmp_path / "home"), tmp_path, seed, SHORT)


@pytest.mark.slow
def test_no_connection_is_refused_over_many_restarts_and_kills(
    tmp_path: Path, seed: int
) -> None:
    besiege(MasterUnderTest(tmp_path / "home"), tmp_path, seed, LONG)
