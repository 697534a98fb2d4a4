"""Which unit a process belongs to, by its cgroups."""

import os
import time
from pathlib import Path

import pytest

from claw.master.init import unit

V1 = """12:memory:/system.slice/other.service
1:name=systemd:/system.slice/claw.service
0::/
"""


@pytest.mark.parametrize(
    ("cgroups", "expected"),
    [
        ("0::/system.slice/claw.service\n", ("claw.service", ())),
        ("0::/system.slice/claw.service/jobs/web\n", ("claw.service", ())),
        ("0::/system.slice/system-claw.slice/claw@a.service", ("claw@a.service", ())),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/claw.service\n",
            ("claw.service", ("--user",)),
        ),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", None),
        ("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", None),
        (V1, ("claw.service", ())),
        ("", None),
    ],
)
def test_the_unit_is_found(cgroups: str, expected: tuple[str, tuple[str, ...]] | None) -> None:
    assert unit.unit_of(cgroups) == expected


def test_a_fresh_mark_of_an_init_script_means_a_restart_once(tmp_path: Path) -> None:
    mark = tmp_path / "restarting"
    mark.touch()

    assert unit.is_restarting(str(mark), is_unit=False)
    assert not unit.is_restarting(str(mark), is_unit=False)


def test_an_old_mark_means_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "restarting"
    mark.touch()
    os.utime(mark, (time.time() - 3600,) * 2)

    assert not unit.is_restarting(str(mark), is_unit=False)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("run, got TERM\n", True),
        ("run\n", True),
        ("run, want down, got TERM\n", False),
        ("run, want exit, got TERM\n", False),
    ],
)
def test_runit_says_what_it_wants(
    stat: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervise = tmp_path / "supervise"
    supervise.mkdir()
    for name, text in (("status", ""), ("stat", stat), ("pid", f"{os.getpid()}\n")):
        (supervise / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    assert unit.is_restarting(str(tmp_path / "no-mark"), is_unit=False) == expected
    (supervise / "pid").write_text("1\n")
    assert not unit.is_restarting(str(tmp_path / "no-mark"), is_unit=False)


def systemctl(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this shell script found as systemctl, and this process be a unit's."""
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\ncd {folder}\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(unit, "unit_of", lambda _cgroups: ("claw.service", ()))
    monkeypatch.setattr(unit, "_PAUSE_S", 0.0)


def test_systemd_that_does_not_answer_at_first_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f"if mkdir asked; then exit 1; fi; echo MainPID={os.getpid()}; echo Job=0"
    systemctl(tmp_path, script, monkeypatch)

    assert not unit.is_restarting(str(tmp_path / "no-mark"), is_unit=True)
    assert (tmp_path / "asked").exists()


def test_jobs_go_on_where_nobody_tells_a_stop_from_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    systemctl(tmp_path, "exit 1", monkeypatch)
    monkeypatch.setattr(unit, "_PERSISTENCE_S", 0.0)

    assert unit.is_restarting(str(tmp_path / "no-mark"), is_unit=True)
    assert "the jobs go on" in caplog.text
