"""The next run of a supervisor: what it leaves on record before it begins."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import files, memory
from claw.supervisor import machine
from claw.supervisor.case import Case
from claw.supervisor.handed import Handed
from claw.supervisor.warm import Warm
from claw.wire import supervision
from claw.wire.supervision import MEMORY, OUTPUTS, Launch


def launch_of(folder: Path, run: str) -> Launch:
    return Launch(
        sid="s", run=run, attempt=1, job="j", cause="start", origin="manual", origin_key=run,
        slot=None, argv=["true"], cwd="/", env={}, umask=0o022, success_codes=[0],
        timeout_s=0.0, stop_signal=15, grace_s=0.0, kill_mode="process", restart=None,
        out_path=str(folder / "out"), err_path="", stderr="merge", log_mode=0o600,
        spool=str(folder / "spool"), run_dir=str(folder / "run"),
        launch_dir=str(folder / "launch"), heartbeat_s=30.0,
    )  # fmt: skip


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """A case whose run is over."""
    for name in ("spool", "launch"):
        (tmp_path / name).mkdir()
    launch = launch_of(tmp_path, "r1")
    kept = dict(zip(OUTPUTS[0], os.pipe(), strict=True))
    kept[MEMORY] = memory.shared("test", launch.encode())
    handed = Handed(kept=kept, open_files=(64, 64), parent=os.getppid())
    made = Case(launch, handed, lambda _peer, _it: None, lambda: None)
    made.spool.open()
    made.state.phase = machine.ENDED
    yield made
    made.control.close()
    for fd in (made.spool.journal_fd, *kept.values()):
        os.close(fd)


def journal(case: Case) -> list[supervision.Message]:
    lines = files.read_from(case.spool.journal_path, 0).splitlines()
    return [line for line in map(supervision.decode, lines) if line is not None]


def ask(case: Case, launch: Launch) -> bool:
    warm = Warm(case)
    warm.ask({"op": "launch", "launch": launch.values()})
    return warm.go_on()


def test_i4_what_the_next_run_is_stands_in_memory_and_that_it_begins_in_the_journal(
    case: Case, tmp_path: Path
) -> None:
    assert ask(case, launch_of(tmp_path, "r2"))

    [line] = journal(case)
    assert (line["ev"], line["run"], line["attempt"]) == ("launch", "r2", 1)
    assert Launch.decode(memory.read(case.handed.kept[MEMORY])).run == case.launch.run == "r2"
    assert [*(tmp_path / "launch").iterdir()] == []
    assert case.state.phase == machine.LAUNCHING


def test_an_attempt_that_another_has_a_launch_file_of_is_refused(
    case: Case, tmp_path: Path
) -> None:
    (tmp_path / "launch/r2.1").write_text("another")

    assert not ask(case, launch_of(tmp_path, "r2"))
    assert journal(case) == []
    assert case.launch.run == "r1"
