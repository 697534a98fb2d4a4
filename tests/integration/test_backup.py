"""Backups as people make them, while runs go on, and homes that are made of them again."""

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from claw.kernel import files
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster

BUSY = """
[jobs.web]
command = "sleep 600"
type = "continuous"

[jobs.short]
argv = ["/bin/sh", "-c", "echo $CLAW_RUN_ID >> MARKS"]
max_instances = 8
max_queued = 1000

[jobs.held]
command = "sleep 600"
"""


def backup_of(ctl: Shell, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = ctl("backup", "create", "--json", *words).json
    return made


def test_a_backup_under_load_makes_a_home_in_which_nothing_is_lost_and_nothing_runs_twice(
    start_master: StartMaster, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    claw = start_master(BUSY.replace("MARKS", str(marks)))
    ctl = Shell(claw.environment)
    first = claw.wait_state("web", "running")["pid"]
    asked = [claw.submit("short") for _ in range(40)]
    claw.wait_until(marks.exists, "a first run")

    made = backup_of(ctl)  # some of them wait, some run, some are over

    asked += [claw.submit("short") for _ in range(20)]
    for run in asked:
        assert claw.ended(run)["state"] == "succeeded"
    begun = marks.read_text().split()
    assert Counter(begun) == dict.fromkeys(asked, 1)
    known = {run["id"]: run["state"] for run in claw.runs()}

    claw.kill()  # the service goes on
    said = ctl("backup", "restore", made["backup"]["id"], status=1)
    assert "1 runs go on in this home without a daemon" in said.fault
    said = ctl("backup", "restore", made["backup"]["id"], "--force")
    assert "what was there is in " in said.out
    claw.start()

    assert claw.job("web")["pid"] == first  # adopted as it was
    after = {run["id"]: run["state"] for run in claw.runs()}
    lost = {run for run in known if run not in after}
    assert not lost  # whatever began since is told by the journals
    claw.wait_until(lambda: claw.runs_open() == 1, "an end of all but the service")
    assert {run: after[run] for run in asked} == dict.fromkeys(asked, "succeeded")
    assert Counter(marks.read_text().split()) == dict.fromkeys(asked, 1)


def test_a_copy_in_another_home_leaves_the_runs_of_the_first_alone_and_calls_them_over(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(BUSY.replace("MARKS", "/dev/null"))
    ctl = Shell(claw.environment)
    held = claw.submit("held")
    claw.wait_state("held", "running")
    done = claw.submit("short")
    assert claw.ended(done)["state"] == "succeeded"
    web = claw.wait_state("web", "running")["pid"]
    made = backup_of(ctl, "--to", str(tmp_path / "elsewhere"))
    file = f"{made['place']}/{made['backup']['name']}"

    other = MasterUnderTest(tmp_path / "other")
    try:
        said = Shell(other.environment)("backup", "restore", file)
        assert "the backup is of another home" in said.err
        other.start()
        states = {run["id"]: run["state"] for run in other.runs()}
        assert (states[done], states[held]) == ("succeeded", "crashed")
        mine = other.wait_state("web", "running")["pid"]
        assert (mine, claw.job("web")["pid"]) == (mine, web)
        assert mine != web
        assert claw.job("held")["state"] == "running"
    finally:
        other.end()


def test_a_home_that_is_gone_comes_back_with_all_that_was_kept(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(BUSY.replace("MARKS", "/dev/null"))
    ctl = Shell(claw.environment)
    ctl("job", "add", "mine", "--", "true")
    over = claw.submit("short")
    assert claw.ended(over)["state"] == "succeeded"
    ctl("pause", "short")
    made = backup_of(ctl, "--to", str(tmp_path / "disk"))
    claw.end()
    config = (claw.folder / "config" / "claw.toml").read_text()
    for name in ("config", "state", "log", "run"):
        shutil.rmtree(claw.folder / name)

    said = ctl("backup", "list", "--from", str(tmp_path / "disk"), "--json")
    assert [one["id"] for one in said.json["backups"]] == [made["backup"]["id"]]
    ctl("backup", "restore", "latest", "--from", str(tmp_path / "disk"))
    claw.start()

    assert (claw.folder / "config" / "claw.toml").read_text() == config
    assert claw.job("mine")["state"] == "stopped"
    assert [run["id"] for run in claw.runs("short")] == [over]
    assert claw.job("short")["state"] == "paused"
    assert claw.wait_state("web", "running")
    assert '"backup.restore"' in (claw.folder / "log" / "audit.log").read_text()
    found = ctl("doctor", "--json", status=None).json["findings"]
    assert [one["level"] for one in found if one["check"] == "audit log"] == ["pass"]


def test_what_is_no_whole_backup_changes_nothing(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(BUSY.replace("MARKS", "/dev/null"))
    ctl = Shell(claw.environment)
    made = backup_of(ctl)
    file = Path(made["place"], made["backup"]["name"])
    assert "is whole" in ctl("backup", "restore", "latest", "-n").out  # beside the daemon
    assert "the daemon runs" in ctl("backup", "restore", "latest", status=1).fault
    claw.end()

    before = sorted(path for path in claw.folder.rglob("*") if path.is_file())
    bad = tmp_path / "cut.tar.gz"
    bad.write_bytes(file.read_bytes()[:-100])
    assert str(bad) in ctl("backup", "restore", str(bad), status=1).fault
    assert "no backup 'nope'" in ctl("backup", "restore", "nope", status=4).fault
    assert sorted(path for path in claw.folder.rglob("*") if path.is_file()) == before

    (claw.folder / "state" / "restoring").write_text(f"{file}\n")  # as a kill would leave it
    said = ctl("daemon", "start", status=1)
    assert f"clawctl backup restore --force {file}" in said.fault
    ctl("backup", "restore", "--force", str(file))
    claw.start()


def test_backups_are_made_by_themselves_and_the_daemon_says_when_that_fails(
    start_master: StartMaster, tmp_path: Path
) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    claw = start_master(f'[backup]\nevery = "1s"\nto = "{place}"\nkeep = "1h"\n')
    ctl = Shell(claw.environment)

    def count() -> int:
        return len(ctl("backup", "list", "--json").json["backups"])

    left = place / ".claw-20260101T000000.000Z-0.1.0.tar.gz.new"  # by one that was killed
    left.touch()
    being_made = place / ".claw-20260102T000000.000Z-0.1.0.tar.gz.new"
    fd = files.open_lock(str(being_made))
    files.wait_lock(fd)
    claw.wait_until(lambda: count() >= 2 and not left.exists(), "two backups")
    assert being_made.exists()
    os.close(fd)
    assert "claw_backup_last_timestamp_seconds 1." in ctl("metrics").out
    shutil.rmtree(place)
    place.write_text("no folder")
    ctl("reload")

    def alerts() -> list[str]:
        return [one["kind"] for one in claw.call("alert.list")["alerts"]]

    claw.wait_until(lambda: "backup" in alerts(), "an alert")
    assert "FAIL  backups" in ctl("doctor", "-p", status=1).out
    place.unlink()
    claw.configure(f'[backup]\nevery = "2s"\nto = "{place}"\n')
    ctl("reload")
    claw.wait_until(lambda: "backup" not in alerts(), "an end of the alert")
    assert "0 removed" in ctl("backup", "prune").out


def test_older_backups_that_cannot_be_removed_are_told_as_such(
    start_master: StartMaster, tmp_path: Path
) -> None:
    place = tmp_path / "disk"
    stuck = place / "claw-20200101T000000.000Z-0.1.0.tar.gz"
    (stuck / "file").mkdir(parents=True)  # a folder of that name
    claw = start_master(f'[backup]\nevery = "1h"\nto = "{place}"\nkeep = "1h"\n')
    ctl = Shell(claw.environment)

    def alerts() -> list[str]:
        return [one["text"] for one in claw.call("alert.list")["alerts"]]

    claw.wait_until(alerts, "an alert")
    assert "older ones cannot be removed" in alerts()[0]
    assert "older ones cannot be removed" in ctl("doctor", "-p", status=1).out
    assert len(list(place.iterdir())) == 2, "the one that was due is made"
    shutil.rmtree(stuck)
    ctl("reload")
    claw.wait_until(lambda: not alerts(), "an end of the alert")
