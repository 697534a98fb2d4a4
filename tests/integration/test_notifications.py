"""Who is told what, seen by a user: channels, hooks and aliases of a real master."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster
from tests.kit.sink import Answer, Sink

CONFIG = """
[channels.log]
path = "{tmp}/log.jsonl"

[channels.web]
url = "{url}/hooks/{{to}}"
headers = {{ Authorization = "Bearer of-nothing" }}
delays = ["0s", "1h"]

[[hooks]]
on = ["run.succeeded"]
argv = ["sh", "-c", "cat >> {tmp}/hook.jsonl; env >> {tmp}/hook.env"]

[[hooks]]
on = ["job.paused"]
channel = "log"
text = "{{job}} was paused by {{by}}"

[jobs.bad]
command = "echo said; exit 3"
alerts = {{ on = ["failed"], channel = "web", to = "@team" }}
delivery = {{ mode = "announce", channel = "log" }}

[jobs.good]
command = "true"
"""


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text().splitlines()] if path.exists() else []


def states(claw: MasterUnderTest, channel: str) -> list[str]:
    found = claw.call("delivery.list", channel=channel)["deliveries"]
    return [one["state"] for one in found]


def test_hooks_alerts_and_output_reach_whom_they_are_for(
    start_master: StartMaster, tmp_path: Path
) -> None:
    with Sink() as sink:
        claw = start_master(CONFIG.format(tmp=tmp_path, url=sink.url))
        ctl = Shell(claw.environment)
        assert ctl("alias", "list").out == "no aliases\n"
        said = ctl("alias", "add", "@team", "web", "--to", "#ops").out
        assert said == "@team stands for channel web, to #ops\n"
        assert ctl("alias", "list", "--json").json["aliases"][0]["name"] == "team"

        run = ctl("run", "bad", "--wait", status=3).lines[0]
        ctl("run", "good", "--wait")
        ctl("pause", "good")
        claw.wait_until(lambda: len(lines(tmp_path / "log.jsonl")) == 2, "both messages")
        claw.wait_until(lambda: sink.posts, "the alert")
        claw.wait_until(lambda: "sent" in str(ctl("delivery", "list").out), "the list")

    output, paused = lines(tmp_path / "log.jsonl")
    assert (output["kind"], output["run"], output["text"]) == ("output", run, "said")
    assert paused["text"].startswith("good was paused by ")
    [post] = sink.posts
    assert post.path == "/hooks/%23ops"
    assert post.headers["Authorization"] == "Bearer of-nothing"
    assert post.json["id"] == post.headers["Idempotency-Key"]
    assert (post.json["type"], post.json["to"], post.json["address"]) == (
        "alert.raised", "failed", "#ops",
    )  # fmt: skip
    claw.wait_until(lambda: lines(tmp_path / "hook.jsonl"), "the hook")
    assert lines(tmp_path / "hook.jsonl")[0]["job"] == "good"
    env = dict(one.split("=", 1) for one in (tmp_path / "hook.env").read_text().splitlines())
    assert env["CLAW_EVENT_TYPE"] == "run.succeeded"
    assert env["CLAW_HOME"] == claw.environment["CLAW_HOME"]
    ctl("alias", "remove", "@team")
    assert "there is no alias" in ctl("alias", "remove", "@team", status=4).fault


def test_a_message_that_was_not_taken_is_listed_with_its_problem_and_tried_when_asked(
    start_master: StartMaster, tmp_path: Path
) -> None:
    def answer(no: int) -> Answer:
        return Answer(200) if no >= 2 else Answer(503, body=b"not now")

    with Sink(answer) as sink:
        claw = start_master(CONFIG.format(tmp=tmp_path, url=sink.url))
        ctl = Shell(claw.environment)
        assert "has {to}" in ctl("delivery", "test", "web", status=2).fault
        assert "there is no channel" in ctl("delivery", "test", "wep", status=4).fault
        ctl("delivery", "test", "web", "--to", "x")
        claw.wait_until(lambda: len(sink.posts) == 2, "the second try")

        def problem() -> str:
            return ctl("delivery", "list", "--state", "pending", "--channel", "web").out

        claw.wait_until(lambda: "status 503: not now" in problem(), "the problem")
        assert "web: 1 wait" in problem()
        assert "which messages?" in ctl("delivery", "retry", status=2).fault
        assert "no message 77" in ctl("delivery", "retry", "77", status=4).fault
        assert ctl("delivery", "retry", "--all").out == "1 message tried again\n"
        claw.wait_until(lambda: states(claw, "web") == ["sent"], "that it was sent")

    assert len(set(sink.keys)) == 1
    assert [post.json["try"] for post in sink.posts] == [1, 2, 1]


def test_a_channel_that_is_changed_by_a_reload_sends_what_waits(
    start_master: StartMaster, tmp_path: Path
) -> None:
    wrong = '[channels.log]\npath = "{tmp}/none/log.jsonl"\ndelays = ["1h"]\n'
    claw = start_master(wrong.format(tmp=tmp_path))
    ctl = Shell(claw.environment)
    ctl("delivery", "test", "log")
    claw.wait_until(lambda: "No such file" in ctl("delivery", "list").out, "the problem")

    claw.configure(wrong.replace("none/", "").format(tmp=tmp_path))
    assert "channels.log" in ctl("plan").out
    ctl("reload")
    ctl("delivery", "retry", "--all")

    claw.wait_until(lambda: lines(tmp_path / "log.jsonl"), "the message")
    claw.configure("")
    ctl("reload")
    assert "there is no channel" in ctl("delivery", "test", "log", status=4).fault


SLOW = """
[channels.slow]
command = "cat {fifo}"
timeout = "300ms"
delays = ["1h"]
max_pending = 2

[channels.log]
path = "{tmp}/log.jsonl"

[[hooks]]
on = ["job.paused"]
channel = "slow"

[[hooks]]
on = ["job.paused", "alert.raised"]
channel = "log"

[jobs.a]
command = "true"
"""


def test_a_channel_that_takes_too_long_holds_up_no_other_and_drops_the_oldest(
    start_master: StartMaster, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    claw = start_master(SLOW.format(fifo=fifo, tmp=tmp_path))
    ctl = Shell(claw.environment)
    for _ in range(4):
        ctl("pause", "a")
        ctl("resume", "a")

    def listed(state: str) -> list[str | None]:
        found = claw.call("delivery.list", channel="slow", state=state)["deliveries"]
        return [one["problem"] for one in found]

    claw.wait_until(lambda: len(lines(tmp_path / "log.jsonl")) == 5, "the other channel")
    claw.wait_until(lambda: len(listed("dropped")) == 2, "that two are dropped")
    claw.wait_until(lambda: "no answer within 0.3s" in listed("pending"), "the problem")
    assert "2 messages were dropped" in ctl("alerts", "list").out
    assert "slow: 2 wait, 2 were dropped" in ctl("delivery", "list").out
    said = Counter(one["type"] for one in lines(tmp_path / "log.jsonl"))
    assert said == {"job.paused": 4, "alert.raised": 1}, "the alert that some were dropped"
