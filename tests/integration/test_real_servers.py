"""redis-server, nginx and a crontab's worth of scheduled jobs under one master."""

import json
from pathlib import Path

import pytest

from claw.kernel import process
from claw.master.configuration import Configuration
from tests.kit import servers
from tests.kit.ledger import Ledger
from tests.kit.master import StartMaster
from tests.kit.servers import Servers
from tests.kit.witness import Witness

pytestmark = pytest.mark.skipif(
    bool(servers.MISSING), reason=f"not installed: {', '.join(servers.MISSING)}"
)

CRONTAB = {
    # What people's crontabs hold, none of which is due while a test runs, but for luck.
    "newsyslog": ("0 * * * *", "UTC"),
    "daily": ("30 1 * * *", "UTC"),
    "weekly": ("30 3 * * 6", "America/Sao_Paulo"),
    "monthly": ("30 5 1 * *", "Europe/Berlin"),
    "save-entropy": ("*/11 * * * *", "UTC"),
    "adjkerntz": ("1,31 0-5 * * *", "America/New_York"),
    "discovery": ("33 */6 * * *", "UTC"),
    "poller": ("*/5 * * * *", "UTC"),
    "le-renew": ("8 2 * * *", "Asia/Kolkata"),
    "nightly": ("15 6 * * mon-fri", "Australia/Sydney"),
    "at-daily": ("@daily", "UTC"),
    "logrotate": ("@weekly", "UTC"),
}
QUICK = {
    "heartbeat": ("* * * * * *", "UTC"),
    "collect": ("*/2 * * * * *", "UTC"),
    "sweep": ("@every 1500ms", "UTC"),
}


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


def config_of(both: Servers, witness: Witness) -> str:
    text = both.config
    for name, (schedule, zone) in {**CRONTAB, **QUICK}.items():
        text += f"""
[jobs.{name}]
{witness.command(0, 3)}
schedule = "{schedule}"
timezone = "{zone}"
tags = ["cron"]
"""
    return text


def test_servers_answer_and_crontabs_fire(
    tmp_path: Path, start_master: StartMaster, witness: Witness
) -> None:
    both = Servers(tmp_path / "servers")
    claw = start_master(config_of(both, witness))
    redis, nginx = claw.wait_state("redis", "running"), claw.wait_state("nginx", "running")
    claw.wait_until(both.answer, "answer of both servers")

    claw.wait_until(
        lambda: all(sum(line.job == name for line in witness.lines()) >= 2 for name in QUICK),
        "two fires of each quick job",
    )
    shown = {job["name"]: job for job in json.loads(claw.ctl("status", "--json"))["jobs"]}
    assert set(shown) == {"redis", "nginx", *CRONTAB, *QUICK}
    assert [shown[name]["pid"] for name in ("redis", "nginx")] == [redis["pid"], nginx["pid"]]
    for name in (*CRONTAB, *QUICK):
        assert claw.scheduled(name)["next_at"], name
        assert shown[name]["state"] in {"waiting", "scheduled", "running", "starting"}, name

    assert "Ready to accept connections" in claw.ctl("logs", "redis")
    assert "start worker process" in claw.ctl("logs", "nginx")
    assert claw.ctl("logs", "heartbeat").startswith("1\n2\n3\n")
    listed = claw.ctl("status")
    assert all(name in listed for name in ("redis", "nginx", "heartbeat", "le-renew"))

    claw.ctl("stop", "redis", "tag:cron")
    assert claw.wait_state("redis", "stopped")["last"]["state"] == "canceled"
    assert not both.redis_answers()
    assert both.nginx_answers()
    assert "Redis is now ready to exit" in claw.ctl("logs", "redis")
    claw.wait_until(
        lambda: (
            not [run for run in claw.runs() if run["state"] in {"queued", "claimed"}]
            and not [run for run in claw.runs("sweep") if run["state"] == "running"]
        ),
        "rest",
    )

    ledger = Ledger(claw, witness.lines())
    jobs = Configuration(claw.home.config).load().jobs
    assert ledger.wrongs() == []
    assert list(ledger.wrong_slots(job for job in jobs if job.schedule)) == []

    claw.ctl("start", "redis")
    claw.wait_until(both.answer, "answer of both servers")
    assert claw.job("nginx")["pid"] == nginx["pid"]


def test_a_reload_of_one_server_and_its_end_leave_no_process(
    tmp_path: Path, start_master: StartMaster
) -> None:
    both = Servers(tmp_path / "servers")
    claw = start_master(both.config)
    redis, nginx = (claw.wait_state(name, "running")["pid"] for name in ("redis", "nginx"))
    claw.wait_until(both.answer, "answer of both servers")
    workers = process.descendants_of(nginx)
    assert workers

    claw.configure(both.config.replace("--save ''", "--save '' --databases 3"))
    claw.ctl("reload")
    claw.wait_until(lambda: claw.job("redis")["pid"] not in {None, redis}, "another redis")
    claw.wait_until(both.answer, "answer of both servers")
    assert claw.job("nginx")["pid"] == nginx

    claw.ctl("stop", "all")
    claw.wait_state("nginx", "stopped")
    assert all(process.is_zombie(pid) for pid in (nginx, *workers))
    assert not both.nginx_answers()
    assert not both.redis_answers()
