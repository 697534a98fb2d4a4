"""What a daemon tells of itself, seen by a user: figures."""

import stat
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families as parse

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster

CONFIG = """
[daemon]
metrics_file = "{tmp}/out/claw.prom"
metrics_interval = "1s"

[jobs.good]
command = "true"

[jobs.web]
type = "continuous"
command = "exec sleep 600"
"""


def figure(text: str, name: str, **labels: str) -> float:
    """Return one figure of a text of metrics."""
    [value] = [
        sample.value
        for family in parse(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return value


def has(path: Path, name: str, value: float, **labels: str) -> bool:
    """Tell whether a file of metrics is there and has this figure."""
    return path.exists() and figure(path.read_text(), name, **labels) == value


def test_figures_are_shown_and_written_and_survive_a_killed_daemon(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw: MasterUnderTest = start_master(CONFIG.format(tmp=tmp_path))
    ctl, file = Shell(claw.environment), tmp_path / "out" / "claw.prom"
    ctl("run", "good", "--wait")
    ended = {"job": "good", "state": "succeeded"}

    text = ctl("metrics").out
    assert figure(text, "claw_runs_total", **ended) == 1
    assert figure(text, "claw_job_up", job="web") == 1
    assert ctl("metrics", "--json").json["text"].startswith("# HELP claw_")

    claw.wait_until(lambda: "claw.prom is not written: No such file" in claw.stderr, "a word")
    file.parent.mkdir()
    claw.wait_until(lambda: has(file, "claw_runs_total", 1, **ended), "the file")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert {one.name for one in file.parent.iterdir()} <= {"claw.prom", ".claw.prom.new"}
    assert claw.stderr.count("is not written") == 1

    claw.restart()
    ctl("run", "good", "--wait")
    assert figure(ctl("metrics").out, "claw_runs_total", **ended) == 2
    claw.wait_until(lambda: has(file, "claw_runs_total", 2, **ended), "the next file")
