import os
from pathlib import Path

from claw.cli import masters
from claw.cli.console import places
from claw.cli.masters import Project
from claw.errors import ConfigError, ConflictError
from claw.kernel import files
from claw.model import home

OLD, NEW = "r06gvs41ntpo3v0q0rqm0a097hj", "r06gvs41ntpo3v0q0rqm0a097hk"


def test_output_goes_on_from_where_each_file_stands(tmp_path: Path) -> None:
    place = home.at_folder(str(tmp_path))
    for name, text in (("web/out.log", "12345"), (f"tick/{OLD}.out", "1"),
                       (f"tick/{NEW}.out", "123"), (f"tick/{NEW}.err", "12")):  # fmt: skip
        path = tmp_path / "log" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def inode(name: str) -> int:
        return (tmp_path / "log" / name).stat().st_ino

    assert places(place, ["web", "tick", "new"]) == [
        f"web/out.log:{inode('web/out.log')}:5",
        "web/err.log:0:0",
        "web/r0:0:0",
        "tick/out.log:0:0",
        "tick/err.log:0:0",
        f"tick/{NEW}.err:{inode(f'tick/{NEW}.err')}:2",
        f"tick/{NEW}.out:{inode(f'tick/{NEW}.out')}:3",
        "new/out.log:0:0",
        "new/err.log:0:0",
        "new/r0:0:0",
    ]


def test_a_project_is_kept_beside_its_file(tmp_path: Path) -> None:
    project = Project(f"{tmp_path}/jobs.toml", ["web"])

    project.save()

    kept = masters.project_of(project.home)
    assert kept is not None
    assert (kept.file, kept.folder, kept.targets) == (project.file, str(tmp_path), ("web",))
    assert (tmp_path / ".claw/.gitignore").read_text() == "*\n"
    assert (tmp_path / ".claw").stat().st_mode & 0o777 == 0o700


def test_a_home_that_no_up_has_made_is_no_project(tmp_path: Path) -> None:
    assert masters.project_of(home.at_folder(f"{tmp_path}/.claw")) is None


def test_the_master_of_a_home_is_who_has_its_lock_open(tmp_path: Path) -> None:
    place = home.at_folder(str(tmp_path))
    (tmp_path / "state").mkdir()
    before = masters.running_pid(place)

    fd = files.open_lock(place.master_lock)
    os.write(fd, f"{os.getpid()}\n".encode())
    during = masters.running_pid(place)
    os.close(fd)
    after = masters.running_pid(place)

    assert (before, during, after) == (None, os.getpid(), None)


def test_a_process_that_has_gone_has_ended() -> None:
    pid = os.posix_spawn("/bin/true", ["true"], {})

    assert masters.await_end(pid, lambda: None, 20)
    os.waitpid(pid, 0)
    assert masters.await_end(pid, lambda: None, 20)
    assert not masters.await_end(os.getpid(), lambda: None, 0.01)


def test_what_clawd_refused_is_told_as_the_error_it_was() -> None:
    mistakes = masters._refusal("a.toml:1: x: no\na.toml:2: y: no\n", 2)
    other = masters._refusal("clawd: another clawd (pid 7) runs this home\n", 1)
    silent = masters._refusal("", 1)

    assert isinstance(mistakes, ConfigError)
    assert mistakes.diagnostics == ("a.toml:1: x: no", "a.toml:2: y: no")
    assert isinstance(other, ConflictError)
    assert other.message == "another clawd (pid 7) runs this home"
    assert silent.message == "clawd ended with status 1"


def test_a_home_is_told_to_clawd_as_it_was_meant(tmp_path: Path) -> None:
    folder = home.at_folder(str(tmp_path))
    Project(f"{tmp_path}/claw.toml", ["a", "b"]).save()
    project = Project(f"{tmp_path}/claw.toml").home

    assert masters._options(folder) == ["--home", str(tmp_path)]
    assert masters._options(home.of_system()) == ["--system"]
    assert masters._options(home.of_user({"HOME": "/home/x"})) == ["--user"]
    assert masters._options(project) == [
        "--home", f"{tmp_path}/.claw", "--config", f"{tmp_path}/claw.toml",
        "--only", "a", "--only", "b",
    ]  # fmt: skip
