import os
import socket
from pathlib import Path

import pytest

from claw.cli import homes
from claw.cli.dispatch import take_globals
from claw.errors import UsageError
from claw.model import home


def put_project(folder: Path) -> Path:
    (folder / ".claw/state").mkdir(parents=True)
    (folder / ".claw/run").mkdir()
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / ".claw/run/control.sock"))
    return folder


def test_claw_home_goes_first(tmp_path: Path) -> None:
    project = put_project(tmp_path)

    chosen = homes.choose({"CLAW_HOME": "/elsewhere"}, os.getuid(), str(project))

    assert chosen.state == "/elsewhere/state"


def test_the_project_around_the_present_folder_goes_before_ones_own(tmp_path: Path) -> None:
    inner = put_project(tmp_path) / "a/b"
    inner.mkdir(parents=True)

    chosen = homes.choose({"HOME": str(tmp_path)}, os.getuid(), str(inner))

    assert chosen.state == f"{tmp_path}/.claw/state"
    assert homes.is_project(chosen)


def test_a_project_folder_of_somebody_else_is_not_trusted(tmp_path: Path) -> None:
    project = put_project(tmp_path)

    assert homes.enclosing_project(str(project), os.getuid()) is not None
    assert homes.enclosing_project(str(project), os.getuid() + 1) is None


def test_a_project_that_was_never_up_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".claw/state").mkdir(parents=True)

    assert homes.enclosing_project(str(tmp_path), os.getuid()) is None


def test_root_means_the_systems_home(tmp_path: Path) -> None:
    assert homes.choose({"HOME": str(tmp_path)}, 0, "/").config == "/etc/claw"


def test_a_user_means_their_own_home(tmp_path: Path) -> None:
    (tmp_path / ".config/claw").mkdir(parents=True)

    chosen = homes.choose({"HOME": str(tmp_path)}, 1000, "/")

    assert chosen.config == f"{tmp_path}/.config/claw"
    assert homes.is_in_use(chosen)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["--home", "/x/y"], "/x/y/state"),
        (["--home=/x/y"], "/x/y/state"),
        (["--system"], home.of_system().state),
    ],
)
def test_an_option_names_the_home(words: list[str], state: str) -> None:
    given, rest = take_globals([*words, "status", "-v"])

    assert given.home().state == state
    assert rest == ["status", "-v"]


@pytest.mark.parametrize("words", [["--home", "/x", "--system"], ["--system", "--user"]])
def test_two_homes_are_one_too_many(words: list[str]) -> None:
    given, _rest = take_globals([*words, "status"])

    with pytest.raises(UsageError, match="exclude each other"):
        given.home()


def test_a_relative_home_is_made_absolute() -> None:
    given, _rest = take_globals(["--home", "x", "status"])

    assert given.home().state == f"{Path.cwd()}/x/state"


def test_a_child_finds_its_master_without_the_variables_that_its_master_had(
    tmp_path: Path,
) -> None:
    job_folder = tmp_path / "runtime" / "claw" / "job"
    job_folder.mkdir(parents=True)
    env = {"HOME": str(tmp_path), "CLAW_SOCKET": f"{job_folder}/claw.sock", "CLAW_TOKEN": "t"}
    own = home.choose(env, 1000)
    Path(own.run).mkdir(parents=True)

    assert homes.choose(env, 1000, "/").run == own.run
    (tmp_path / "runtime" / "claw" / "control.sock").touch()
    found = homes.choose(env, 1000, "/")

    assert found.control_socket == f"{tmp_path}/runtime/claw/control.sock"
    assert found.state == own.state
    Path(own.control_socket).touch()
    assert homes.choose(env, 1000, "/").run == own.run
