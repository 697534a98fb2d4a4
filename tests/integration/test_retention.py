"""What is forgotten, when, and what never is; through ``clawctl``."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clawctl import ROOT, Shell
from tests.kit.master import MasterUnderTest, master

JOBS = f"""
[daemon]
file_log_mode = "delete"
[retention]
runs = 2
[jobs.says]
command = 'echo "$1"; echo "\\"$1\\"" > "$CLAW_RESULT_FILE"'
[jobs.large]
command = 'head -c 70000 /dev/zero; exit 1'
[jobs.held]
command = 'echo begun; until [ -e "$1" ]; do sleep 0.02; done'
grace_period = "5s"
[jobs.wide]
command = "head -c 70000 /dev/zero"
[jobs.after]
command = 'wc -c < "$CLAW_PARENT_OUTPUT_FILE"'
trigger = {{ after = "wide" }}
approval = {{}}
[jobs.other]
command = "echo other"
[jobs.scored]
command = '{sys.executable} -m claw idem claim "$1"'
env = {{ PYTHONPATH = "{ROOT}" }}
sla = {{ success_rate = 50 }}
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("retention"), JOBS) as found:
        yield found


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def runs_of(ctl: Shell, job: str) -> list[str]:
    found = ctl("runs", "list", "--job", job, "--json").json["runs"]
    return [one["id"] for one in found]


def files_of(claw: MasterUnderTest, job: str) -> list[str]:
    folder = Path(claw.home.job_log(job))
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def test_with_delete_a_file_goes_once_its_output_is_in_the_database(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    done = ctl("run", "says", "--arg", "hello", "--wait").out.strip()
    claw.wait_until(lambda: not files_of(claw, "says"), "files that are gone")
    assert ctl("logs", "says").out == "hello\n"
    assert ctl("logs", done, "--json").json["source"] == "database"
    assert ctl("runs", "output", done).out == "hello\n"


def test_with_delete_larger_output_stays_a_file(claw: MasterUnderTest, ctl: Shell) -> None:
    large = ctl("run", "large", "--wait", status=1).out.strip()
    said = ctl("run", "says", "--arg", "later", "--wait").out.strip()
    claw.wait_until(lambda: not files_of(claw, "says"), "files that are gone")
    assert f"{large}.out" in files_of(claw, "large")
    assert len(ctl("runs", "output", large).out) == 70_000
    assert ctl("runs", "output", said).out == "later\n"


def test_more_successes_than_are_kept_are_forgotten_the_oldest_first(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    made = [ctl("run", "says", "--arg", str(no), "--wait").out.strip() for no in range(4)]

    def is_forgotten() -> bool:
        claw.restart()  # it looks when it starts
        return set(runs_of(ctl, "says")) == set(made[-2:])

    claw.wait_until(is_forgotten, "two runs that are left")
    assert "no run" in ctl("runs", "show", made[0], status=4).fault
    assert ctl("runs", "result", made[-1]).json == "3"
    assert not list(Path(claw.home.launches).glob(f"{made[0]}.*"))


def test_what_a_run_that_waits_is_to_be_told_of_is_not_forgotten(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    def wide() -> str:
        return ctl("run", "wide", "--wait").out.strip()

    first = wide()
    waiting = claw.wait_until(
        lambda: ctl("approvals", "list", "--json").json["approvals"], "a run that waits"
    )[0]["run"]
    ctl("pause", "after")
    others = [wide() for _ in range(3)]

    def is_forgotten() -> bool:
        claw.restart()  # it looks when it starts
        return others[0] not in runs_of(ctl, "wide")

    claw.wait_until(is_forgotten, "a run that is forgotten")
    assert first in runs_of(ctl, "wide")
    ctl("resume", "after")
    ctl("approve", waiting)
    ctl("wait", waiting)
    assert ctl("logs", "after").out.strip() == "70000"


def test_a_job_is_purged_with_all_that_is_known_of_it(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    ctl("run", "other", "--wait")
    ctl("run", "large", "--wait", status=1)
    assert files_of(claw, "large")

    said = ctl("job", "purge", "large").out

    assert "are forgotten" in said
    assert runs_of(ctl, "large") == []
    assert files_of(claw, "large") == []
    assert len(runs_of(ctl, "other")) == 1
    events = [json.loads(one) for one in ctl("events", "--job", "large", "--json").lines]
    assert [one["type"] for one in events] == ["job.purged"]
    assert events[0]["by"]
    assert "job.purge" in Path(claw.home.audit_log).read_text()
    ctl("run", "large", "--wait", status=1)


def test_a_purge_takes_the_score_of_a_promise_and_the_keys_of_what_was_done(
    ctl: Shell,
) -> None:
    def keys() -> set[str]:
        return {one["key"] for one in ctl("idem", "status", "--json").json["keys"]}

    ctl("run", "scored", "--arg", "bill-1", "--wait")
    ctl("idem", "claim", "by-hand")
    [score] = ctl("sla", "scored", "--json").json["jobs"]
    assert (score["passes"], keys()) == (1, {"bill-1", "by-hand"})
    ctl("job", "purge", "scored")
    [score] = ctl("sla", "scored", "--json").json["jobs"]
    assert (score["passes"], score["fails"], keys()) == (0, 0, {"by-hand"})


def test_a_job_with_open_runs_is_purged_by_force_alone(
    claw: MasterUnderTest, ctl: Shell, tmp_path: Path
) -> None:
    held = ctl("run", "held", "--arg", str(tmp_path / "never")).out.strip()
    ctl("wait", held, "--for", "running")
    assert "not over" in ctl("job", "purge", "held", status=1).fault
    assert runs_of(ctl, "held") == [held]
    ctl("job", "purge", "held", "--force")
    assert runs_of(ctl, "held") == []
    assert files_of(claw, "held") == []
    assert ctl("job", "purge", "nobody", status=4).fault
