"""Readiness that a supervisor learns itself, the watchdog, what a child says of itself."""

import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import process
from claw.supervisor.notify import Notices
from claw.wire.supervision import NOTIFY
from tests.kit import supervision
from tests.kit.descriptors import free_descriptors
from tests.kit.supervision import Bench, Supervised, ladder

SPEAKER = """
import os, signal, socket, sys, time
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if "NOTIFY_SOCKET" in os.environ:
    out.connect("\\0" + os.environ["NOTIFY_SOCKET"][1:])
def say(*lines, fds=()):
    data = "\\n".join(lines).encode()
    socket.send_fds(out, [data], list(fds))
def pass_barrier():  # all that was said is taken in
    ours, theirs = os.pipe()
    say("BARRIER=1", fds=[theirs])
    os.close(theirs)
    os.read(ours, 1)
def wait_for(name):
    while not os.path.exists(name):
        time.sleep(0.01)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def speak(bench: Bench, script: str, **changes: Any) -> Supervised:
    """Launch a child that speaks sd_notify(3)."""
    argv = [sys.executable, "-c", SPEAKER + script]
    return bench.launch(argv, **{"ready": "notify", **changes})


def touch(bench: Bench, name: str) -> None:
    (bench.home / name).touch()


# -- readiness -----------------------------------------------------------------------------


def test_a_child_that_says_ready_is_ready_once(bench: Bench) -> None:
    one = speak(bench, 'say("READY=1"); say("READY=1"); say("STATUS=x"); time.sleep(600)')

    one.wait_for("status")

    assert [(line["attempt"], line["by"]) for line in one.of("ready")] == [(1, "notify")]
    assert one.of("started")[0]["ready"] == "notify"


def test_a_newline_on_the_descriptor_is_readiness_as_s6_has_it(bench: Bench) -> None:
    script = "printf x >&7; while [ ! -e go ]; do sleep 0.01; done; echo >&7; exec sleep 600"
    one = bench.launch(["sh", "-c", script], ready="fd", ready_fd=7)
    one.wait_for("started")
    assert one.of("ready") == []

    touch(bench, "go")

    assert one.wait_for("ready")["by"] == "fd"


@pytest.mark.parametrize("number", range(3, 13))
def test_the_descriptor_of_readiness_may_have_any_number(bench: Bench, number: int) -> None:
    one = bench.launch(
        ["bash", "-c", f"echo >&{number}; ls /proc/self/fd; exec sleep 600"],
        ready="fd", ready_fd=number,
    )  # fmt: skip

    assert one.wait_for("ready")["by"] == "fd"
    assert one.of("started")[0]["ready"] == "fd"


def test_what_an_earlier_child_said_is_not_said_by_the_next(bench: Bench) -> None:
    script = "[ -e been ] && exec sleep 600; touch been; echo >&3; echo >&3; echo >&3"
    one = bench.launch(["sh", "-c", script], ready="fd", restart=ladder())

    one.wait_for("started", 2)
    one.tell(op="ready", attempt=2, by="test")

    assert [(line["attempt"], line["by"]) for line in one.of("ready")] in (
        [(1, "fd"), (2, "test")],
        [(2, "test")],  # it had ended before it was heard
    )


def test_a_child_that_is_not_ready_in_time_has_failed(bench: Bench) -> None:
    one = bench.launch(
        ["sh", "-c", "[ -e been ] && { echo >&3; exec sleep 600; }; touch been; sleep 600"],
        ready="fd", ready_timeout_s=1.5, restart=ladder(),
    )  # fmt: skip

    assert one.wait_for("ready")["attempt"] == 2
    [stopping] = one.of("stopping")
    assert (stopping["why"], stopping["attempt"]) == ("ready_timeout", 1)
    assert stopping["text"] == "not ready within 1.5 s"


def test_a_run_that_is_not_ready_in_time_ends_for_that(bench: Bench) -> None:
    one = bench.launch(["sleep", "600"], ready="notify", ready_timeout_s=0.2)

    assert one.wait_for("ended")["why"] == "ready_timeout"


def test_a_child_may_ask_for_more_time_to_become_ready(bench: Bench) -> None:
    script = """
for _ in range(5):
    say("EXTEND_TIMEOUT_USEC=20000000")
    time.sleep(0.7)
say("READY=1")
time.sleep(600)
"""
    one = speak(bench, script, ready_timeout_s=3.0)

    one.wait_for("ready")

    assert one.of("stopping") == []


def test_a_child_may_ask_for_more_time_to_end(bench: Bench) -> None:
    script = """
def end(*_):
    for _ in range(5):
        say("STOPPING=1", "STATUS=saving", "EXTEND_TIMEOUT_USEC=20000000")
        time.sleep(0.6)
    sys.exit(7)
signal.signal(signal.SIGTERM, end)
say("READY=1")
signal.pause()
"""
    one = speak(bench, script, grace_s=2.5)
    one.wait_for("ready")

    one.tell(op="stop", why="stop", by="test")

    assert one.wait_for("exited")["code"] == 7


@pytest.mark.parametrize("by", ["notify", "fd", "http"])
def test_i4_readiness_is_heard_by_whoever_supervises_then(bench: Bench, by: str) -> None:
    script = "wait_for('go')\n" + ("os.write(3, b'\\n')" if by == "fd" else 'say("READY=1")')
    extra: dict[str, Any] = {"watchdog_s": 600.0} if by == "http" else {}
    one = speak(
        bench, f"{script}\ntime.sleep(600)", ready=by, ready_timeout_s=60.0,
        **extra,
    )  # fmt: skip
    one.wait_for("started")

    one.kill()
    one.wait_for("taken_over")
    one.kill()
    touch(bench, "go")
    one.wait_for("taken_over", 2)
    if by == "http":
        assert one.of("ready") == []
        one.tell(op="ready", attempt=1, by="http")

    assert one.wait_for("ready")["by"] == by
    assert [line["pid"] for line in one.of("started")] == [one.lines()[1]["pid"]]


def test_i4_what_was_said_while_nobody_supervised_is_heard_later(bench: Bench) -> None:
    script = "wait_for('go'); say('READY=1'); open('said', 'w'); time.sleep(600)"
    one = speak(bench, script)
    one.wait_for("started")
    fork_server = bench.process.pid
    os.kill(fork_server, signal.SIGSTOP)  # nobody replaces the supervisor for now
    try:
        supervisor = one.first_pid
        process.kill(supervisor, signal.SIGKILL)
        touch(bench, "go")
        one.wait_until((bench.home / "said").exists, "word")
    finally:
        os.kill(fork_server, signal.SIGCONT)

    assert one.wait_for("ready")["by"] == "notify"


def test_i4_the_time_to_become_ready_goes_on_after_a_takeover(bench: Bench) -> None:
    one = bench.launch(["sleep", "600"], ready="notify", ready_timeout_s=1.5)
    one.wait_for("started")

    one.kill()
    one.wait_for("taken_over")

    ended = one.wait_for("stopping")
    assert ended["why"] == "ready_timeout"
    assert ended["b"] - one.of("started")[0]["b"] >= 1.5
    assert one.wait_for("exited")["signal"] == signal.SIGTERM


def test_a_probe_of_the_master_is_told_to_the_present_attempt_alone(bench: Bench) -> None:
    one = bench.launch(
        ["sleep", "600"], ready="tcp", ready_timeout_s=2.0, restart=ladder(delays_s=[600.0])
    )
    one.wait_for("started")

    one.tell(op="ready", attempt=2, by="tcp")
    one.tell(op="unready", attempt=1, why="nobody listens")

    assert one.wait_for("stopping")["text"] == "not ready within 2 s: nobody listens"
    one.wait_for("exited")
    one.tell(op="ready", attempt=1, by="tcp")
    one.tell(op="health", attempt=1, state="unhealthy", why="late")
    assert one.of("ready") == one.of("health") == []


# -- watchdog ------------------------------------------------------------------------------


def test_a_child_that_gives_no_sign_of_life_has_failed(bench: Bench) -> None:
    script = """
assert os.environ["WATCHDOG_PID"] == str(os.getpid())
say("READY=1")
for _ in range(9):
    say("WATCHDOG=1")
    time.sleep(0.5)
time.sleep(600)
"""
    one = speak(bench, script, watchdog_s=3.0)

    stopping = one.wait_for("stopping")

    assert (stopping["why"], stopping["text"]) == ("watchdog", "no sign of life for 3 s")
    assert stopping["b"] - one.of("ready")[0]["b"] >= 9 * 0.5
    assert one.wait_for("exited")["signal"] == signal.SIGABRT
    assert one.wait_for("ended")["why"] == "watchdog"


def test_a_watchdog_does_not_count_before_readiness(bench: Bench) -> None:
    one = speak(bench, "time.sleep(1.2); say('READY=1'); os._exit(0)", watchdog_s=1.0)

    one.wait_for("exited")

    assert one.of("stopping") == []
    assert len(one.of("ready")) == 1


def test_a_child_may_trigger_its_watchdog_and_change_its_time(bench: Bench) -> None:
    script = """
say("READY=1", "WATCHDOG_USEC=600000000")
wait_for("go")
say("WATCHDOG=trigger")
time.sleep(600)
"""
    one = speak(bench, script, watchdog_s=20.0)

    assert one.wait_for("watchdog")["period_s"] == 600.0
    touch(bench, "go")

    assert one.wait_for("stopping")["text"] == "the process asked for it (WATCHDOG=trigger)"


def test_i4_a_watchdog_counts_on_under_a_replacement(bench: Bench) -> None:
    one = speak(bench, "say('READY=1'); time.sleep(600)", watchdog_s=1.0)
    one.wait_for("ready")

    one.kill()
    one.wait_for("taken_over")

    assert one.wait_for("stopping")["why"] == "watchdog"


# -- what it says ----------------------------------------------------------------------------


def test_words_of_a_child_are_put_on_record_once_a_second_at_most(bench: Bench) -> None:
    script = """
say("READY=1")
for number in range(200):
    say(f"STATUS=number {number}")
say("RELOADING=1", f"MONOTONIC_USEC={int(time.monotonic() * 1e6)}")
say("READY=1", "STATUS=again\\x1b[2J up")
time.sleep(600)
"""
    one = speak(bench, script)

    one.wait_until(
        lambda: (lines := one.of("status")) and lines[-1]["text"] == "again [2J up", "last word"
    )

    times = [line["b"] for line in one.of("status")]
    gaps = [after - before for before, after in pairwise(times)]
    assert all(gap >= 0.99 for gap in gaps)
    assert len(one.of("ready")) == 1


def test_a_barrier_is_answered_and_no_descriptor_kept(bench: Bench) -> None:
    script = """
say("READY=1")
for message in ("BARRIER=1", "FDSTORE=1", "X_NONSENSE", ""):
    ours, theirs = os.pipe()
    say(message, fds=[theirs])
    os.close(theirs)
    assert os.read(ours, 1) == b""
say("STATUS=passed")
time.sleep(600)
"""
    one = speak(bench, script)

    assert one.wait_for("status")["text"] == "passed"


def test_strangers_are_not_listened_to(bench: Bench) -> None:
    one = speak(bench, "open('name', 'w').write(os.environ['NOTIFY_SOCKET']); wait_for('go')\n"
                "say('READY=1'); time.sleep(600)")  # fmt: skip
    name = one.wait_until(
        lambda: (bench.home / "name").exists() and (bench.home / "name").read_text()
    )
    stranger = SPEAKER + "say('READY=1', f'MAINPID={os.getpid()}'); say('WATCHDOG=trigger')"

    done = os.spawnve(
        os.P_WAIT, sys.executable, [sys.executable, "-c", stranger],
        {**os.environ, "NOTIFY_SOCKET": name},
    )  # fmt: skip

    assert done == 0
    one.tell(op="hello")  # two turns of its loop, in the first of which it has heard them
    assert one.of("ready") == one.of("main") == one.of("stopping") == []
    touch(bench, "go")
    one.wait_for("ready")


def test_a_grandchild_may_become_the_child(bench: Bench) -> None:
    script = """
pid = os.fork()
if pid:
    say(f"MAINPID={pid}", "READY=1")
    os._exit(0)
wait_for("go")
sys.exit(5)
"""
    one = speak(bench, script)

    main = one.wait_for("main")
    one.wait_for("ready")
    assert main["pid"] != one.of("started")[0]["pid"]
    touch(bench, "go")

    exited = one.wait_for("exited")
    assert (exited["pid"], exited["code"]) == (main["pid"], 5)


def test_i4_a_grandchild_that_became_the_child_is_taken_over(bench: Bench) -> None:
    script = """
pid = os.fork()
if pid:
    say(f"MAINPID={pid}", "READY=1")
    os._exit(0)
wait_for("go")
sys.exit(5)
"""
    one = speak(bench, script)
    one.wait_for("ready")

    one.kill()
    one.wait_for("taken_over")
    touch(bench, "go")

    exited = one.wait_for("exited")
    assert (exited["pid"], exited["code"]) == (one.of("main")[0]["pid"], 5)


HAND_ON = """
pid = os.fork()
if pid:
    say("STATUS=up")
    wait_for("go")
    say(f"MAINPID={pid}", "READY=1", "STATUS=handed on")
    pass_barrier()
    open("passed", "w")
    wait_for("leave")
    os._exit(0)
wait_for("end")
sys.exit(5)
"""


def test_i7_a_grandchild_becomes_the_child_on_a_full_disk_too(bench: Bench) -> None:
    one = speak(bench, HAND_ON)
    one.wait_for("status")
    first = one.of("started")[0]["pid"]
    touch(bench, "leave")
    soft = resource.prlimit(one.first_pid, resource.RLIMIT_FSIZE)
    resource.prlimit(one.first_pid, resource.RLIMIT_FSIZE, (0, soft[1]))

    touch(bench, "go")
    now = one.wait_until(
        lambda: (pid := one.tell(op="hello")["child"]) != first and pid, "another child"
    )
    one.wait_until(lambda: process.stat_of(first) is None, "the end of the first")
    assert one.of("main") == []
    resource.prlimit(one.first_pid, resource.RLIMIT_FSIZE, soft)

    assert one.wait_for("main")["pid"] == now
    assert one.wait_for("ready")["by"] == "notify"
    assert one.wait_for("status", 2)["text"] == "handed on"
    assert one.of("exited") == []
    touch(bench, "end")
    exited = one.wait_for("exited")
    assert (exited["pid"], exited["code"]) == (now, 5)


def test_no_grandchild_is_given_up_for_want_of_a_descriptor(bench: Bench) -> None:
    one = speak(bench, HAND_ON)
    one.wait_for("status")  # nothing of its start is open any more
    first = one.of("started")[0]["pid"]

    with free_descriptors(one.first_pid, 1):
        touch(bench, "go")
        one.wait_until((bench.home / "passed").exists, "word")
        assert one.of("main") == []

    assert one.wait_for("main")["pid"] != first
    assert one.of("exited") == []
    touch(bench, "leave")
    touch(bench, "end")
    exited = one.wait_for("exited")
    assert (exited["pid"], exited["code"]) == (one.of("main")[0]["pid"], 5)


def test_no_child_fills_the_journal_with_what_it_says(bench: Bench) -> None:
    script = """
pids = []
for _ in range(2):
    pids.append(os.fork())
    if not pids[-1]:
        time.sleep(600)
for number in range(100):
    say(f"STATUS={number}", f"WATCHDOG_USEC={600 + number}000000",
        f"MAINPID={pids[number % 2]}", f"EXTEND_TIMEOUT_USEC={600 + number * 10}000000")
pass_barrier()
open("said", "w")
time.sleep(600)
"""
    one = speak(bench, script, watchdog_s=600.0)

    one.wait_until((bench.home / "said").exists, "word")
    one.wait_until(
        lambda: (lines := one.of("watchdog")) and lines[-1]["period_s"] == 699.0, "last word"
    )

    counts = {ev: len(one.of(ev)) for ev in ("status", "watchdog", "extended", "main")}
    assert max(counts[ev] for ev in ("status", "watchdog", "extended")) <= 8, counts
    assert 2 <= counts["main"] <= 16


def test_who_floods_the_socket_waits(bench: Bench) -> None:
    one = speak(bench, "open('name', 'w').write(os.environ['NOTIFY_SOCKET']); wait_for('go')\n"
                "say('READY=1'); time.sleep(600)")  # fmt: skip
    name = one.wait_until(
        lambda: (bench.home / "name").exists() and (bench.home / "name").read_text()
    )
    began = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as flood:
        flood.connect("\0" + name[1:])
        for _ in range(1600):
            flood.send(b"WATCHDOG=1")

    assert time.monotonic() - began >= 2.0
    touch(bench, "go")
    one.wait_for("ready")


def test_what_an_earlier_child_left_does_not_speak_for_the_next(bench: Bench) -> None:
    script = """
if os.path.exists("been"):
    open("second", "w")
    time.sleep(600)
open("been", "w")
if os.fork():
    os._exit(0)
wait_for("second")
say("READY=1", f"MAINPID={os.getpid()}")
pass_barrier()
open("said", "w")
time.sleep(600)
"""
    one = speak(bench, script, kill_mode="process", restart=ladder())

    one.wait_until((bench.home / "said").exists, "word")
    assert one.of("ready") == one.of("main") == []
    assert one.wait_for("started", 2)["pid"] == one.tell(op="hello")["child"]
    for pid in process.children_of(one.first_pid):  # kill_mode leaves it to its user
        process.kill(pid, signal.SIGKILL)


def test_no_command_beside_the_child_speaks_for_it(bench: Bench) -> None:
    script = SPEAKER + "say('READY=1', 'WATCHDOG=trigger'); pass_barrier()"
    one = speak(bench, "time.sleep(600)", commands={"reload": [sys.executable, "-c", script]})
    one.wait_for("started")

    assert one.tell(op="perform", what="reload", timeout_s=60.0)["code"] == 0
    assert one.of("ready") == one.of("stopping") == []


def test_all_that_an_earlier_child_said_is_forgotten() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for _ in range(100):
        ours.send(b"READY=1")
    theirs.setblocking(False)
    notices = Notices({NOTIFY: theirs.detach()})

    notices.drain()

    assert list(notices.messages(lambda _pid, _uid: True)) == []
    assert notices._socket is not None
    with pytest.raises(BlockingIOError):
        notices._socket.recv(10)
    notices._socket.close()
    ours.close()


def test_nobody_becomes_the_child_who_is_not_of_its_tree(bench: Bench) -> None:
    script = f"""
for pid in (1, os.getppid(), {os.getpid()}, 0, -1, "x", 10 ** 30, os.getpid()):
    say(f"MAINPID={{pid}}")
say("READY=1")
time.sleep(600)
"""
    one = speak(bench, script)

    one.wait_for("ready")

    assert one.of("main") == []
