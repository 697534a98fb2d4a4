"""claw as people get it: a wheel, built here and installed into a place of its own."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.kit.sources import ROOT

PATIENCE_S = 120.0
SHARED = {
    "bash-completion/completions/clawctl": "completions/clawctl.bash",
    "zsh/site-functions/_clawctl": "completions/_clawctl",
    "fish/vendor_completions.d/clawctl.fish": "completions/clawctl.fish",
}

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("hatchling", "pip")),
    reason="not installed: hatchling or pip",
)


def _run(*argv: object, cwd: Path = Path("/")) -> str:
    environ = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ
    }
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it; other packages are those of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("claw-*.whl")
    place = folder / "venv"
    venv.create(place, symlinks=True)
    _run(*pip, "--python", place / "bin/python", "install", "--no-deps", "--no-compile", wheel)
    (site,) = place.glob("lib/python3*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


def test_it_puts_pages_and_completions_where_they_are_looked_for(place: Path) -> None:
    share = place / "share"
    pages = {path.relative_to(ROOT / "man"): path for path in (ROOT / "man").glob("man?/*")}
    assert len(pages) > 15

    wanted = {name: ROOT / source for name, source in SHARED.items()}
    wanted |= {f"man/{name}": path for name, path in pages.items()}
    for name, source in wanted.items():
        assert (share / name).read_text() == source.read_text()


def test_the_program_has_pages_and_completions_of_its_own(place: Path) -> None:
    clawctl = place / "bin/clawctl"
    code = "import claw; print(claw.__file__)"
    assert str(place) in _run(place / "bin/python", "-c", code)

    for shell, name in (
        ("bash", "clawctl.bash"),
        ("zsh", "_clawctl"),
        ("fish", "clawctl.fish"),
    ):
        assert _run(clawctl, "completion", shell) == (ROOT / "completions" / name).read_text()
    assert _run(clawctl, "man", "runs").startswith("CLAWCTL-RUNS(1)")
    assert _run(clawctl, "man", "claw.toml").startswith("CLAW.TOML(5)")
    assert _run(clawctl, "man", "jobs").startswith("CLAW-JOBS(7)")
    assert "--check" in _run(place / "bin/clawd", "--help")
