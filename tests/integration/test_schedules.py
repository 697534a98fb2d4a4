"""Schedules under a real master: every due slot ends as exactly one row, also of dead times."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster, master

SECOND = timedelta(seconds=1)
LATE = timedelta(seconds=5)
"""A slot that is no later than this is due, whatever the job's catch_up."""
STALLED = timedelta(seconds=30)
"""No machine is so busy that a child begins that much after its time."""


def at(run: Json, name: str = "slot_at") -> datetime:
    """Return a time of a run."""
    return datetime.fromisoformat(run[name])


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(moment: datetime) -> None:
    """Let time pass."""
    while (left := (moment - now()).total_seconds()) >= 0:
        time.sleep(left + 0.001)


def soon() -> datetime:
    """Return a whole second that is to come, late enough to load jobs before it."""
    return now().replace(microsecond=0) + 4 * SECOND


def load(claw: MasterUnderTest, config: str) -> None:
    """Have a running master take in a configuration."""
    claw.configure(config)
    claw.call("config.reload")


def daily(*moments: datetime) -> str:
    """Return a schedule that is due at some times of today, in UTC, and then tomorrow."""
    texts = [f"'{one.second} {one.minute} {one.hour} * * *'" for one in moments]
    return f"schedule = [{', '.join(texts)}]\ntimezone = 'UTC'"


def wait_rows(
    claw: MasterUnderTest,
    job: str,
    count: int,
    is_wanted: Callable[[Json], object] = lambda run: run,
) -> list[Json]:
    """Wait until a job has so many rows of a kind, and return all of that kind."""

    def look() -> list[Json] | None:
        found = [run for run in claw.runs(job) if is_wanted(run)]
        return found if len(found) >= count else None

    return claw.wait_until(look, f"{count} rows of {job}") or []


def has_ended(run: Json) -> bool:
    return run["ended_at"] is not None


def wait_ends(claw: MasterUnderTest, job: str) -> list[Json]:
    """Wait until a job has had runs and no run of it is open, and return them."""
    claw.wait_until(
        lambda: (runs := claw.runs(job)) and all(map(has_ended, runs)), f"end of {job}"
    )
    return claw.runs(job)


def assert_each_slot_once(runs: Sequence[Json], first: datetime, last: datetime) -> None:
    """Check that the rows stand for each second of a span, once."""
    slots: list[datetime] = []
    for run in sorted(runs, key=at):
        slots += [at(run) + number * SECOND for number in range(run["slot_count"])]
        if run["slot_count"] > 1:
            assert at(run, "slot_until") == slots[-1]
    count = round((last - first) / SECOND) + 1
    wanted = [first + number * SECOND for number in range(count)]
    assert [slot for slot in slots if first <= slot <= last] == wanted


EACH_SECOND = """
[jobs.each]
command = "echo $CLAW_SLOT"
schedule = "* * * * * *"
max_instances = 10
"""

SHARED = (
    EACH_SECOND
    + """
[jobs.off]
command = "true"
schedule = "* * * * * *"
enabled = false
[jobs.long]
command = "sleep 600"
schedule = "* * * * * *"
grace_period = "2s"
[jobs.rare]
command = "true"
schedule = "0 0 1 1 *"
"""
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A master for tests that leave it as they found it."""
    with master(tmp_path_factory.mktemp("schedules") / "home", SHARED) as made:
        yield made


def test_a_job_fires_at_each_of_its_times(shared: MasterUnderTest) -> None:
    runs = wait_rows(shared, "each", 4)[:3]

    for run in runs:
        ended = shared.ended(run["id"])
        assert (ended["state"], ended["origin"]) == ("succeeded", "schedule")
        assert at(ended).microsecond == 0
        assert at(ended) <= at(ended, "started_at") < at(ended) + STALLED
    assert_each_slot_once(runs, at(runs[0]), at(runs[2]))
    each = shared.scheduled("each")
    assert each["state"] in {"scheduled", "waiting", "starting", "running"}
    assert at(each, "next_at") > at(runs[2])


def test_the_child_is_told_its_slot(shared: MasterUnderTest) -> None:
    run = shared.ended(wait_rows(shared, "each", 1)[0]["id"])

    told = shared.output(f"each/{run['id']}.out").decode().strip()
    assert datetime.fromisoformat(told) == at(run)


def test_a_disabled_schedule_does_not_fire(shared: MasterUnderTest) -> None:
    wait_rows(shared, "each", 3)

    assert all(run["state"] == "skipped" for run in shared.runs("off"))
    off = shared.job("off")
    assert (off["state"], off["enabled"], off["next_at"]) == ("disabled", False, None)


def test_a_run_that_would_overlap_is_skipped_by_default(shared: MasterUnderTest) -> None:
    rows = wait_rows(shared, "long", 2, has_ended)

    [running] = [run for run in shared.runs("long") if run["state"] == "running"]
    assert {run["state"] for run in rows} == {"skipped"}
    assert all(running["id"][-6:] in run["reason"] for run in rows)
    assert shared.job("long")["state"] == "running"


def test_a_stopped_schedule_waits_for_its_time_again_after_start(
    shared: MasterUnderTest,
) -> None:
    ctl = Shell(shared.environment)
    next_at = shared.scheduled("rare")["next_at"]

    ctl("stop", "rare")
    stopped = shared.job("rare")
    ctl("start", "rare")

    assert (stopped["state"], stopped["next_at"]) == ("stopped", None)
    rare = shared.scheduled("rare")
    assert (rare["state"], rare["next_at"]) == ("scheduled", next_at)
    assert shared.runs("rare") == []


def test_i5_each_slot_has_one_row_through_killed_masters(start_master: StartMaster) -> None:
    claw = start_master(EACH_SECOND)
    first = at(wait_rows(claw, "each", 1)[0])

    for _ in range(3):
        wait_until(now().replace(microsecond=0) + SECOND)
        claw.restart()

    last = at(wait_rows(claw, "each", len(claw.runs("each")) + 1)[-1])
    runs = wait_ends_of_slots(claw, last)
    assert_each_slot_once(runs, first, last)
    for run in runs:
        # A machine so slow that its master is back after 5 s only may miss some, by one row.
        assert (run["state"], len(run["attempts"])) in {("succeeded", 1), ("missed", 0)}


def wait_ends_of_slots(claw: MasterUnderTest, last: datetime) -> Sequence[Json]:
    """Wait for the ends of all runs up to a slot, and return them."""
    runs = [run for run in claw.runs("each") if at(run) <= last]
    return [claw.ended(run["id"]) for run in runs]


def test_catch_up_decides_on_what_passed_while_the_master_was_dead(
    start_master: StartMaster,
) -> None:
    claw = start_master("")
    first = soon()
    slots = [first, first + SECOND, first + 2 * SECOND]
    policies = {
        "policy-none": 'catch_up = "none"',
        "policy-once": 'catch_up = "once"',
        "policy-all": 'catch_up = "all"',
        "short-window": 'catch_up = "all"\ncatch_up_window = "1s"',
        "default": "",
    }
    load(
        claw,
        "".join(
            f'[jobs.{name}]\ncommand = "true"\nmax_instances = 5\n{daily(*slots)}\n{policy}\n'
            for name, policy in policies.items()
        )
        + oneshot(first, "true"),
    )
    for name in (*policies, "one"):
        assert claw.scheduled(name)["next_at"] == first.isoformat()
    claw.kill()
    wait_until(slots[2] + LATE + SECOND)

    claw.start()

    rows = {name: wait_ends(claw, name) for name in (*policies, "one")}
    whole = [(slots[0], 3, "missed")]
    newest = [(slots[0], 2, "missed"), (slots[2], 1, "succeeded")]
    assert summary(rows["policy-none"]) == whole
    assert summary(rows["short-window"]) == whole
    assert summary(rows["policy-once"]) == newest
    assert summary(rows["default"]) == newest
    assert summary(rows["policy-all"]) == [(slot, 1, "succeeded") for slot in slots]
    assert summary(rows["one"]) == [(first, 1, "succeeded")]
    [missed] = rows["policy-none"]
    assert "catch_up = none" in missed["reason"]
    assert at(missed, "slot_until") == slots[2]
    ctl = Shell(claw.environment)
    assert "missed" in ctl("why", "policy-none").out
    assert "missed" in ctl("runs", "list", "--job", "policy-none").out
    claw.restart()
    assert {name: len(claw.runs(name)) for name in rows} == {
        name: len(found) for name, found in rows.items()
    }


def summary(runs: Sequence[Json]) -> list[tuple[datetime, int, str]]:
    """Return slot, number of slots and state of each run, in order of slots."""
    return sorted((at(run), run["slot_count"], run["state"]) for run in runs)


def test_slots_of_a_paused_job_become_skipped_rows(start_master: StartMaster) -> None:
    claw = start_master(EACH_SECOND)
    ctl = Shell(claw.environment)
    wait_rows(claw, "each", 1)

    ctl("pause", "each")
    assert claw.job("each")["state"] in {"paused", "running", "starting"}
    assert claw.job("each")["next_at"] is None
    skipped = wait_rows(claw, "each", 1, lambda run: run["state"] == "skipped")
    ctl("resume", "each")
    count = len(claw.runs("each"))
    last = at(wait_rows(claw, "each", count + 2)[-1])

    assert "paused" in skipped[0]["reason"]
    assert skipped[0]["attempts"] == []
    runs = wait_ends_of_slots(claw, last)
    assert runs[0]["state"] == runs[-1]["state"] == "succeeded"
    assert_each_slot_once(runs, at(runs[0]), last)


def test_slots_of_a_pause_that_a_dead_master_slept_through_are_not_made_up_for(
    start_master: StartMaster,
) -> None:
    claw = start_master(EACH_SECOND + 'catch_up = "all"\ncatch_up_window = "1h"\n')
    ctl = Shell(claw.environment)
    wait_rows(claw, "each", 1)
    ctl("pause", "each")
    paused = now()
    claw.kill()
    wait_until(paused + 2.5 * SECOND)
    claw.start()

    resuming = now()
    ctl("resume", "each")

    last = at(wait_rows(claw, "each", len(claw.runs("each")) + 1)[-1])
    runs = wait_ends_of_slots(claw, last)
    assert_each_slot_once(runs, at(runs[0]), last)
    between = [run for run in runs if paused <= at(run) < resuming]
    assert {run["state"] for run in between} == {"skipped"}


def test_every_counts_from_when_the_job_was_added(start_master: StartMaster) -> None:
    before = now()
    claw = start_master(EACH_SECOND.replace("* * * * * *", "@every 1s"))
    first = at(wait_rows(claw, "each", 2)[0])
    claw.restart()

    runs = wait_rows(claw, "each", len(claw.runs("each")) + 2)

    assert before < first - SECOND
    assert_each_slot_once(runs, first, at(runs[-1]))


def test_reboot_is_once_per_boot_and_not_once_per_master(start_master: StartMaster) -> None:
    claw = start_master('[jobs.boot]\ncommand = "true"\nschedule = "@reboot"\n')
    [run] = wait_ends(claw, "boot")

    claw.restart()
    claw.call("daemon.stop", mode="stop")
    assert claw.process is not None
    claw.process.wait(30)
    claw.client.close()
    claw.start()
    claw.ctl("reload")

    assert [one["id"] for one in claw.runs("boot")] == [run["id"]]
    assert (run["state"], run["origin"]) == ("succeeded", "reboot")


# -- oneshots --------------------------------------------------------------------------


def oneshot(moment: datetime, command: str) -> str:
    """Return a job for one point in time."""
    return f'[jobs.one]\ncommand = "{command}"\nrun_at = "{moment.isoformat()}"\n'


def test_a_oneshot_is_planned_then_runs_once_and_is_done(start_master: StartMaster) -> None:
    claw = start_master("")
    due = soon()
    load(claw, oneshot(due, "true"))
    planned = claw.scheduled("one")

    done = claw.wait_state("one", "done")
    claw.restart()
    claw.ctl("reload")

    assert (planned["state"], planned["type"]) == ("planned", "oneshot")
    assert at(planned, "next_at") == due
    assert done["next_at"] is None
    assert claw.job("one")["state"] == "done"
    [run] = claw.runs("one")
    assert (at(run), run["state"]) == (due, "succeeded")
    assert "succeeded" in Shell(claw.environment)("why", "one").out


def test_a_oneshot_is_not_done_until_it_succeeds(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master("")
    load(claw, oneshot(soon(), f"test -e '{tmp_path}/ok'"))
    ctl = Shell(claw.environment)

    failed = claw.wait_state("one", "failed")
    ctl("status", "one", status=3)
    ctl("run", "one", "--wait", status=1)
    failed_again = claw.job("one")
    (tmp_path / "ok").touch()
    ctl("run", "one", "--wait")

    assert failed["last"]["exit_code"] == 1
    assert failed_again["state"] == "failed"
    assert claw.job("one")["state"] == "done"
    ctl("status", "one")


# -- zones -----------------------------------------------------------------------------


def test_a_schedule_is_read_in_its_own_zone(start_master: StartMaster) -> None:
    claw = start_master("""
[daemon]
timezone = "Asia/Kolkata"
[jobs.own]
command = "true"
schedule = "30 9 * * *"
timezone = "America/Sao_Paulo"
[jobs.daemons]
command = "true"
schedule = "30 9 * * *"
[jobs.one]
command = "true"
run_at = "2099-07-01T09:30:00"
timezone = "Pacific/Auckland"
""")

    def local(name: str, zone: str) -> datetime:
        return at(claw.scheduled(name), "next_at").astimezone(ZoneInfo(zone))

    for name, zone in (
        ("own", "America/Sao_Paulo"),
        ("daemons", "Asia/Kolkata"),
        ("one", "Pacific/Auckland"),
    ):
        assert f"{local(name, zone):%H:%M}" == "09:30"
