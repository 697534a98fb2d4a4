"""Readiness and health as the master finds them out, with real servers and real faults."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import process
from tests.kit import servers
from tests.kit.descriptors import free_descriptors
from tests.kit.master import MasterUnderTest, StartMaster, kill_process
from tests.kit.servers import Servers

Json = dict[str, Any]
PATIENCE = """
[defaults]
grace_period = "5s"
[defaults.restart]
delays = ["0s"]
"""


def service(name: str, command: str, **tables: Mapping[str, object]) -> str:
    """Return the configuration of one service."""
    lines = [f"[jobs.{name}]", 'type = "continuous"', f"command = {command!r}"]
    for table, keys in tables.items():
        lines += [f"[jobs.{name}.{table}]"]
        lines += [f"{key} = {value!r}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def events(claw: MasterUnderTest, job: str, *kinds: str) -> list[Json]:
    """Return what happened to a job, of some types."""
    found = claw.call("event.list", filter={"job": job}, limit=500)["events"]
    return [one for one in found if one["type"] in kinds]


def why(claw: MasterUnderTest, job: str) -> str:
    return "\n".join(claw.call("job.why", target=job)["lines"])


def wait_well(claw: MasterUnderTest, job: str) -> None:
    claw.wait_until(lambda: claw.job(job)["health"] == "healthy", "health")


def wait_asked(claw: MasterUnderTest, answers: "Answers", count: int) -> None:
    claw.wait_until(lambda: answers.count > count, "check")


class Answers:
    """A web server whose answers a test sets; it counts who asks."""

    def __init__(self) -> None:
        answers = self
        self.status, self.body, self.count = 200, b"all is well\n", 0
        self.gate = threading.Event()
        self.gate.set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.count += 1
                answers.gate.wait(60)
                with contextlib.suppress(OSError):
                    self.send_response(answers.status)
                    self.send_header("Content-Length", str(len(answers.body)))
                    self.end_headers()
                    self.wfile.write(answers.body)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/health"


@pytest.fixture
def answers() -> Iterator[Answers]:
    made = Answers()
    made.thread.start()
    yield made
    made.gate.set()
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


# -- readiness -------------------------------------------------------------------------------


@pytest.mark.skipif(bool(servers.MISSING), reason=f"not installed: {servers.MISSING}")
def test_real_servers_are_ready_when_they_answer(
    tmp_path: Path, start_master: StartMaster
) -> None:
    both = Servers(tmp_path / "servers")
    nginx = f"http://127.0.0.1:{both.nginx_port}/"
    claw = start_master(
        PATIENCE.replace("5s", "1s")
        + both.config
        + f"""
[jobs.redis.ready]
type = "log"
pattern = "Ready to accept connections"
interval = "100ms"
[jobs.redis.health]
type = "tcp"
address = "127.0.0.1:{both.redis_port}"
start_period = "0"
interval = "200ms"
[jobs.nginx.ready]
type = "http"
url = "{nginx}"
expected_body = "well served"
interval = "100ms"
[jobs.nginx.health]
type = "http"
url = "{nginx}"
start_period = "0"
interval = "200ms"
timeout = "2s"
failures = 2
"""
    )

    claw.ctl("wait", "redis", "--for", "ready")
    assert both.redis_answers()
    claw.ctl("wait", "nginx", "--for", "ready")
    assert both.nginx_answers()

    for name, kind in (("redis", "log"), ("nginx", "http")):
        [ready] = events(claw, name, "attempt.ready")
        assert ready["why"] == kind
        wait_well(claw, name)
    first = claw.job("nginx")["pid"]
    os.kill(first, signal.SIGSTOP)
    for worker in process.descendants_of(first):
        os.kill(worker, signal.SIGSTOP)
    ill = claw.wait_until(lambda: events(claw, "nginx", "job.unhealthy"), "illness")
    assert "no answer within 2s" in ill[0]["why"]
    claw.wait_until(lambda: claw.job("nginx")["pid"] not in {None, first}, "another nginx")
    wait_well(claw, "nginx")
    assert both.nginx_answers()
    assert "unhealthy: 2 checks in a row failed" in why(claw, "nginx") + str(
        [one["why"] for one in events(claw, "nginx", "attempt.stopping")]
    )


def test_a_service_is_starting_until_its_port_and_its_file_are_there(
    tmp_path: Path, start_master: StartMaster
) -> None:
    [port] = servers.free_ports(1)
    (tmp_path / "mark").touch()  # of an earlier life
    os.utime(tmp_path / "mark", (1000, 1000))
    wait = "while [ ! -e go ]; do sleep 0.05; done"
    server = f"{wait}; exec {sys.executable} -m http.server {port}"
    toucher = f"{wait}; touch mark; exec sleep 600"
    ready = {"interval": "100ms"}
    claw = start_master(
        PATIENCE.replace("[defaults]", f'[defaults]\ncwd = "{tmp_path}"')
        + service("port", server, ready={**ready, "type": "tcp", "address": port})
        + service("file", toucher, ready={**ready, "type": "file", "path": "mark"})
    )
    for name in ("port", "file"):
        claw.wait_state(name, "starting")
    refused = claw.wait_until(lambda: claw.job("port")["why"], "a reason")
    stale = claw.wait_until(lambda: claw.job("file")["why"], "a reason")
    assert refused == f"127.0.0.1:{port}: Connection refused"
    assert stale.endswith("mark: not written since the process was started")
    assert [claw.job(name)["state"] for name in ("port", "file")] == ["starting"] * 2
    assert [claw.job(name)["ready"] for name in ("port", "file")] == [False] * 2

    (tmp_path / "go").touch()

    for name in ("port", "file"):
        claw.ctl("wait", name, "--for", "ready")
        assert claw.job(name)["state"] == "running"


def test_start_tells_when_it_is_ready_or_why_not(start_master: StartMaster) -> None:
    claw = start_master(
        PATIENCE.replace("0s", "600s")
        + service("deaf", "sleep 600", ready={
            "type": "tcp", "address": "/nowhere/x.sock", "timeout": "1s", "interval": "100ms",
        })
        + service("good", "sleep 0.3; echo I am up; sleep 600", ready={
            "type": "log", "pattern": "am up$", "interval": "100ms",
        })
    )  # fmt: skip
    claw.wait_state("deaf", "backoff")
    claw.wait_state("good", "running")

    told = claw.ctl("restart", "deaf", status=1)
    fine = claw.ctl("restart", "good")

    assert "ready_timeout: not ready within 1 s: /nowhere/x.sock: No such file" in told
    assert "running" in fine
    assert [one["why"] for one in events(claw, "good", "attempt.ready")] == ["log", "log"]


def test_only_the_present_attempts_output_is_searched_and_no_pattern_stalls_the_search(
    start_master: StartMaster,
) -> None:
    slow = "(a+)+$"
    claw = start_master(
        PATIENCE
        + service(
            "twice", "[ -e $CLAW_HOME/been ] && exec sleep 600; touch $CLAW_HOME/been; echo up",
            ready={"type": "log", "pattern": "up", "timeout": "2s", "interval": "100ms"},
        )
        + service(
            "slow", "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab; sleep 600",
            ready={"type": "log", "pattern": slow, "interval": "100ms", "timeout": "60s"},
        )
        + service(
            "fine", "while :; do echo tick; sleep 0.05; done",
            ready={"type": "log", "pattern": "^tick$", "interval": "100ms"},
        )
    )  # fmt: skip

    claw.ctl("wait", "fine", "--for", "ready")
    claw.wait_until(
        lambda: "cannot be searched" in (claw.job("slow")["why"] or ""), "a refusal"
    )
    late = claw.wait_until(lambda: events(claw, "twice", "attempt.stopping"), "a failure")

    assert claw.job("slow")["why"].endswith("the pattern takes longer than 2 s")
    assert "no line of its output matches 'up' yet" in late[0]["why"]


# -- health ----------------------------------------------------------------------------------


def http_health(answers: Answers, **keys: object) -> dict[str, object]:
    return {
        "type": "http", "url": answers.url, "start_period": "0", "interval": "100ms",
        "timeout": "20s", "failures": 3, **keys,
    }  # fmt: skip


def test_an_ill_service_is_started_anew_after_so_many_failures_in_a_row(
    start_master: StartMaster, answers: Answers
) -> None:
    health = http_health(answers, expected_body="all is well")
    claw = start_master(PATIENCE + service("web", "sleep 600", health=health))
    wait_well(claw, "web")
    first = claw.job("web")["pid"]

    answers.body = b"half is well\n"
    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, first}, "another child")
    answers.body = b"all is well\n"

    wait_well(claw, "web")
    told = f"3 checks in a row failed: {answers.url}: the answer does not hold 'all is well'"
    assert events(claw, "web", "job.unhealthy")[0]["why"] == told
    assert events(claw, "web", "attempt.stopping")[0]["why"] == f"unhealthy: {told}"
    run = claw.call("run.show", run=claw.job("web")["run"])
    assert run["attempts"][0]["ended_for"] == f"unhealthy: {told}"
    assert run["attempts"][0]["signal"] == signal.SIGTERM


@pytest.mark.parametrize("kind", ["tcp", "http", "exec"])
def test_claws_own_shortage_is_no_fault_of_the_service(
    start_master: StartMaster, answers: Answers, kind: str
) -> None:
    health = http_health(answers, failures=1, type=kind)
    port = answers.server.server_port
    how = {"tcp": {"address": f"127.0.0.1:{port}"}, "exec": {"command": "true"}}.get(kind)
    if how is not None:
        del health["url"]
        health.update(how)
    claw = start_master(PATIENCE + service("web", "sleep 600", health=health))
    wait_well(claw, "web")
    first = claw.job("web")["pid"]
    [supervisor] = claw.supervisors().values()

    with free_descriptors(supervisor if kind == "exec" else claw.pid, 0):
        claw.wait_until(lambda: "job web: it could not be checked" in claw.stderr, "a note")

    claw.wait_until(lambda: "could not be" not in str(claw.job("web")["why"]), "a check")
    assert events(claw, "web", "job.unhealthy", "attempt.stopping") == []
    assert claw.job("web")["pid"] == first


def test_the_search_for_a_line_goes_on_after_a_shortage(start_master: StartMaster) -> None:
    waiter = "while [ ! -e $CLAW_HOME/go ]; do sleep 0.05; done; echo listening; sleep 600"
    ready = {"type": "log", "pattern": "^listening", "timeout": "60s", "interval": "100ms"}
    claw = start_master(PATIENCE + service("web", waiter, ready=ready))
    claw.wait_until(lambda: "matches" in str(claw.job("web")["why"]), "a look")

    with free_descriptors(claw.pid, 0):
        (claw.folder / "go").touch()
        claw.wait_until(lambda: "job web: it could not be checked" in claw.stderr, "a note")

    claw.ctl("wait", "web", "--for", "ready")


def test_a_flapping_check_restarts_nothing(start_master: StartMaster, answers: Answers) -> None:
    claw = start_master(PATIENCE + service("web", "sleep 600", health=http_health(answers)))
    wait_well(claw, "web")

    for _ in range(4):
        answers.status, count = 500, answers.count
        wait_asked(claw, answers, count)
        answers.status, count = 200, answers.count
        wait_asked(claw, answers, count + 1)

    assert events(claw, "web", "job.unhealthy", "attempt.stopping") == []
    assert claw.job("web")["restarts"] == 0


def test_an_alert_is_raised_once_and_nothing_is_restarted(
    start_master: StartMaster, answers: Answers
) -> None:
    answers.status = 503
    health = http_health(answers, action="alert", failures=1)
    claw = start_master(PATIENCE + service("web", "sleep 600", health=health))

    ill = claw.wait_state("web", "unhealthy")
    count = answers.count
    claw.wait_until(lambda: answers.count > count + 3, "more checks")
    claw.restart()
    again = claw.wait_state("web", "unhealthy")
    answers.status = 200
    claw.wait_state("web", "running")

    assert (ill["health"], again["pid"]) == ("unhealthy", ill["pid"])
    assert f"{answers.url}: status 503" in ill["why"]
    assert claw.call("alert.list")["alerts"] == []
    [alert] = claw.call("alert.list", all=True)["alerts"]
    assert alert["kind"] == "unhealthy"
    assert f"web is unhealthy: {answers.url}: status 503" in alert["text"]
    assert [one["type"] for one in events(claw, "web", "job.unhealthy", "job.healthy")] == [
        "job.unhealthy", "job.healthy",
    ]  # fmt: skip


def test_checks_that_hang_keep_no_other_waiting(
    start_master: StartMaster, answers: Answers
) -> None:
    with socket.socket() as deaf:  # takes connections and never answers
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(200)
        port = deaf.getsockname()[1]
        hanging = {**http_health(answers), "url": f"http://127.0.0.1:{port}/", "timeout": "60s"}
        config = PATIENCE + service("web", "sleep 600", health=http_health(answers))
        config += "".join(service(f"h{no}", "sleep 600", health=hanging) for no in range(12))
        claw = start_master(config)

        wait_well(claw, "web")
        count = answers.count
        claw.wait_until(lambda: answers.count > count + 5, "checks of the other")

        assert [claw.job(f"h{no}")["health"] for no in range(12)] == [None] * 12


def test_i3_checks_go_on_under_the_next_master(
    start_master: StartMaster, answers: Answers
) -> None:
    health = http_health(answers, start_period="1s")
    claw = start_master(PATIENCE + service("web", "sleep 600", health=health))
    first = claw.wait_state("web", "running")["pid"]

    claw.restart()
    wait_well(claw, "web")
    answers.status = 500
    claw.restart()

    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, first}, "another child")
    answers.status = 200
    wait_well(claw, "web")


def test_i3_readiness_is_found_by_the_next_master(start_master: StartMaster) -> None:
    waiter = "while [ ! -e $CLAW_HOME/go ]; do sleep 0.05; done; echo listening; sleep 600"
    claw = start_master(
        PATIENCE
        + service(
            "web", waiter, ready={"type": "log", "pattern": "^listening", "timeout": "60s"}
        )
    )
    before = claw.wait_state("web", "starting")
    [(sid, supervisor)] = claw.wait_until(lambda: claw.supervisors().items(), "a supervisor")

    claw.kill()
    assert kill_process(supervisor)
    claw.wait_until(lambda: claw.supervisors().get(sid, supervisor) != supervisor, "another")
    claw.start()
    fork_server = claw.call("daemon.status")["fork_server_pid"]
    assert kill_process(fork_server)
    (claw.folder / "go").touch()

    claw.ctl("wait", "web", "--for", "ready")
    after = claw.job("web")
    assert (after["pid"], after["run"]) == (before["pid"] or after["pid"], before["run"])
    assert sid in claw.supervisors()


def test_a_service_that_is_stopped_or_waits_is_never_checked(
    start_master: StartMaster, answers: Answers
) -> None:
    config = PATIENCE.replace("0s", "600s")
    claw = start_master(config + service("web", "sleep 600", health=http_health(answers)))
    wait_well(claw, "web")

    os.kill(claw.job("web")["pid"], signal.SIGKILL)
    claw.wait_state("web", "backoff")
    count = answers.count
    assert claw.job("web")["health"] is None
    claw.ctl("stop", "web")
    claw.ctl("status")
    assert answers.count <= count + 1  # one may have been under way
    claw.ctl("start", "web")
    claw.wait_until(lambda: answers.count > count + 2, "checks")


def test_commands_of_the_job_tell_of_readiness_and_of_health(
    start_master: StartMaster,
) -> None:
    ready = {"type": "exec", "command": "[ -e $CLAW_HOME/up ]", "interval": "100ms"}
    health = {
        "type": "exec", "command": "[ ! -e $CLAW_HOME/ill ] || { echo too ill; exit 3; }",
        "start_period": "0", "interval": "100ms", "failures": 2, "timeout": "20s",
    }  # fmt: skip
    claw = start_master(PATIENCE + service("web", "sleep 600", ready=ready, health=health))
    unready = claw.wait_until(lambda: claw.job("web")["why"], "a reason")
    assert unready == "the command ended with exit 1"

    (claw.folder / "up").touch()
    wait_well(claw, "web")
    first = claw.job("web")["pid"]
    (claw.folder / "ill").touch()
    ill = claw.wait_until(lambda: events(claw, "web", "job.unhealthy"), "illness")
    (claw.folder / "ill").unlink()

    told = "2 checks in a row failed: the command ended with exit 3: too ill"
    assert ill[0]["why"] == told
    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, first}, "another child")
    wait_well(claw, "web")


def test_a_changed_check_is_taken_up_without_a_restart(
    start_master: StartMaster, answers: Answers
) -> None:
    config = PATIENCE + service("web", "sleep 600", health=http_health(answers))
    claw = start_master(config)
    wait_well(claw, "web")
    first = claw.job("web")["pid"]

    claw.configure(
        config.replace("'http'", "'process'").replace(f"url = '{answers.url}'\n", "")
    )
    plan = claw.call("config.reload")
    assert [one["job"] for one in plan["live"]] == ["web"]
    count = answers.count
    os.kill(first, signal.SIGSTOP)

    ill = claw.wait_until(lambda: events(claw, "web", "job.unhealthy"), "illness")
    assert ill[0]["why"].endswith("it stands still (SIGSTOP)")
    assert answers.count <= count + 1
    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, first}, "another child")


def test_a_python_service_that_speaks_sd_notify_is_followed_and_watched(
    tmp_path: Path, start_master: StartMaster
) -> None:
    script = tmp_path / "service.py"
    script.write_text(NOTIFIER)
    health = {"watchdog": "2s"}
    claw = start_master(
        PATIENCE
        + service("web", f"{sys.executable} {script}", ready={"type": "notify"}, health=health)
    )
    claw.wait_until(lambda: claw.job("web")["status_text"] == "loading", "words")
    assert claw.job("web")["state"] == "starting"
    assert "it says: loading" in why(claw, "web")

    (claw.folder / "go").touch()
    claw.ctl("wait", "web", "--for", "ready")
    claw.wait_until(lambda: claw.job("web")["status_text"] == "serving", "words")
    assert "serving" in claw.ctl("status", "-v")
    first = claw.job("web")["pid"]
    claw.kill()
    os.kill(first, signal.SIGSTOP)  # nothing but its supervisor is there to notice
    claw.wait_until(lambda: process.is_zombie(first), "an end of what hangs")
    claw.start()

    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, first}, "another child")
    [stopping] = events(claw, "web", "attempt.stopping")
    assert stopping["why"] == "watchdog: no sign of life for 2 s"


NOTIFIER = """
import os, socket, time
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect(chr(0) + os.environ["NOTIFY_SOCKET"][1:])
out.send(b"STATUS=loading")
while not os.path.exists(os.environ["CLAW_HOME"] + "/go"):
    time.sleep(0.05)
out.send(b"READY=1\\nSTATUS=serving")
period_s = int(os.environ["WATCHDOG_USEC"]) / 1e6
assert os.environ["WATCHDOG_PID"] == str(os.getpid())
while True:
    out.send(b"WATCHDOG=1")
    time.sleep(period_s / 4)
"""
