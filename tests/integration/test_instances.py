"""Services with several instances: started, restarted one by one, scaled."""

import os
from pathlib import Path

from claw.kernel import process
from tests.kit.master import Json, MasterUnderTest, StartMaster

THREE = """
[jobs.web]
type = "continuous"
command = '''sh -c 'echo "I am $CLAW_INSTANCE of $PORT in $PWD"; exec sleep 600' '''
cwd = "/tmp"
env = { PORT = "80${instance}" }
instances = 3
grace_period = "5s"
"""


def _rows(claw: MasterUnderTest, name: str = "web") -> dict[str, Json]:
    return {job["name"]: job for job in claw.call("job.status", targets=[name])["jobs"]}


def _pids(claw: MasterUnderTest, name: str = "web") -> dict[str, int]:
    return {label: row["pid"] for label, row in _rows(claw, name).items()}


def _all_running(claw: MasterUnderTest, count: int = 3) -> dict[str, int]:
    """Wait until so many instances run, and return their pids."""

    def look() -> bool:
        rows = _rows(claw).values()
        return len(rows) == count and all(row["state"] == "running" for row in rows)

    claw.wait_until(look, f"{count} instances")
    return _pids(claw)


def test_each_instance_has_its_number_its_environment_and_its_log(
    start_master: StartMaster,
) -> None:
    claw = start_master(THREE)
    pids = _all_running(claw)
    assert list(pids) == ["web@1", "web@2", "web@3"]
    assert len(set(pids.values())) == 3
    row = _rows(claw)["web@2"]
    assert (row["job"], row["instance"], row["instances"]) == ("web", 2, 3)
    claw.wait_until(lambda: claw.output("web@2/out.log"), "output")
    assert claw.output("web@2/out.log") == b"I am 2 of 802 in /tmp\n"
    assert claw.ctl("logs", "web@3") == "I am 3 of 803 in /tmp\n"
    assert "I am 1 of 801 in /tmp" in claw.ctl("logs", "web")
    assert {run["instance"] for run in claw.runs("web")} == {1, 2, 3}


def test_one_instance_is_stopped_started_and_restarted_alone(start_master: StartMaster) -> None:
    claw = start_master(THREE)
    before = _all_running(claw)

    claw.ctl("stop", "web@2")

    rows = _rows(claw)
    assert rows["web@2"]["state"] == "stopped"
    assert "clawctl start web@2" in rows["web@2"]["why"]
    claw.restart()
    claw.ctl("reload")
    assert {label: row["state"] for label, row in _rows(claw).items()} == {
        "web@1": "running",
        "web@2": "stopped",
        "web@3": "running",
    }
    claw.ctl("status", "web@3")
    claw.ctl("status", "web@2", status=3)
    claw.ctl("start", "web@2")
    claw.ctl("restart", "web@3")
    after = _all_running(claw)
    assert after["web@1"] == before["web@1"]
    assert after["web@2"] != before["web@2"]
    assert after["web@3"] != before["web@3"]
    claw.ctl("signal", "KILL", "web@1")
    claw.wait_until(lambda: _rows(claw)["web@1"]["restarts"] == 1, "a restart")
    claw.ctl("pause", "web@1", status=1)


def _is_rolled(claw: MasterUnderTest) -> bool:
    rows = _rows(claw).values()
    return all(row["state"] == "running" and row["rollout"] is None for row in rows)


def _began(claw: MasterUnderTest, after: int) -> list[Json]:
    page = claw.call("event.list", **{"from": after, "limit": 1000, "filter": {"job": "web"}})
    return [event for event in page["events"] if event["type"].startswith("attempt.")]


def _cursor(claw: MasterUnderTest) -> int:
    page = claw.call("event.list", **{"from": 0, "limit": 1000})
    return int(page["events"][-1]["cursor"])


def test_a_restart_rolls_and_the_next_goes_only_when_the_last_is_ready(
    start_master: StartMaster,
) -> None:
    claw = start_master(THREE)
    before = _all_running(claw)
    cursor = _cursor(claw)

    claw.ctl("restart", "web")

    after = _all_running(claw)
    assert set(before.values()).isdisjoint(after.values())
    runs = {run["id"]: run["instance"] for run in claw.runs("web")}
    told = [
        (event["type"].removeprefix("attempt."), runs[event["run"]])
        for event in _began(claw, cursor)
        if event["type"] != "attempt.exited"
    ]
    assert told == [(what, no) for no in (1, 2, 3) for what in ("stopping", "started")]
    ready = {
        run["instance"]: claw.call("run.show", run=run["id"])["attempts"][-1]
        for run in claw.runs("web")
    }
    assert ready[2]["started_at"] > ready[1]["ready_at"]
    assert ready[3]["started_at"] > ready[2]["ready_at"]


def test_a_restart_in_batches_and_all_at_once(start_master: StartMaster) -> None:
    claw = start_master(THREE)
    _all_running(claw)
    cursor = _cursor(claw)
    claw.ctl("restart", "--batch", "2", "web")
    stops = [e["type"] == "attempt.stopping" for e in _began(claw, cursor)]
    assert stops[:2] == [True, True]
    assert stops[2:].count(True) == 1
    cursor = _cursor(claw)
    claw.ctl("restart", "--all-at-once", "web")
    assert [e["type"] for e in _began(claw, cursor)][:3] == ["attempt.stopping"] * 3
    claw.ctl("restart", "--all-at-once", "--batch", "2", "web", status=2)


def test_a_rolling_restart_stops_at_the_first_failure_and_says_which(
    start_master: StartMaster, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    claw = start_master(f"""
[jobs.web]
type = "continuous"
command = '''sh -c 'test "$CLAW_INSTANCE" != 2 -o ! -e {bad} || exit 7; exec sleep 600' '''
instances = 3
[jobs.web.restart]
delays = ["60s"]
""")
    before = _all_running(claw)
    bad.touch()

    claw.ctl("restart", "web", status=1)

    rows = _rows(claw)
    assert rows["web@3"]["pid"] == before["web@3"]
    assert rows["web@1"]["pid"] != before["web@1"]
    assert rows["web@2"]["state"] == "backoff"
    assert rows["web@2"]["rollout"]["failed"] == "web@2: exit 7, before it was ready"
    assert "web@2: exit 7" in rows["web@3"]["why"]
    assert "stopped: web@2: exit 7, before it was ready; still to come: 3" in claw.ctl(
        "why", "web"
    )
    bad.unlink()
    claw.ctl("restart", "web")
    assert all(row["rollout"] is None for row in _rows(claw).values())


def test_a_kill_of_the_master_amidst_a_rolling_restart_changes_nothing_of_it(
    start_master: StartMaster,
) -> None:
    claw = start_master(THREE)
    before = _all_running(claw)
    claw.ctl("restart", "--no-wait", "web")
    for label in ("web@1", "web@2"):
        claw.wait_until(
            lambda label=label: _pids(claw)[label] not in {None, before[label]},  # type: ignore[misc]
            f"another {label}",
        )
        claw.restart()

    claw.wait_until(lambda: _is_rolled(claw), "an end of the rolling restart")
    assert set(before.values()).isdisjoint(_pids(claw).values())
    shown = [claw.call("run.show", run=run["id"])["attempts"] for run in claw.runs("web")]
    assert [len(attempts) for attempts in shown] == [2, 2, 2]


def test_a_reload_rolls_what_changed_and_leaves_the_rest(start_master: StartMaster) -> None:
    other = '[jobs.other]\ntype = "continuous"\ncommand = "sleep 600"\n'
    claw = start_master(THREE + other)
    before, kept = _all_running(claw), claw.wait_state("other", "running")["pid"]
    cursor = _cursor(claw)
    claw.configure(THREE.replace("80${", "90${") + other)
    claw.ctl("reload", "--no-restart")
    assert _pids(claw) == before

    claw.configure(THREE.replace("80${", "91${") + other)
    claw.ctl("reload")

    claw.wait_until(lambda: _is_rolled(claw), "an end of the rolling restart")
    assert claw.output("web@3/out.log").endswith(b"I am 3 of 913 in /tmp\n")
    kinds = [event["type"] for event in _began(claw, cursor)]
    assert [kind for kind in kinds if kind != "attempt.exited"] == [
        "attempt.stopping",
        "attempt.started",
    ] * 3
    assert claw.job("other")["pid"] == kept


def test_scaling_up_and_down_touches_no_sibling_and_outlives_the_daemon(
    start_master: StartMaster,
) -> None:
    claw = start_master(THREE)
    three = _all_running(claw)

    claw.ctl("scale", "web=5")

    five = _all_running(claw, 5)
    assert {label: five[label] for label in three} == three
    claw.call("daemon.stop", mode="stop")
    assert claw.process is not None
    claw.process.wait(60)
    claw.client.close()
    claw.start()
    five = _all_running(claw, 5)
    claw.ctl("scale", "web=2")
    assert _pids(claw) == {label: five[label] for label in ("web@1", "web@2")}
    assert all(process.is_zombie(five[f"web@{no}"]) for no in (3, 4, 5))
    claw.configure(THREE.replace("instances = 3", "instances = 4"))
    claw.ctl("reload")
    four = _all_running(claw, 4)
    assert four["web@1"] == five["web@1"]
    claw.ctl("scale", "web=0", status=2)
    claw.ctl("scale", "nothing=2", status=4)


def test_a_service_of_one_becomes_one_of_several_and_back(start_master: StartMaster) -> None:
    claw = start_master(THREE.replace("instances = 3", "instances = 1"))
    one = claw.wait_state("web", "running")
    assert one["instance"] is None
    claw.wait_until(lambda: claw.output("web/out.log"), "output")
    assert claw.output("web/out.log") == b"I am 1 of 801 in /tmp\n"

    claw.ctl("scale", "web=2")

    assert _all_running(claw, 2)["web@1"] == one["pid"]
    claw.ctl("scale", "web=1")
    assert claw.wait_state("web", "running")["pid"] == one["pid"]


def test_who_needs_a_service_waits_for_all_of_its_instances(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    claw = start_master(f"""
[jobs.web]
type = "continuous"
command = '''sh -c 'test "$CLAW_INSTANCE" = 1 -o -e {gate} || exit 3; exec sleep 600' '''
instances = 2
[jobs.web.restart]
delays = ["100ms"]
[jobs.front]
type = "continuous"
command = "sleep 600"
depends_on = ["web"]
""")
    claw.wait_until(lambda: _rows(claw)["web@2"]["restarts"] >= 2, "some restarts")
    claw.wait_until(lambda: "web@2" in claw.job("front")["why"], "a reason")
    assert claw.job("front")["state"] == "waiting"
    gate.touch()
    front = claw.wait_state("front", "running")
    os.kill(_rows(claw)["web@1"]["pid"], 9)
    claw.wait_until(lambda: _rows(claw)["web@1"]["restarts"] == 1, "a restart")
    assert claw.job("front")["pid"] == front["pid"]
