"""Jobs that depend on each other, with real processes."""

import os
from pathlib import Path

from claw.kernel import process
from claw.master.configuration import Configuration
from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster

GATED = "while [ ! -e {gate} ]; do sleep 0.02; done; {then}"
"""A shell line that goes on when a file is there."""


def _events(claw: MasterUnderTest, kind: str, *jobs: str) -> list[Json]:
    found = claw.call("event.list", **{"from": 0, "limit": 1000, "filter": {"type": kind}})
    return [event for event in found["events"] if event["job"] in jobs]


def _order(claw: MasterUnderTest, kind: str, *jobs: str) -> list[str]:
    return [event["job"] for event in _events(claw, kind, *jobs)]


CHAIN = """
[defaults]
grace_period = "20s"

[jobs.web]
type = "continuous"
command = "sleep 600"
depends_on = ["api"]

[jobs.api]
type = "continuous"
command = "sleep 600"
depends_on = ["db", "cache"]

[jobs.db]
type = "continuous"
command = "sleep 600"

[jobs.cache]
type = "continuous"
command = "sleep 600"
"""


def test_services_start_in_the_order_of_the_graph_and_stop_in_the_reverse(
    start_master: StartMaster,
) -> None:
    claw = start_master(CHAIN)
    names = ("web", "api", "db", "cache")
    claw.wait_state("web", "running")
    started = _order(claw, "attempt.started", *names)
    assert (set(started[:2]), started[2:]) == ({"db", "cache"}, ["api", "web"])

    claw.ctl("stop", "db", "cache", "api", "web")

    stopped = _order(claw, "run.canceled", *names)
    assert (stopped[:2], set(stopped[2:])) == (["web", "api"], {"db", "cache"})


def test_the_daemon_ends_its_jobs_in_the_reverse_order_too(start_master: StartMaster) -> None:
    claw = start_master(CHAIN)
    claw.wait_state("web", "running")

    claw.call("daemon.stop", mode="stop")

    assert claw.process is not None
    assert claw.process.wait(60) == 0
    claw.client.close()
    claw.start()
    stopped = _order(claw, "run.canceled", "web", "api", "db", "cache")
    assert (stopped[:2], set(stopped[2:])) == (["web", "api"], {"db", "cache"})
    claw.wait_state("web", "running")


def test_the_time_for_a_shutdown_bounds_all_of_an_ordered_stop(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[daemon]
shutdown_timeout = "500ms"
[jobs.web]
type = "continuous"
command = "sh -c 'trap : TERM; while true; do sleep 1; done'"
depends_on = ["db"]
grace_period = "10m"
[jobs.db]
type = "continuous"
command = "sleep 600"
""")
    pids = [claw.wait_state(name, "running")["pid"] for name in ("web", "db")]

    claw.call("daemon.stop", mode="stop")

    assert claw.process is not None
    assert claw.process.wait(60) == 0
    claw.client.close()
    assert all(process.is_zombie(pid) for pid in pids)


def test_a_kill_of_the_master_amidst_an_ordered_stop_changes_no_order(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    stubborn = f"trap '{GATED.format(gate=gate, then='exit 0')}' TERM; sleep 600 & wait; wait"
    claw = start_master(f"""
[jobs.web]
type = "continuous"
command = \"\"\"{stubborn}\"\"\"
depends_on = ["db"]
grace_period = "60s"
[jobs.db]
type = "continuous"
command = "sleep 600"
""")
    claw.wait_state("web", "running")
    db = claw.wait_state("db", "running")
    claw.ctl("stop", "--no-wait", "db", "web")
    claw.wait_until(lambda: claw.job("db")["state"] == "stopping", "a stop")
    assert "waits for web to end first" in claw.job("db")["why"]

    for _ in range(2):
        claw.restart()
        assert not process.is_zombie(db["pid"])
        assert claw.job("db")["state"] == "stopping"
    gate.touch()

    claw.wait_state("db", "stopped")
    claw.wait_state("web", "stopped")
    assert _order(claw, "run.canceled", "web", "db") == ["web", "db"]


def test_starting_a_job_starts_what_it_needs_and_not_what_an_operator_stopped(
    start_master: StartMaster,
) -> None:
    claw = start_master(CHAIN.replace('"sleep 600"', '"sleep 600"\nautostart = false'))
    assert claw.job("db")["state"] == "stopped"
    claw.ctl("stop", "cache")

    claw.ctl("start", "--no-wait", "web")

    claw.wait_state("db", "running")
    api = claw.wait_state("api", "waiting")
    assert "waits for cache to be ready: cache is stopped by " in api["why"]
    assert "clawctl start cache" in api["why"]
    said = Shell(claw.environment)("start", "--timeout", "1s", "api", status=6)
    assert "api waits: depends_on: waits for cache to be ready: cache is stopped" in said.err
    told = claw.ctl("why", "web")
    assert "web waits for api to be ready: api waits itself" in told
    assert "    api waits for cache to be ready: cache is stopped by" in told
    claw.restart()
    assert claw.job("cache")["state"] == "stopped"
    claw.ctl("start", "cache")
    claw.wait_state("web", "running")


def test_a_dependent_waits_until_what_it_needs_has_ended_well_since_it_was_asked(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    claw = start_master(f"""
[jobs.web]
type = "continuous"
autostart = false
command = "sleep 600"
depends_on = [{{ job = "migrate", condition = "after_complete" }}]
[jobs.migrate]
command = "test -e {gate}"
""")
    claw.ctl("start", "--no-wait", "web")
    claw.wait_state("migrate", "failed")
    web = claw.wait_state("web", "waiting")
    assert len(claw.runs("migrate")) == 1
    claw.wait_until(lambda: "failed, exit 1" in claw.job("web")["why"], "a reason")
    assert "waits for migrate to end well: migrate is not running" in claw.job("web")["why"]

    gate.touch()
    claw.ctl("run", "--wait", "migrate")

    claw.wait_state("web", "running")
    claw.ctl("restart", "web")
    assert len(claw.runs("migrate")) == 2  # a restart is no new request
    claw.ctl("stop", "web")
    claw.ctl("start", "web")
    assert [run["origin"] for run in claw.runs("migrate")][2:] == ["dependency"]
    assert claw.job("web")["run"] != web["run"]


def test_a_job_that_has_to_be_done_before_another_holds_that_one(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    claw = start_master(f"""
[jobs.warm]
command = "{GATED.format(gate=gate, then="exit 0")}"
depends_on = [{{ job = "web", condition = "before_complete" }}]
[jobs.web]
type = "continuous"
command = "sleep 600"
""")
    web = claw.wait_state("web", "waiting")
    claw.wait_state("warm", "running")
    assert web["pid"] is None
    gate.touch()
    claw.wait_state("web", "running")
    assert _order(claw, "run.succeeded", "warm") == ["warm"]


def test_a_run_that_has_waited_too_long_is_skipped_with_a_reason(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.web]
type = "continuous"
command = "sleep 600"
depends_on = [{ job = "db", timeout = "300ms" }]
[jobs.db]
type = "continuous"
command = "false"
autostart = false
[jobs.db.restart]
delays = ["60s"]
""")
    web = claw.wait_state("web", "failed")
    assert "depends_on: db was not ready within 0.3s: db " in web["why"]
    assert web["last"]["state"] == "skipped"


def test_a_dependency_that_is_restarted_is_waited_for_and_restarts_who_wants_that(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.web]
type = "continuous"
command = "sleep 600"
depends_on = ["db"]
on_dependency_restart = "restart"
[jobs.calm]
type = "continuous"
command = "sleep 600"
depends_on = ["db"]
[jobs.db]
type = "continuous"
command = "sleep 600"
[jobs.db.restart]
delays = ["200ms"]
""")
    web, calm = claw.wait_state("web", "running"), claw.wait_state("calm", "running")
    db = claw.wait_state("db", "running")

    os.kill(db["pid"], 9)

    claw.wait_until(
        lambda: (job := claw.job("web"))["state"] == "running" and job["pid"] != web["pid"],
        "another web",
    )
    assert claw.job("calm")["pid"] == calm["pid"]
    before = claw.job("web")["pid"]
    claw.ctl("restart", "db")
    claw.wait_until(
        lambda: (job := claw.job("web"))["state"] == "running" and job["pid"] != before,
        "another web",
    )
    kinds = [event["job"] for event in _events(claw, "attempt.started", "web", "db")]
    assert kinds == ["db", "web", "db", "web", "db", "web"]
    assert claw.job("calm")["pid"] == calm["pid"]


def test_a_dependency_that_has_failed_for_good_ends_who_wants_that(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.stops]
type = "continuous"
command = "sleep 600"
depends_on = ["db"]
on_dependency_failure = "stop"
[jobs.fails]
type = "continuous"
command = "sleep 600"
depends_on = ["db"]
on_dependency_failure = "fail"
[jobs.after]
type = "continuous"
command = "sleep 600"
depends_on = ["fails"]
on_dependency_failure = "fail"
[jobs.ignores]
type = "continuous"
command = "sleep 600"
depends_on = ["db"]
[jobs.db]
type = "continuous"
command = "sleep 600"
[jobs.db.restart]
policy = "never"
""")
    for name in ("stops", "fails", "after", "ignores"):
        claw.wait_state(name, "running")

    os.kill(claw.job("db")["pid"], 9)

    stops = claw.wait_state("stops", "stopped")
    assert "because of the end of db" in stops["why"]
    fails = claw.wait_state("fails", "failed")
    assert (fails["last"]["state"], fails["last"]["reason"]) == ("failed", "dependency_failed")
    assert "because of the end of fails" in claw.wait_state("after", "failed")["why"]
    assert claw.job("ignores")["state"] == "running"


def test_a_circle_is_refused_at_a_reload_and_changes_nothing(
    start_master: StartMaster,
) -> None:
    claw = start_master(CHAIN)
    before = claw.wait_state("web", "running")
    claw.configure(CHAIN + 'depends_on = ["web"]\n')

    claw.ctl("reload", status=2)

    assert claw.job("web")["pid"] == before["pid"]


def test_up_of_one_job_takes_in_what_it_needs_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "claw.toml").write_text(CHAIN + '[jobs.other]\ncommand = "x"\n')
    found = Configuration(str(tmp_path / "claw.toml"), str(tmp_path), only=("api",)).load()
    assert {job.name for job in found.jobs} == {"api", "db", "cache"}
