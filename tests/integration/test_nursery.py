"""What tests start as a child of a warm interpreter is as what a user starts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kit import nursery, patience
from tests.kit.clawctl import ROOT, Shell, command_line

ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(
    "words",
    [
        ("version",),
        ("status",),
        ("nosuch",),
        ("config", "validate", "-f", "bad.toml"),
        ("clawd", "--check"),
        ("clawd", "--nosuch"),
    ],
    ids=" ".join,
)
def test_it_says_and_ends_as_the_true_program(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[jobs.a]\ncomand = 3\n")
    environ = {**ENVIRON, "CLAW_HOME": str(tmp_path / "home")}

    forked = nursery.run(["claw", *words], cwd=tmp_path, environ=environ, patience_s=60)

    true = subprocess.run(
        command_line(words), cwd=tmp_path, env=environ, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (forked.returncode, forked.stdout) == (true.returncode, true.stdout)
    assert forked.stderr == true.stderr


def test_it_has_its_own_arguments_environment_folder_session_and_few_descriptors(
    tmp_path: Path,
) -> None:
    (tmp_path / "told.py").write_text(
        "import os, sys\n"
        "assert os.getsid(0) == os.getpid()\n"
        "assert sys.stdin.read() == ''\n"
        "print(sys.argv[1:], sys.orig_argv[1:], os.environ['MORE'], 'LESS' in os.environ)\n"
        "print(os.getcwd(), sorted(map(int, os.listdir('/proc/self/fd'))), file=sys.stderr)\n"
        "shown = open('/proc/self/environ').read().strip(chr(0)).split(chr(0))\n"
        "assert shown == [f'{name}={value}' for name, value in os.environ.items()]\n"
        "sys.exit(7)\n"
    )
    environ = {**ENVIRON, "MORE": "x"}

    done = nursery.run(["told", "a", "b"], cwd=tmp_path, environ=environ, patience_s=60)

    assert done.returncode == 7
    assert done.stdout == "['a', 'b'] ['-m', 'told', 'a', 'b'] x False\n"
    assert done.stderr == f"{tmp_path} [0, 1, 2, 3]\n"  # 3 lists the folder


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("raise ValueError", 1),
        ("import atexit, os; atexit.register(lambda: os._exit(9))", 9),
    ],
)
def test_its_end_is_told_as_it_was(script: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "ending.py").write_text(script)

    done = nursery.run(["ending"], cwd=tmp_path, environ=ENVIRON, patience_s=60)

    assert done.returncode == status


def test_one_that_goes_on_is_awaited_and_killed(tmp_path: Path) -> None:
    with Shell({"CLAW_HOME": str(tmp_path)}).begin("version") as command:
        assert command.end(status=0).lines
    (tmp_path / "going.py").write_text("import time; time.sleep(600)")
    with (tmp_path / "out").open("wb") as out:
        going = nursery.begin(
            ["going"], cwd=tmp_path, environ=ENVIRON, out=out.fileno(), err=out.fileno()
        )

    with pytest.raises(subprocess.TimeoutExpired):
        going.wait(0)
    assert going.poll() is None
    going.kill()

    assert going.wait(60) == going.poll() == -9
    assert not Path(f"/proc/{going.pid}").exists()


@pytest.mark.parametrize(
    "more", [{"LC_ALL": "C"}, {"PYTHONPATH": "/else"}, {"PYTHONUTF8": "0"}]
)
def test_another_interpreter_is_started_truly(more: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text("import sys; print(*sys.modules)")

    done = nursery.run(["told"], cwd=tmp_path, environ={**ENVIRON, **more}, patience_s=60)

    assert "trio" not in done.stdout.split()


def test_a_nursery_ends_with_its_owner() -> None:
    code = (
        "import os\nfrom pathlib import Path\nfrom tests.kit import nursery\n"
        "nursery.run(['this'], cwd=Path('/'), environ=os.environ, patience_s=60)\n"
        "[one] = nursery._nurseries.values()\n"
        "print(one._process.pid, one.path)\n"
        "os._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=ENVIRON, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip

    pid, path = done.stdout.split()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not Path(path).exists()


def test_a_thin_command_line_ends_as_its_child_and_its_child_with_it(tmp_path: Path) -> None:
    warm = nursery.Nursery(nursery.COMMANDS)
    words = [sys.executable, "-I", "-S", str(ROOT / "tests/kit/thin.py"), warm.path]
    environ = {**ENVIRON, "CLAW_HOME": str(tmp_path)}
    try:
        done = subprocess.run(
            [*words, "status"], env=environ, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (7, "")
        assert done.stderr.startswith("clawctl: the daemon is not running")
        for number in (signal.SIGTERM, signal.SIGKILL):
            with subprocess.Popen([*words, "shell"], env=environ, stdin=subprocess.PIPE) as one:
                child = patience.until(lambda: _children_of(warm), lambda: "no child")
                one.send_signal(number)
                assert one.wait(60) == -number
            assert patience.await_end(child)
            patience.until(lambda: not _children_of(warm), lambda: "still a child")
    finally:
        warm.close()


def _children_of(warm: nursery.Nursery) -> int:
    """Return the one child of a nursery that is there, or 0."""
    pid = warm._process.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else 0
