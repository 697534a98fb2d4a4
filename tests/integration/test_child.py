"""What a child is made as: its user, limits, environment and the rest; and a failing step."""

import grp
import os
import pwd
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import process
from claw.supervisor import machine
from tests.kit import supervision
from tests.kit.supervision import Bench, Supervised, ladder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
NOBODY = 65534
SHOW_USER = "grep -E '^(Uid|Gid|Groups|CapPrm|CapEff|CapAmb):' /proc/self/status"
"""Real, effective, saved and file system ids, and all that could win others back."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def output_of(supervised: Supervised) -> str:
    ended = supervised.wait_for("ended")
    assert ended["why"] == "exit", supervised.lines()
    return supervised.output().decode()


def failure_of(supervised: Supervised) -> dict[str, Any]:
    assert supervised.wait_for("ended")["why"] == "spawn"
    [failed] = supervised.of("spawn_failed")
    return failed


def test_whatever_goes_wrong_before_the_program_is_named_with_its_step(bench: Bench) -> None:
    failed = failure_of(bench.launch(["true"], umask=1 << 40))

    assert failed["stage"] == "umask"
    assert failed["error"].startswith("OverflowError: ")


# -- users -------------------------------------------------------------------------------


@as_root
def test_a_child_becomes_its_user_for_good(bench: Bench) -> None:
    child = bench.launch(shell(SHOW_USER), identity=[NOBODY, NOBODY, [4, 24, NOBODY]], cwd="/")

    shown = dict(line.split(":", 1) for line in output_of(child).splitlines())
    assert shown["Uid"].split() == shown["Gid"].split() == [str(NOBODY)] * 4
    assert shown["Groups"].split() == ["4", "24", str(NOBODY)]
    assert {shown[key].strip("\t0") for key in ("CapPrm", "CapEff", "CapAmb")} == {""}


@as_root
def test_a_group_without_a_user_is_taken_by_root_too(bench: Bench) -> None:
    child = bench.launch(shell(SHOW_USER), identity=[0, 4, [4]])

    shown = dict(line.split(":", 1) for line in output_of(child).splitlines())
    assert (shown["Uid"].split(), shown["Gid"].split()) == (["0"] * 4, ["4"] * 4)
    assert shown["Groups"].split() == ["4"]


@as_root
def test_a_childs_outputs_can_be_opened_by_its_user(bench: Bench) -> None:
    child = bench.launch(
        shell("echo one; echo two > /dev/stdout; echo three > /dev/stderr"),
        cwd="/",
        identity=[NOBODY, NOBODY, [NOBODY]],
    )

    assert output_of(child) == "one\ntwo\nthree\n"


@as_root
def test_the_folder_is_entered_as_the_user(bench: Bench, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    child = bench.launch(["true"], cwd=str(closed), identity=[NOBODY, NOBODY, [NOBODY]])

    failed = failure_of(child)
    assert (failed["stage"], failed["error"]) == (f"chdir to {closed}", "Permission denied")


def test_a_home_that_is_not_there_is_noted_and_no_failure(bench: Bench) -> None:
    child = bench.launch(["pwd"], cwd="/no/such/home", cwd_or_root=True)

    assert output_of(child) == "/\n"
    assert (
        child.of("note")[0]["text"] == "it runs in /, since its home /no/such/home is not there"
    )


def test_a_home_that_is_not_there_is_noted_whatever_size_files_may_have(bench: Bench) -> None:
    child = bench.launch(
        ["pwd"], cwd="/no/such/home", cwd_or_root=True, limits={"fsize": [0, 0]}
    )

    assert output_of(child) == "/\n"
    [note] = child.of("note")
    assert note["text"] == "it runs in /, since its home /no/such/home is not there"
    assert not child.of("spawn_failed")


def test_a_failure_after_a_home_that_is_not_there_is_told_too(bench: Bench) -> None:
    child = bench.launch(["/no/such"], cwd="/no/such/home", cwd_or_root=True)

    assert failure_of(child)["stage"] == "exec"
    assert len(child.of("note")) == 1


def test_a_program_that_is_not_there_is_told_whatever_size_files_may_have(bench: Bench) -> None:
    assert failure_of(bench.launch(["/no/such"], limits={"fsize": [0, 0]}))["stage"] == "exec"


def test_a_user_that_cannot_be_taken_names_the_step(bench: Bench) -> None:
    if os.geteuid() == 0:
        pytest.skip("root can take any user")
    child = bench.launch(["true"], identity=[0, 0, [0]])

    failed = failure_of(child)

    assert (failed["stage"], failed["error"]) == ("setgroups", "Operation not permitted")


# -- limits and rights ---------------------------------------------------------------------


def test_limits_are_set_and_reset_nothing_else(bench: Bench) -> None:
    script = "ulimit -Sn; ulimit -Hn; ulimit -Sc; ulimit -Ss"
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]

    child = bench.launch(shell(script), limits={"nofile": [100, 200], "core": [0, 0]})

    shown = "unlimited" if stack < 0 else str(stack // 1024)
    assert output_of(child).split() == ["100", "200", "0", shown]


def test_a_limit_of_file_size_does_not_hit_the_journal(bench: Bench) -> None:
    child = bench.launch(
        shell("trap '' XFSZ; echo x > file || echo refused"), limits={"fsize": [0, 0]}
    )

    assert output_of(child).endswith("refused\n")
    assert child.of("started")


def test_a_limit_that_cannot_be_set_names_itself_and_the_one_there_is(bench: Bench) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 0 or _may_raise(hard):
        pytest.skip("this process may raise its hard limits")

    failed = failure_of(bench.launch(["true"], limits={"nofile": [hard + 1, hard + 1]}))

    assert failed["stage"] == "limits: nofile"
    assert failed["error"].endswith(f"it is {hard}")


def _may_raise(hard: int) -> bool:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard + 1))
    except (ValueError, OSError):
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return True


def test_nice_umask_privileges_and_the_oom_score_are_as_asked(bench: Bench) -> None:
    script = "nice; umask; grep NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj"

    child = bench.launch(
        shell(script), nice=7, umask=0o027, no_new_privs=True, oom_score_adj=300
    )
    plain = bench.launch(shell(script))

    assert output_of(child).split() == ["7", "0027", "NoNewPrivs:", "1", "300"]
    assert output_of(plain).split()[2:] == ["NoNewPrivs:", "0", "0"]


# -- environment ---------------------------------------------------------------------------


def test_an_env_file_is_read_before_each_start_beneath_the_jobs_own_values(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "env"
    path.write_text("A=file1\nB=file\nPATH2=x\n")
    child = bench.launch(
        shell('echo $A $B $C; echo A=file2 > env; test "$A" = file2'),
        env={"PATH": os.environ["PATH"], "B": "own"},
        env_beneath={"A": "beneath", "C": "beneath"},
        env_file=str(path),
        restart=ladder(policy="on-failure"),
    )

    assert output_of(child) == "file1 own beneath\nfile2 own beneath\n"


@as_root
def test_a_child_that_a_signal_ends_before_its_program_begins_could_not_be_started(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "long"
    path.write_text("A=1\n" * (1 << 18))  # it takes a while to be read
    child = bench.launch(["true"], env_file=str(path))
    forked = child.wait_until(lambda: process.children_of(child.pid), "child")
    assert process.kill(forked[0], 9)

    failed = failure_of(child)

    assert failed["error"] == "signal 9 ended it before its program began"
    assert child.of("exited")[0]["signal"] == 9


def test_an_env_file_may_be_closed_to_the_jobs_user(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=secret\n")
    path.chmod(0o600)

    child = bench.launch(
        shell("echo $A"), cwd="/", env_file=str(path), identity=[NOBODY, NOBODY, [NOBODY]]
    )

    assert output_of(child) == "secret\n"


@pytest.fixture
def users_folder() -> Iterator[Path]:
    """Yield a folder of the user nobody."""
    with tempfile.TemporaryDirectory() as name:
        os.chown(name, NOBODY, NOBODY)
        yield Path(name)


@as_root
@pytest.mark.parametrize("way", ["link", "folder-link", "hard-link"])
def test_a_user_cannot_have_one_of_roots_files_read_as_the_env_file(
    bench: Bench, tmp_path: Path, users_folder: Path, way: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("A=secret\n")
    secret.chmod(0o600)
    path = users_folder / "env"
    if way == "link":
        path.symlink_to(secret)
    elif way == "folder-link":
        (users_folder / "to").symlink_to(tmp_path)
        path = users_folder / "to/secret"
    else:
        try:
            path.hardlink_to(secret)
        except OSError:
            pytest.skip("two file systems")

    child = bench.launch(
        shell("echo $A"), cwd="/", env_file=str(path), identity=[NOBODY, NOBODY, [NOBODY]]
    )

    failed = failure_of(child)
    assert (failed["stage"], failed["error"]) == (f"env_file {path}", "Permission denied")
    assert child.output() == b""


@as_root
def test_a_users_own_env_file_is_read_as_that_user(bench: Bench, users_folder: Path) -> None:
    path = users_folder / "env"
    path.write_text("A=own\n")
    path.chmod(0o600)
    os.chown(path, NOBODY, NOBODY)

    child = bench.launch(
        shell(f"echo $A; {SHOW_USER}"),
        cwd="/",
        env_file=str(path),
        identity=[NOBODY, NOBODY, [4, NOBODY]],
    )

    shown = output_of(child)
    assert shown.startswith("own\n")
    assert "Uid:\t65534\t65534\t65534\t65534" in shown


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, "No such file or directory"), ("A\n", "line 1: NAME=value is expected")],
)
def test_an_env_file_that_fails_is_a_step_of_its_own(
    bench: Bench, tmp_path: Path, content: str | None, error: str
) -> None:
    path = tmp_path / "env"
    if content is not None:
        path.write_text(content)

    failed = failure_of(bench.launch(["true"], env_file=str(path)))

    assert (failed["stage"], failed["error"]) == (f"env_file {path}", error)


def test_a_service_is_tried_again_when_its_env_file_is_there(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "env"
    child = bench.launch(
        shell("echo $A"), env_file=str(path), restart=ladder(policy="on-failure")
    )
    child.wait_for("restarting")

    path.write_text("A=now\n")

    assert output_of(child) == "now\n"
    assert child.of("restarting")[0]["delay_s"] >= machine.SPAWN_FAILURE_DELAY_S


def test_the_machine_has_the_users_that_these_tests_take() -> None:
    assert pwd.getpwuid(NOBODY).pw_name == "nobody"
    assert grp.getgrgid(4).gr_name
