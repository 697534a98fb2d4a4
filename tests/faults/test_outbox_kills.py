"""kill -9 of the master while a channel is down, while it comes back, and while it answers."""

import json
import threading
from collections import Counter
from pathlib import Path

from tests.kit.master import MasterUnderTest, StartMaster
from tests.kit.sink import Answer, Sink

CONFIG = """
[channels.web]
url = "{url}"
delays = ["0s", "100ms"]
max_attempts = 1000

[channels.log]
path = "{tmp}/log.jsonl"

[[hooks]]
on = ["run.succeeded"]
channel = "web"

[[hooks]]
on = ["run.succeeded"]
channel = "log"

[jobs.a]
command = "true"
max_instances = 4
"""
RUNS = 12


def logged(tmp: Path) -> list[str]:
    path = tmp / "log.jsonl"
    return (
        [json.loads(one)["run"] for one in path.read_text().splitlines()]
        if path.exists()
        else []
    )


def waiting(claw: MasterUnderTest) -> int:
    [web] = claw.call("delivery.list", channel="web")["channels"]
    return int(web["pending"])


def test_nothing_is_lost_and_nobody_else_held_up_while_the_master_is_killed_again_and_again(
    start_master: StartMaster, tmp_path: Path
) -> None:
    held = threading.Event()
    sink = Sink(lambda no: Answer(until=held) if no == 0 else Answer())
    claw = start_master(CONFIG.format(url=sink.url, tmp=tmp_path))
    runs: list[str] = []
    for _ in range(3):  # the channel is down
        runs += [claw.submit("a") for _ in range(RUNS // 3)]
        claw.kill()
        claw.start()
    claw.wait_until(lambda: set(logged(tmp_path)) == set(runs), "the other channel")
    assert waiting(claw) == RUNS

    with sink:  # it comes back, and answers when the master that asked is dead
        claw.wait_until(lambda: sink.posts, "the first post")
        claw.kill()
        held.set()
        claw.start()
        claw.wait_until(lambda: waiting(claw) == 0, "that all are sent")

    told = [post.json["run"] for post in sink.posts]
    assert set(told) == set(runs)
    assert len(set(sink.keys)) == RUNS
    assert Counter(told)[told[0]] >= 2
    assert sink.keys[0] == sink.keys[1]
    states = [one["state"] for one in claw.call("delivery.list", channel="web")["deliveries"]]
    assert states == ["sent"] * RUNS
    firsts = list(dict.fromkeys(told))
    assert firsts == logged_once(tmp_path)


def logged_once(tmp: Path) -> list[str]:
    """Return the runs in the order in which the other channel was told of them."""
    return list(dict.fromkeys(logged(tmp)))
