"""The next run of a supervisor: what it leaves on record before it begins."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import memory
from claw.supervisor import machine
from claw.supervisor.case import Case
from claw.supervisor.warm import Warm
from claw.wire.supervision import MEMORY, Launch
from tests.kit.cases import case_of, launch_in
from tests.kit.master import journal


def launch_of(folder: Path, run: str) -> Launch:
    launch_dir = str(folder / "launch")
    return launch_in(folder, run=run, origin="manual", origin_key=run, launch_dir=launch_dir)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """A case whose run is over."""
    (tmp_path / "launch").mkdir()
    launch = launch_of(tmp_path, "r1")
    with case_of(launch, {MEMORY: memory.shared("test", launch.encode())}) as made:
        made.state.phase = machine.ENDED
        yield made


def ask(case: Case, launch: Launch) -> bool:
    warm = Warm(case)
    warm.ask({"op": "launch", "launch": launch.values()})
    return warm.go_on()


def test_i4_what_the_next_run_is_stands_in_memory_and_that_it_begins_in_the_journal(
    case: Case, tmp_path: Path
) -> None:
    assert ask(case, launch_of(tmp_path, "r2"))

    [line] = journal(Path(case.spool.folder))
    assert (line["ev"], line["run"], line["attempt"]) == ("launch", "r2", 1)
    assert Launch.decode(memory.read(case.handed.kept[MEMORY])).run == case.launch.run == "r2"
    assert [*(tmp_path / "launch").iterdir()] == []
    assert case.state.phase == machine.LAUNCHING


def test_an_attempt_that_another_has_a_launch_file_of_is_refused(
    case: Case, tmp_path: Path
) -> None:
    (tmp_path / "launch/r2.1").write_text("another")

    assert not ask(case, launch_of(tmp_path, "r2"))
    assert journal(Path(case.spool.folder)) == []
    assert case.launch.run == "r1"
