"""`clawctl logs`: rotated files as one, times, patterns, shapes, and the runs of a service."""

import contextlib
import json
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster, master

JOBS = """
[jobs.many]
command = "seq 1 20000"
log = { max_size = 4096, keep = 1000 }
[jobs.web]
type = "continuous"
command = "echo one of $CLAW_RUN_ID; echo two; exec sleep 1000"
grace_period = "0s"
[jobs.stamped]
command = "echo a; echo b"
log = { timestamps = true }
[jobs.json]
command = "echo '{}'; printf tail"
log = { format = "json" }
[jobs.quiet]
command = "echo shown; echo thrown away >&2"
log = { stderr = "discard" }
"""
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"


@pytest.fixture(scope="module")
def claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("logs") / "home", JOBS) as made:
        yield made


@pytest.fixture
def ctl(claw: MasterUnderTest) -> Shell:
    return Shell(claw.environment)


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


@pytest.fixture(scope="module")
def many(claw: MasterUnderTest) -> str:
    """Return a run whose output lies in many files, most of them compressed."""
    run = str(claw.ended(claw.submit("many"))["id"])
    folder = claw.folder / "log/many"
    claw.wait_until(lambda: len(list(folder.glob(f"{run}.out.*.gz"))) > 20, "compression")
    return run


def test_rotated_files_are_read_as_one(ctl: Shell, many: str) -> None:
    assert ctl("logs", "many", "-n", "20001").lines == numbers(1, 20000)
    assert ctl("logs", many, "-n", "7000").lines == numbers(13001, 20000)
    assert ctl("logs", "many").lines == numbers(19901, 20000)
    assert ctl("logs", "many", "--grep", "^1(0*)$").lines == [
        "1", "10", "100", "1000", "10000",
    ]  # fmt: skip
    assert ctl("logs", "many", "--grep", "9$", "-n", "2").lines == ["19989", "19999"]
    assert ctl("logs", many, "-f", "-n", "3", "--grep", "[02468]$").lines == [
        "19998", "20000",
    ]  # fmt: skip


def test_output_of_some_time_is_shown(ctl: Shell, many: str, claw: MasterUnderTest) -> None:
    begun = claw.client.call("run.show", run=many)["started_at"]

    assert ctl("logs", "many", "--since", "1h").lines == numbers(1, 20000)
    assert ctl("logs", "many", "--until", "1h").lines == []
    assert ctl("logs", "many", "--since", begun, "--until", "now").lines == numbers(1, 20000)
    assert ctl("logs", "many", "--since", "2099-01-01").lines == []
    assert ctl("logs", "many", "--since", "1h", "-n", "2").lines == ["19999", "20000"]


def test_lines_are_shown_with_their_times(ctl: Shell, many: str) -> None:
    assert many
    lines = ctl("logs", "many", "--timestamps", "-n", "3").lines

    assert [re.sub(rf"^{STAMP} ", "", line) for line in lines] == ["19998", "19999", "20000"]
    for line in lines:
        at = datetime.fromisoformat(line.split()[0])
        assert abs((datetime.now(UTC) - at).total_seconds()) < 300


def test_a_job_may_want_its_lines_shaped(ctl: Shell, claw: MasterUnderTest) -> None:
    claw.ended(claw.submit("stamped"))
    run = claw.ended(claw.submit("json"))["id"]

    assert re.fullmatch(rf"{STAMP} a\n{STAMP} b\n", ctl("logs", "stamped").out)
    shown = [json.loads(line) for line in ctl("logs", "json").lines]
    assert [one["text"] for one in shown] == ["{}", "tail"]
    assert (shown[0]["job"], shown[0]["run"], shown[0]["stream"]) == ("json", run, "stdout")
    assert re.fullmatch(STAMP, shown[0]["at"])
    both = ctl("logs", "stamped", "json").lines
    assert re.fullmatch(rf"stamped \| {STAMP} a", both[0])
    assert json.loads(both[-1])["text"] == "tail"


def test_what_is_discarded_is_nowhere(ctl: Shell, claw: MasterUnderTest) -> None:
    claw.ended(claw.submit("quiet"))

    assert ctl("logs", "quiet").out == "shown\n"
    assert "not kept" in ctl("logs", "quiet", "--stderr", status=1).err


def test_a_pattern_that_is_none_is_a_slip(ctl: Shell) -> None:
    assert "no regular expression" in ctl("logs", "web", "--grep", "(", status=2).err


def test_the_runs_of_a_service_are_told_apart(ctl: Shell, claw: MasterUnderTest) -> None:
    runs: list[str] = []
    path = claw.folder / "log/web/out.log"
    for _ in range(3):
        runs.append(claw.wait_state("web", "running")["run"])
        claw.wait_until(lambda: f"{runs[-1]}\ntwo\n" in path.read_text(), "output")
        claw.call("job.stop", targets=["web"])
        claw.wait_state("web", "stopped")
        claw.call("job.start", targets=["web"])

    for run in runs:
        assert ctl("logs", run).lines == [f"one of {run}", "two"]
        assert ctl("logs", run, "-n", "1").lines == ["two"]
        if run != runs[-1]:
            assert ctl("logs", run, "-f").lines == [f"one of {run}", "two"]


def test_the_folder_of_output_is_bounded_and_failed_runs_go_last(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[daemon]
log_total = "300K"
[jobs.bad]
command = "seq 1 20000; exit 1"
[jobs.good]
command = "seq 1 20000"
[jobs.alive]
type = "continuous"
command = "seq 1 5000; exec sleep 1000"
""")
    claw.wait_state("alive", "running")
    bad = claw.ended(claw.submit("bad"))["id"]
    good = [claw.ended(claw.submit("good"))["id"] for _ in range(3)]

    def size() -> int:
        found = 0
        for folder, _folders, names in os.walk(claw.folder / "log"):
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # it has just been removed
                    found += (Path(folder) / name).stat().st_size
        return found

    claw.wait_until(lambda: size() <= 300 << 10, "a folder that is small enough")
    kept = {path.name for path in (claw.folder / "log").glob("*/r*.out")}
    assert f"{bad}.out" in kept
    assert f"{good[-1]}.out" in kept
    assert f"{good[0]}.out" not in kept
    assert claw.output("alive/out.log").endswith(b"5000\n")


def test_a_limit_that_changes_asks_for_no_restart(start_master: StartMaster) -> None:
    text = '[jobs.web]\ntype = "continuous"\ncommand = "sleep 1000"\nlog = {{ {} }}\n'
    claw = start_master(text.format('max_size = "1M"'))
    pid = claw.wait_state("web", "running")["pid"]

    claw.configure(text.format('max_size = "2M", to = ["file", "stdout"], keep = 9'))
    claw.call("config.reload")
    assert claw.job("web")["pid"] == pid
    claw.configure(text.format('stderr = "separate"'))
    claw.call("config.reload")

    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, pid}, "a restart")


def test_a_follower_is_told_of_files_that_went_before_it_came(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.web]
type = "continuous"
command = "while :; do seq 1 2000; sleep 0.02; done"
grace_period = "0s"
log = { max_size = 4096, keep = 1 }
""")
    claw.wait_state("web", "running")

    def newest() -> int:
        names = [one.name.split(".") for one in (claw.folder / "log/web").glob("out.log.*")]
        return max((int(words[2]) for words in names if words[2].isdigit()), default=0)

    claw.wait_until(newest, "a rotation")
    with Shell(claw.environment).begin("logs", "web", "-f") as following:
        following.wait_text("1999")
        os.kill(claw.pid, signal.SIGSTOP)
        before = newest()
        claw.wait_until(lambda: newest() > before + 5, "rotations that nobody reads")
        os.kill(claw.pid, signal.SIGCONT)
        claw.wait_until(lambda: any("log.keep" in line for line in following.err), "a note")
        following.interrupt()
