"""What a daemon tells of itself, seen by a user: figures, what is wrong with it, its log."""

import json
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
    ended = {"job_name": "good", "state": "succeeded"}

    text = ctl("metrics").out
    assert figure(text, "claw_runs_total", **ended) == 1
    assert figure(text, "claw_job_up", job_name="web") == 1
    assert ctl("metrics", "--json").json["text"].startswith("# HELP claw_")

    claw.wait_until(lambda: "claw.prom is not written: No such file" in claw.stderr, "a word")
    assert "claw.prom is not written: No such file" in ctl("doctor", "-p", status=1).out
    file.parent.mkdir()
    claw.wait_until(lambda: has(file, "claw_runs_total", 1, **ended), "the file")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert {one.name for one in file.parent.iterdir()} <= {"claw.prom", ".claw.prom.new"}
    assert claw.stderr.count("is not written") == 1

    claw.restart()
    ctl("run", "good", "--wait")
    assert figure(ctl("metrics").out, "claw_runs_total", **ended) == 2
    claw.wait_until(lambda: has(file, "claw_runs_total", 2, **ended), "the next file")


def test_doctor_looks_with_a_daemon_and_without(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw: MasterUnderTest = start_master(CONFIG.format(tmp=tmp_path))
    ctl = Shell(claw.environment)

    found = {one["check"]: one for one in ctl("doctor", "--json", status=None).json["findings"]}
    assert found["daemon"]["text"].startswith(f"pid {claw.pid}, ")
    assert found["database"]["level"] == found["journals"]["level"] == "pass"
    assert found["supervisors"]["text"] == "1 at work, all answer"
    assert "folders" not in ctl("doctor", "-p", status=None).out

    claw.kill()
    said = ctl("doctor", status=1)
    assert said.lines[0].split() == ["FAIL", "daemon", "no", "daemon", "runs"]
    assert said.lines[1].strip().startswith("-> clawctl daemon start")
    assert "1 supervisors run without a daemon" in said.out
    claw.start()


def test_the_form_of_the_log_changes_with_a_reload(start_master: StartMaster) -> None:
    claw: MasterUnderTest = start_master('[daemon]\nlog_level = "debug"\n')
    log = Path(claw.home.daemon_log)
    claw.configure('[daemon]\nlog_format = "json"\nlog_level = "info"\n')
    claw.ctl("reload")
    claw.restart()
    lines = log.read_text().splitlines()

    assert lines[0].startswith("20")
    said = [json.loads(line) for line in lines if line.startswith("{")]
    assert any(one["text"].endswith("0 jobs, 0 supervisors adopted") for one in said)
    assert lines[-1].startswith("{")


def test_a_log_folder_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure("")
    (tmp_path / "home" / "log").write_text("a file")

    said = Shell(claw.environment)("daemon", "start", status=1)
    assert "log' is no folder: move it away" in said.fault


def test_a_lost_file_of_the_audit_log_is_told_until_it_was_seen_to(
    start_master: StartMaster,
) -> None:
    claw: MasterUnderTest = start_master('[jobs.a]\ncommand = "true"\n')
    ctl, log = Shell(claw.environment), Path(claw.home.audit_log)
    ctl("pause", "a")
    log.rename(log.with_name("audit-1.log"))
    ctl("resume", "a")
    (log.with_name("audit-1.log")).unlink()

    def said() -> dict[str, str]:
        findings = ctl("doctor", "--json", status=None).json["findings"]
        found: dict[str, str] = next(one for one in findings if one["check"] == "audit log")
        return found

    lost = said()
    assert lost["level"] == "fail"
    words = lost["fix"].rpartition("clawctl audit seen ")[2].split()
    assert "has the mark 'none'" in ctl("audit", "seen", "none", status=4).fault
    assert said()["level"] == "fail"

    assert "the file that it follows is gone" in ctl("audit", "seen", *words).out
    assert said()["level"] == "pass"
    assert f'"marks":["{words[0]}"]' in log.read_text()

    log.with_name("audit-2.log.gz").write_bytes(b"\x1f\x8b\x08")
    damaged = said()
    assert "audit-2.log.gz: damaged since it was packed" in damaged["text"]
    words = damaged["fix"].rpartition("clawctl audit seen ")[2].split()
    assert "damaged since it was packed" in ctl("audit", "seen", *words).out
    assert said()["level"] == "pass"
