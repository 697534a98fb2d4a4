"""``service install | uninstall | status``: what is written, refused and said."""

import json
import os
from pathlib import Path

import pytest

from claw.boot import systems
from tests.unit.cli.conftest import Typed

USER = ("--user", "--init", "systemd")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own configuration folder, where units of theirs belong."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_install_writes_the_unit_and_says_what_to_type(
    clawctl: Typed, config: Path, home: Path
) -> None:
    unit = config / "systemd/user/claw.service"

    status, said, _ = clawctl("service", "install", *USER)

    assert status == 0
    assert said.splitlines()[:2] == ["systemd, user:", f"  {unit} written"]
    assert "  systemctl --user enable --now claw.service" in said.splitlines()
    assert f"--home {home}\n" in unit.read_text()
    assert "is as it should be" in clawctl("service", "install", *USER)[1]


def test_status_tells_a_file_that_is_there_from_one_that_was_changed(
    clawctl: Typed, config: Path
) -> None:
    assert clawctl("service", "status", *USER)[0] == 3
    clawctl("service", "install", *USER)
    assert clawctl("service", "status", *USER)[0] == 0

    unit = config / "systemd/user/claw.service"
    unit.write_text(unit.read_text() + "# mine\n")

    status, said, _ = clawctl("service", "status", *USER, "--json")
    assert (status, json.loads(said)["files"]) == (0, [{"path": str(unit), "what": "differs"}])


def test_uninstall_removes_the_file_and_is_fine_twice(clawctl: Typed, config: Path) -> None:
    clawctl("service", "install", *USER)

    said = clawctl("service", "uninstall", *USER)[1]

    assert "systemctl --user disable --now claw.service" in said
    assert not (config / "systemd/user/claw.service").exists()
    assert "there was nothing to remove" in clawctl("service", "uninstall", *USER)[1]


def test_a_dry_run_shows_the_file_and_writes_nothing(clawctl: Typed, config: Path) -> None:
    said = clawctl("service", "install", *USER, "--dry-run")[1]

    assert "would be written" in said
    assert "    Type=notify" in said.splitlines()
    assert not config.exists()


def test_somebody_elses_file_is_left_alone(clawctl: Typed, config: Path) -> None:
    unit = config / "systemd/user/claw.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\n")

    for verb in ("install", "uninstall"):
        status, _, fault = clawctl("service", verb, *USER)
        assert (status, "is somebody else's file" in fault) == (1, True)

    assert unit.read_text() == "[Service]\n"


def test_where_no_init_system_runs_the_names_are_told(
    clawctl: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "detect", lambda: None)

    status, _, fault = clawctl("service", "install")

    assert status == 1
    assert "no init system that claw knows runs here: name one with --init: systemd" in fault


def test_runit_starts_nothing_for_a_user(clawctl: Typed) -> None:
    status, _, fault = clawctl("service", "install", "--user", "--init", "runit")

    assert (status, "runit starts nothing for a user" in fault) == (1, True)


def test_only_root_changes_what_the_machine_starts(
    clawctl: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    status, _, fault = clawctl("service", "install", "--system", "--init", "openrc")

    assert (status, "only root" in fault) == (5, True)


def test_both_scopes_are_one_too_many(clawctl: Typed) -> None:
    assert clawctl("service", "status", "--system", *USER)[0] == 2


@pytest.mark.parametrize("init", systems.SYSTEMS, ids=lambda one: one.name)
def test_every_init_system_has_words_for_each_of_its_scopes(init: systems.InitSystem) -> None:
    assert init.files.keys() == init.to_begin.keys() == init.to_end.keys()
    program = systems.Program(
        clawd=("/opt/my claw/clawd", "--system"),
        clawctl=("/opt/my claw/clawctl",),
        run="/run/claw",
    )
    for file in (file for files in init.files.values() for file in files):
        text = systems.render(file.template, program)
        assert "@" not in text.replace("user@", "")
        assert systems.is_own(text, file.template)
