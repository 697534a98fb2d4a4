"""Jitter, backoff, hours, the end of a oneshot, and what is told of them, by a real master."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from claw.kernel import host
from claw.model import timing
from tests.integration.test_schedules import at, daily, load, now, soon, wait_ends, wait_rows
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster, master


def elsewhen(outside: str) -> str:
    """Return hours that are hours away, whenever this is asked."""
    begin, end = ((now() + timedelta(hours=away)).hour for away in (6, 8))
    return (
        f'hours = {{ from = "{begin:02}:00", to = "{end:02}:00", timezone = "UTC",'
        f' outside = "{outside}" }}'
    )


SHARED = f"""
[jobs.jittered]
command = "true"
schedule = "* * * * * *"
timezone = "UTC"
jitter = "3s"
catch_up = "all"
max_instances = 20
[jobs.bad]
command = "false"
schedule = "* * * * * *"
error_backoff = true
[jobs.refused]
command = "true"
{elsewhen("skip")}
[jobs.held]
command = "true"
{elsewhen("wait")}
[jobs.loud]
command = "true"
{elsewhen("alert")}
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A master for tests that leave it as they found it."""
    with master(tmp_path_factory.mktemp("times") / "home", SHARED) as made:
        yield made


@pytest.fixture
def ctl(shared: MasterUnderTest) -> Shell:
    """A place to type at."""
    return Shell(shared.environment)


def test_each_run_begins_by_its_jitter_later_as_it_was_foreseen(
    shared: MasterUnderTest, ctl: Shell
) -> None:
    [told] = ctl("job", "next", "jittered", "-n", "5", "--json").json["jobs"]
    fire = told["fires"][-1]
    slot = datetime.fromisoformat(fire["slot_at"])
    offset = timing.jitter(host.host_id(), "jittered", slot, 3.0)

    [run] = wait_rows(shared, "jittered", 1, lambda run: at(run) == slot)
    ended = shared.ended(run["id"])

    assert datetime.fromisoformat(fire["begins_at"]) == slot + offset
    assert ended["state"] == "succeeded"
    assert at(ended, "started_at") >= slot + offset


def test_a_job_that_fails_is_left_alone_and_each_slot_says_so(
    shared: MasterUnderTest, ctl: Shell
) -> None:
    rows = wait_rows(shared, "bad", 2, lambda run: run["state"] == "skipped")

    assert all(row["reason"].startswith("error_backoff: ") for row in rows)
    told = ctl("why", "bad", "--at", rows[0]["slot_at"]).out
    assert "it was skipped" in told
    assert "in a row, left alone until" in told


def test_a_run_outside_its_hours_is_refused_unless_it_is_forced(
    shared: MasterUnderTest, ctl: Shell
) -> None:
    fault = ctl("run", "refused", status=1).fault
    assert "job 'refused' runs" in fault
    assert "or use --force" in fault

    run = ctl("run", "refused", "--force").out.strip()

    assert shared.ended(run)["state"] == "succeeded"


def test_a_run_that_waits_for_its_hours_says_until_when(
    shared: MasterUnderTest, ctl: Shell
) -> None:
    run = ctl("run", "held").out.strip()
    held = shared.wait_state("held", "waiting")
    told = ctl("why", "held").out
    ctl("cancel", run)

    assert held["why"].startswith("hours: outside")
    assert "waits until" in held["why"]
    assert held["why"] in told


def test_a_run_outside_its_hours_may_run_and_be_told_of(
    ctl: Shell,
) -> None:
    run = ctl("run", "loud", "--wait").lines[0]

    events = ctl("events", "--json").out
    assert '"run.outside_hours"' in events
    assert run in events


def test_what_became_of_a_time_and_what_will_is_told(start_master: StartMaster) -> None:
    claw = start_master("")
    ctl, moment = Shell(claw.environment), soon()
    load(claw, f'[jobs.job]\ncommand = "exit 3"\n{daily(moment)}')
    [run] = wait_ends(claw, "job")
    after = ctl("why", "job", "--at", moment.isoformat()).out
    later = ctl("why", "job", "--at", (moment + timedelta(days=1)).isoformat()).out
    early = ctl("why", "job", "--at", (moment - timedelta(days=1)).isoformat()).out

    assert "is still to come: it will run" in later
    assert f"run {run['id'][-6:]} began" in after
    assert "failed, exit 3" in after
    assert "nothing was due: the job was added" in early


def test_a_oneshot_made_with_clawctl_goes_after_its_run_and_its_history_stays(
    start_master: StartMaster,
) -> None:
    claw = start_master("")
    ctl, moment = Shell(claw.environment), soon() + timedelta(seconds=3)
    words = ("--at", moment.isoformat(), "--set", "delete_after_run=true", "--", "true")
    ctl("job", "add", "party", *words)

    [run] = wait_ends(claw, "party")
    claw.wait_until(lambda: not claw.call("job.status")["jobs"], "removal of party")

    assert run["state"] == "succeeded"
    assert ctl("runs", "show", run["id"], "--json").json["job"] == "party"
    claw.restart()
    assert claw.call("job.status")["jobs"] == []


def test_intervals_keep_their_anchor_over_pauses_reloads_and_masters(
    start_master: StartMaster,
) -> None:
    config = '[jobs.job]\ncommand = "true"\nschedule = "@every 2s"\nmax_instances = 9\n'
    claw = start_master(config)
    first = at(wait_rows(claw, "job", 1)[0])
    claw.call("job.pause", targets=["job"])
    claw.call("job.resume", targets=["job"])
    load(claw, config + 'description = "another"\n')
    claw.restart()
    seen = len(claw.runs("job"))
    wait_rows(claw, "job", seen + 2)

    for run in claw.runs("job"):
        away = at(run).astimezone(UTC) - first
        assert away % timedelta(seconds=2) == timedelta(0)
