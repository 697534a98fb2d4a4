"""Command lines completed in real shells, on terminals of their own, beside a daemon."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit import shells
from tests.kit.master import MasterUnderTest
from tests.kit.shells import ROOT, ShellUnderTest

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
instances = 2
autostart = false
tags = ["site"]

[jobs.worker]
command = "true"

[pools.heavy]
slots = 2
"""
FRAMEWORK = Path("/usr/share/bash-completion/bash_completion")
Begin = Callable[[Path, dict[str, str]], ShellUnderTest]


def _plain_bash(folder: Path, environ: dict[str, str]) -> ShellUnderTest:
    return shells.bash(folder, environ, f"source {ROOT}/completions/clawctl.bash")


def _bash_with_its_framework(folder: Path, environ: dict[str, str]) -> ShellUnderTest:
    place = folder / "data/bash-completion/completions"
    place.mkdir(parents=True)
    (place / "clawctl").write_text((ROOT / "completions/clawctl.bash").read_text())
    own = {**environ, "XDG_DATA_HOME": str(folder / "data")}
    return shells.bash(folder, own, f"source {FRAMEWORK}")


SHELLS: dict[str, tuple[str, Begin]] = {
    "bash": ("bash", _plain_bash),
    "bash-completion": ("bash", _bash_with_its_framework),
    "zsh": ("zsh", shells.zsh),
    "fish": ("fish", shells.fish),
}


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A daemon with two jobs and a run."""
    one = MasterUnderTest(tmp_path_factory.mktemp("home"))
    one.configure(CONFIG)
    one.start()
    yield one
    one.end()


@pytest.fixture(params=SHELLS)
def shell(
    request: pytest.FixtureRequest, tmp_path: Path, master: MasterUnderTest
) -> Iterator[ShellUnderTest]:
    """One of the shells, in which ``clawctl`` is found and means the daemon."""
    name, begin = SHELLS[request.param]
    if not shells.has(name):
        pytest.skip(f"there is no {name} here")
    if begin is _bash_with_its_framework and not FRAMEWORK.exists():
        pytest.skip("there is no bash-completion here")
    environ = {
        "PATH": f"{shells.program(tmp_path / 'bin')}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "CLAW_HOME": str(master.folder),
    }
    with begin(tmp_path, environ) as one:
        yield one


def test_a_line_is_completed(shell: ShellUnderTest, master: MasterUnderTest) -> None:
    run = master.client.call("run.submit", job="worker")["run"]
    offered = shell.offered

    commands = offered("clawctl st", "status", "start", "stop")
    assert "scale" not in commands
    offered("clawctl stop ", "web", "worker", "tag:")
    offered("clawctl run worker --priority ", "critical", "low")

    for line, words in (
        ("clawctl stat", "clawctl status"),
        ("clawctl stop wo", "clawctl stop worker"),
        (f"clawctl runs show {run[-6:-2]}", f"clawctl runs show {run[-6:]}"),
        ("clawctl run worker --prio", "clawctl run worker --priority"),
        ("clawctl run worker --priority h", "clawctl run worker --priority high"),
        ("clawctl run worker --priority=h", "clawctl run worker --priority=high"),
        ("clawctl status tag:s", "clawctl status tag:site"),
        ("clawctl status web@2", "clawctl status web@2"),
        ("clawctl scale we", "clawctl scale web="),
        ("clawctl ls wo", "clawctl ls worker"),
        ("clawctl pool se", "clawctl pool set"),
        ("clawctl pool set he", "clawctl pool set heavy"),
        ("clawctl signal HU", "clawctl signal HUP"),
        ("clawctl help stat", "clawctl help status"),
    ):
        assert shell.completed(line) == words.split(), line


def test_the_daemon_that_is_meant_is_asked(
    shell: ShellUnderTest, master: MasterUnderTest, tmp_path: Path
) -> None:
    away = tmp_path / "away"

    before = f"clawctl --home {master.folder} --json stop"
    assert shell.completed(f"{before} wo") == [*before.split(), "worker"]
    before = f"clawctl --home {away} stop"
    assert shell.completed(f"{before} wo") == [*before.split(), "wo"]  # and not a word more


def test_what_is_no_name_is_left_to_the_shell(shell: ShellUnderTest, tmp_path: Path) -> None:
    (tmp_path / "claw-of-mine.toml").touch()

    for line, rest in (("clawctl config validate -f claw-of", "-mine.toml"),
                       ("clawctl run -- mktem", "p")):  # fmt: skip
        assert shell.completed(line) == f"{line}{rest}".split()


def test_names_are_put_in_as_words_and_never_as_commands(
    shell: ShellUnderTest, master: MasterUnderTest, tmp_path: Path
) -> None:
    """Keys may be any text, and those who claim them are not those who complete them."""
    seen = tmp_path / "seen"
    begin = os.urandom(4).hex()
    master.client.call("idem.claim", key=f"{begin};touch${{IFS}}{seen};")

    assert len(shell.completed(f"clawctl idem check {begin}")) == 4
    shell.type(f"clawctl idem check {begin}{shells.TAB}\r")
    shell.wait_for("claimed by", shells.PROMPT)

    assert not seen.exists()
