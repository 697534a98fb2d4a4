"""Masters, fork servers and supervisors of different versions work together, or are drained.

The other version is a real one: a copy of this tree that calls itself otherwise, and whose
launches lack a field that this one has and have one that this one does not know.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw import __version__
from claw.kernel import process
from tests.kit import programs
from tests.kit.ledger import Ledger
from tests.kit.master import ROOT, MasterUnderTest, kill_process
from tests.kit.roll import fork_server_of, supervisors_of
from tests.kit.witness import Witness

OLD = "0.0.9"
ENCODED = "        values = {name: getattr(self, name) for name in self.__slots__}\n"


@pytest.fixture
def old_program(tmp_path: Path) -> Path:
    """Return a folder with a claw of another version."""
    program = programs.copy(tmp_path / "old")
    _edit(
        program / "claw/__init__.py", f'__version__ = "{__version__}"', f'__version__ = "{OLD}"'
    )
    _edit(
        program / "claw/wire/supervision.py",
        ENCODED,
        f'{ENCODED}        del values["ready_delay_s"]\n        values["bygone"] = [1]\n',
    )
    return program


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def claw(tmp_path: Path, old_program: Path, witness: Witness) -> Iterator[MasterUnderTest]:
    """Yield a master of the old version with a service that runs."""
    made = MasterUnderTest(tmp_path / "home")
    made.configure(f"""
[jobs.web]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
restart = {{ delays = ["0s"] }}
[jobs.quick]
{witness.command()}
max_instances = 20
""")
    made.program = old_program
    made.start()
    try:
        made.wait_state("web", "running")
        yield made
    finally:
        made.end()


def renew(claw: MasterUnderTest) -> None:
    """Have a master of this version take the place of the old one."""
    claw.kill()
    claw.program = ROOT
    claw.start()


def supervisor_of(claw: MasterUnderTest, run: str) -> int | None:
    """Return the pid of a run's supervisor."""
    pid: int | None = claw.call("run.show", run=run)["supervisor_pid"]
    return pid


def books_of(claw: MasterUnderTest, witness: Witness) -> list[str]:
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"quick"})
    return ledger.wrongs()


def test_a_fork_server_of_another_version_is_drained_and_then_ends(
    claw: MasterUnderTest, witness: Witness
) -> None:
    web = claw.job("web")
    old = claw.submit("quick", args=["5", "100", "held"])
    claw.wait_until(lambda: witness.count(old), "a run")
    elder = fork_server_of(claw.home, OLD)

    renew(claw)
    new = claw.submit("quick", args=["6"])

    assert claw.ended(new)["exit_code"] == 6
    witness.let_go()
    assert claw.ended(old)["exit_code"] == 5
    assert fork_server_of(claw.home, OLD) == elder
    assert fork_server_of(claw.home) not in {0, elder}
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    supervisor = supervisor_of(claw, web["run"])
    assert supervisor in process.children_of(elder)
    assert kill_process(supervisor)
    another = claw.wait_until(
        lambda: {supervisor_of(claw, web["run"])} - {supervisor, None}, "a replacement"
    )
    assert another <= set(process.children_of(elder))
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    claw.wait_until(lambda: fork_server_of(claw.home, OLD) == 0, "end of the old fork server")
    assert not os.path.exists(claw.home.forkserver_socket(OLD))  # noqa: PTH110
    assert books_of(claw, witness) == []


def test_supervisors_of_a_killed_fork_server_of_another_version_are_fostered_by_the_present(
    claw: MasterUnderTest, witness: Witness
) -> None:
    web = claw.job("web")
    renew(claw)
    elder = fork_server_of(claw.home, OLD)
    [supervisor] = [pid for pid in process.children_of(elder) if not process.is_zombie(pid)]

    assert kill_process(elder)
    claw.wait_until(lambda: supervisor in supervisors_of(claw.home).values(), "fostering")
    assert kill_process(supervisor)

    claw.wait_until(lambda: supervisor not in supervisors_of(claw.home).values(), "another")
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert kill_process(web["pid"])
    claw.wait_until(lambda: witness.count(web["run"]) == 2, "a restart")
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    assert books_of(claw, witness) == []


def test_the_socket_of_a_fork_server_of_another_version_that_was_killed_is_removed(
    claw: MasterUnderTest,
) -> None:
    web = claw.job("web")
    claw.kill()
    assert kill_process(fork_server_of(claw.home, OLD))
    claw.program = ROOT
    claw.start()

    claw.wait_until(lambda: supervisors_of(claw.home), "fostering")
    assert not os.path.exists(claw.home.forkserver_socket(OLD))  # noqa: PTH110
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
