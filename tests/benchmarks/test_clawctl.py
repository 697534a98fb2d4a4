"""How long people wait for ``clawctl``: status, help, and a shell that completes a name.

Each figure is the least of several: what else the machine does only ever adds to it. Of what
waits for nobody the processor time is taken, which is what it takes on an idle machine.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kit.clawctl import ROOT
from tests.kit.master import StartMaster

pytestmark = pytest.mark.benchmark
JOBS = 1000
TIMES = 15
CLAWCTL = (
    "import sys; sys.path.insert(0, {root!r}); from claw.cli.main import main; sys.exit(main())"
)


class Cost(NamedTuple):
    """The least that a command has taken, in milliseconds."""

    waited: float
    worked: float


def _cost(argv: Sequence[str], environ: dict[str, str]) -> Cost:
    waited, worked = [], []
    for _ in range(TIMES):
        begun, before = time.perf_counter(), _children_s()
        subprocess.run(argv, env=environ, stdout=subprocess.DEVNULL, check=True)
        waited.append(time.perf_counter() - begun)
        worked.append(_children_s() - before)
    return Cost(min(waited) * 1000, min(worked) * 1000)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture(name="clawctl")
def _clawctl(tmp_path: Path) -> list[str]:
    """The program as an installed one is started: a script of a few lines."""
    script = tmp_path / "clawctl"
    script.write_text(CLAWCTL.format(root=str(ROOT)))
    return [sys.executable, str(script)]


def test_clawctl_is_quick(start_master: StartMaster, clawctl: list[str]) -> None:
    jobs = "".join(
        f'[jobs.job{number:04}]\ncommand = "true"\ntags = ["t{number % 50}"]\n'
        for number in range(JOBS)
    )
    master = start_master(jobs)
    environ = {**os.environ, "CLAW_HOME": str(master.folder), "NO_COLOR": "1"}
    bare = _cost([sys.executable, "-c", "pass"], environ)
    figures = {
        " ".join(words): _cost([*clawctl, *words], environ)
        for words in (
            ["status"], ["stop", "--help"], ["run", "--help"], ["--help"],
            ["_complete", "jobs", ""], ["_complete", "jobs", "job0"],
            ["_complete", "targets", "job00"], ["_complete", "tags", ""],
            ["_complete", "runs", ""],
        )
    }  # fmt: skip

    print(f"\nwith {JOBS} jobs, ms waited and worked:")
    for words, cost in {"(bare python)": bare, **figures}.items():
        print(f"  clawctl {words:26} {cost.waited:5.0f} {cost.worked:5.0f}")
    helps = [cost.worked for words, cost in figures.items() if words.endswith("--help")]
    names = [cost.waited for words, cost in figures.items() if words.startswith("_comp")]
    assert max(helps) <= 60
    assert max(names) <= 100


def test_a_bare_status_takes_three_times_as_long_as_an_interpreter_at_most(
    start_master: StartMaster, clawctl: list[str]
) -> None:
    master = start_master('[jobs.web]\ncommand = "true"\n')
    environ = {**os.environ, "CLAW_HOME": str(master.folder)}

    bare = _cost([sys.executable, "-c", "pass"], environ)
    status = _cost([*clawctl, "status"], environ)

    print(f"\nbare python {bare}\nclawctl status {status}: {status.worked / bare.worked:.1f} x")
    assert status.worked <= 3 * bare.worked
