"""What did not happen, seen by a user: alerts of a real master, through clawctl."""

import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster

HELD = """
[daemon]
max_parallel = 1

[jobs.hold]
command = "until [ -e {go} ]; do sleep 0.05; done"

[jobs.tick]
command = "true"
schedule = "* * * * * *"
on_overlap = "queue"
overdue_after = "1s"
alerts = {{ on = ["succeeded"] }}
"""


def kinds(claw: MasterUnderTest, *, everything: bool = False) -> list[str]:
    """Return the kinds of the alerts that stand, or of all."""
    found: list[Json] = claw.call("alert.list", all=everything)["alerts"]
    return [alert["kind"] for alert in found]


def alert_events(claw: MasterUnderTest, job: str) -> list[str]:
    """Return what was said of a job's alerts, in order."""
    lines = claw.ctl("events", "--job", job, "--type", "alert.*", "--json").splitlines()
    return [json.loads(line)["type"] for line in lines]


def test_a_slot_whose_run_waits_for_long_is_overdue_until_it_runs(
    start_master: StartMaster, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    claw = start_master(
        HELD.format(go=go).replace("[jobs.tick]", "[jobs.tick]\nenabled = false")
    )
    ctl = Shell(claw.environment)
    claw.submit("hold")
    claw.wait_state("hold", "running")
    claw.configure(HELD.format(go=go))
    claw.call("config.reload")

    claw.wait_until(lambda: "overdue" in kinds(claw), "the alert")
    assert "overdue" in claw.job("tick")["why"]
    assert "max_parallel" in ctl("why", "tick").out
    assert "overdue" in ctl("status").err
    assert ctl("alerts", "ack", "tick").out == "1 alert noted\n"
    assert "overdue" not in ctl("status").err
    go.touch()

    claw.wait_until(lambda: "overdue" not in kinds(claw), "its end")
    claw.wait_until(lambda: "succeeded" in kinds(claw), "what was asked for")
    assert "overdue" in kinds(claw, everything=True)
    told = alert_events(claw, "tick")
    assert told.index("alert.raised") < told.index("alert.resolved")


def test_a_job_without_success_is_stale_also_when_it_is_paused_and_for_the_next_master(
    start_master: StartMaster,
) -> None:
    claw = start_master('[jobs.etl]\ncommand = "true"\nsuccess_within = "2s"\n')
    claw.call("job.pause", targets=["etl"])
    claw.wait_until(lambda: kinds(claw) == ["stale"], "the alert")
    claw.restart()
    assert "it is paused by" in claw.job("etl")["why"]
    claw.call("job.resume", targets=["etl"])
    claw.ended(claw.submit("etl"))
    told = claw.wait_until(lambda: alert_events(claw, "etl")[1:], "the alert's end")
    assert told[0] == "alert.resolved"


def test_a_switch_outside_is_told_of_start_and_end_and_shown_to_have_been(
    start_master: StartMaster,
) -> None:
    with Switch() as switch:
        text = f'[jobs.etl]\ncommand = "exit 3"\nping = "{switch.url}"\n'
        claw = start_master(text)
        claw.ended(claw.submit("etl"))
        claw.wait_until(lambda: switch.paths == ["/etl/start", "/etl/fail"], "the calls")
        shown = claw.wait_until(
            lambda: (ping := claw.job("etl")["ping"])["done_at"] and ping, "what is kept"
        )
        assert (shown["kind"], shown["problem"]) == ("fail", None)
        assert "its ping (fail of run " in claw.ctl("why", "etl")
        assert "fail sent" in claw.ctl("status", "-v")


class Switch:
    """A web server that keeps what it was asked for."""

    def __init__(self) -> None:
        self.paths = paths = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}/etl"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


PROMISED = """
[jobs.etl]
command = "exit 1"
sla = { success_rate = 90, error_budget = { period = "week", failures = 1 } }

[jobs.other]
command = "true"
"""


def test_a_promise_is_scored_and_told_when_it_is_broken(start_master: StartMaster) -> None:
    claw = start_master(PROMISED)
    ctl = Shell(claw.environment)
    run = claw.submit("etl")
    claw.ended(run)

    (score,) = ctl("sla", "--json").json["jobs"]
    assert (score["rate"], score["passes"], score["fails"]) == (0.0, 0, 1)
    assert (score["budget"]["left"], score["budget"]["spent"]) == (0, 1)
    shown = ctl("sla", "etl").lines
    assert "0 of 1" in shown[1]
    assert shown[-1].split() == [run[-6:], "fail", "failed"]
    assert kinds(claw) == ["sla", "sla"]
    assert "nothing is promised" in ctl("sla", "other").out


SECRETIVE = """
[jobs.etl]
command = "echo said; exit 1"
env = { PGPASSWORD = "hush", LEVEL = "3", WHERE = "db.example" }
ping = "http://127.0.0.1:9/hush"
"""


def test_an_incident_holds_what_is_known_and_no_secret(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(SECRETIVE)
    ctl = Shell(claw.environment)
    run = claw.submit("etl")
    claw.ended(run)
    path = tmp_path / "it.tar.gz"

    assert ctl("incident", "etl", "-o", str(path)).out == f"{path}\n"
    assert "cannot be made" in ctl("incident", "etl", "-o", str(path), status=2).err
    assert ctl("incident", "nosuchjob", status=4).fault

    with tarfile.open(path) as archive:
        parts = {name: archive.extractfile(name) for name in archive.getnames()}
        texts = {name: part.read().decode() for name, part in parts.items() if part}
    assert path.stat().st_mode & 0o777 == 0o600
    assert texts[f"it/output/{run}.log"] == "said\n"
    assert json.loads(texts["it/manifest.json"])["left_out"] == []
    assert json.loads(texts[f"it/runs/{run}/run.json"])["attempts"][0]["exit_code"] == 1
    (journal,) = [name for name in texts if "/journal-" in name]
    assert '"exited"' in texts[journal]
    assert "run.failed" in texts["it/events.jsonl"]
    assert '"LEVEL": "3"' in texts["it/configuration.json"]
    assert not [name for name, text in texts.items() if "hush" in text]
    assert "db.example" not in texts["it/configuration.json"]
