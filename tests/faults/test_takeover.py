"""What a replacement knows: timers, secrets, how a child ended that is not its parent's.

No master lives in any of this.
"""

import contextlib
import os
import socket as sockets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claw.kernel import clock, pidfd, process, socket
from claw.supervisor import child
from claw.wire import supervision as supervision_wire
from tests.kit import supervision
from tests.kit.supervision import Bench, Supervised, ladder

TIMER_S = 6.0
TAKEN_OVER_AFTER_S = 3.0
DEAF = "import signal as s, time; s.signal(15, s.SIG_IGN); print(1, flush=True); time.sleep(60)"
SECRET = "Xyzzy-7351-plugh"
Kind = Callable[[Bench, list[Supervised]], None]

needs_exit_info = pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 15),
    reason="PIDFD_INFO_EXIT is of Linux 6.15",
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def by_parent(_bench: Bench, runs: list[Supervised]) -> None:
    """Kill supervisors, whose fork server lives."""
    for one in runs:
        one.kill()


def by_foster(bench: Bench, runs: list[Supervised]) -> None:
    """Kill the fork server, then supervisors that have been handed to the next one."""
    bench.renew()
    for one in runs:
        one.hand()
    by_parent(bench, runs)


def by_copies(bench: Bench, runs: list[Supervised]) -> None:
    """Kill the fork server and supervisors; the next one has what a master had kept."""
    pids = [one.pid for one in runs]
    bench.renew()
    for pid in pids:
        assert process.kill(pid, 9)
    for one in runs:
        bench.give(one)


def by_fosters_again(bench: Bench, runs: list[Supervised]) -> None:
    """The fork server is killed in the midst of a hand-over, and the next one, too."""
    bench.renew()
    for one in runs:
        one.tell(op="hand", path=bench.path)
    by_foster(bench, runs)


each_kind = pytest.mark.parametrize(
    "take_over", [by_parent, by_foster, by_copies, by_fosters_again]
)


@pytest.mark.parametrize("take_over", [by_parent, by_foster])
def test_timers_go_on_from_the_journal(bench: Bench, take_over: Kind) -> None:
    timed = bench.launch(["sleep", "600"], timeout_s=TIMER_S, grace_s=0.1)
    paused = bench.launch(["false"], restart=ladder(delays_s=[TIMER_S]))
    deaf = bench.launch([sys.executable, "-c", DEAF])
    slow = bench.launch(["sleep", "600"], ready="delay", ready_delay_s=TIMER_S)
    deaf.wait_until(deaf.output, "a child that is deaf")
    deaf.tell(op="stop", why="stop", by="me", grace_s=TIMER_S)
    begun = {
        timed: timed.wait_for("started")["b"],
        paused: paused.wait_for("restarting")["b"],
        deaf: deaf.wait_for("stopping")["b"],
        slow: slow.wait_for("started")["b"],
    }
    latest = max(begun.values()) + TAKEN_OVER_AFTER_S
    timed.wait_until(lambda: clock.boottime() >= latest, "some time")

    take_over(bench, [*begun])

    over = {
        timed: timed.wait_for("stopping"),
        paused: paused.wait_for("started", 2),
        deaf: deaf.wait_for("exited"),
        slow: slow.wait_for("ready"),
    }
    for one, line in over.items():
        again_b = one.of("taken_over")[0]["b"]
        assert begun[one] + TIMER_S <= line["b"] < again_b + TIMER_S
    assert over[timed]["why"] == "timeout"
    assert over[deaf]["signal"] == 9


@pytest.mark.parametrize("take_over", [by_parent, by_foster])
def test_i8_secrets_come_from_sealed_memory_and_lie_in_no_file(
    bench: Bench, take_over: Kind
) -> None:
    script = f'[ "$SECRET" = "{SECRET[:5]}"-{SECRET[6:]} ] && echo right; read x < fifo; exit 3'
    os.mkfifo(bench.home / "fifo")
    env = {"PATH": os.environ["PATH"], "SECRET": SECRET}
    run = bench.launch(["sh", "-c", script], env=env, restart=ladder())
    run.wait_until(run.output, "a first attempt")

    take_over(bench, [run])
    run.wait_for("taken_over")
    (bench.home / "fifo").open("w").close()

    run.wait_until(lambda: run.output() == b"right\n" * 2, "a second attempt")
    found = [path for path in bench.home.rglob("*") if path.is_file()]
    assert found
    assert not [path for path in found if SECRET.encode() in path.read_bytes()]


@each_kind
def test_i4_output_flows_on_and_the_exit_status_is_known(bench: Bench, take_over: Kind) -> None:
    os.mkfifo(bench.home / "fifo")
    script = "seq 1 30000; read x < fifo; seq 30001 60000; exit 9"
    run = bench.launch(["sh", "-c", script], cwd=str(bench.home))
    child = run.wait_for("started")["pid"]

    take_over(bench, [run])
    run.wait_for("taken_over")
    (bench.home / "fifo").open("w").close()

    run.wait_for("ended")
    [exited] = run.of("exited")
    assert (exited["pid"], exited["code"]) == (child, 9)
    assert run.output() == b"".join(b"%d\n" % number for number in range(1, 60001))
    assert len(run.of("started")) == 1


@needs_exit_info
@pytest.mark.parametrize("take_over", [by_foster, by_copies])
def test_i4_the_status_of_a_child_that_ends_before_anyone_takes_over_is_known(
    bench: Bench, take_over: Kind
) -> None:
    """Short children restart at once, before and after; each status counts."""
    script = 'echo "$CLAW_ATTEMPT"; sleep 0.05; exit $((CLAW_ATTEMPT + 10))'
    run = bench.launch(["sh", "-c", script], restart=ladder(start_limit=25))
    run.wait_for("started", 5)

    take_over(bench, [run])

    run.wait_for("ended")
    assert [line["attempt"] for line in run.of("started")] == [*range(1, 26)]
    assert run.output() == b"".join(b"%d\n" % number for number in range(1, 26))
    known = [line for line in run.of("exited") if line["code"] == line["attempt"] + 10]
    if take_over is by_copies:  # nobody had a pidfd of the child of that instant
        assert len(known) >= 24
    else:
        assert len(known) == 25


@needs_exit_info
def test_a_child_that_begins_without_a_fork_server_leaves_a_pidfd_with_the_master(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "fifo")
    script = "read x < fifo; exit $((CLAW_ATTEMPT + 10))"
    run = bench.launch(["sh", "-c", script], cwd=str(bench.home), restart=ladder(start_limit=2))
    run.wait_for("started")
    supervisor = run.pid
    path = str(bench.home / "run/sup" / run.sid / "control.sock")
    with contextlib.closing(socket.connect_unix(path)) as master:
        master.settimeout(30)
        run.tell(op="hello")  # it has taken the connection before this one
        bench.process.kill()
        bench.process.wait()
        (bench.home / "fifo").open("w").close()
        run.wait_for("started", 2)
        text, fds, _flags, _address = sockets.recv_fds(master, 1 << 16, 4)
    assert process.kill(supervisor, 9)
    (bench.home / "fifo").open("w").close()
    begun = run.of("started")[1]
    run.wait_until(lambda: process.stat_of(begun["pid"]) is None, "its end")

    lines = [supervision_wire.decode(line) for line in text.splitlines()]
    [said] = [line for line in lines if line is not None and line["ev"] == "child"]
    bench.kept[run.sid][said["names"][0]] = fds[0]
    bench.renew()
    bench.give(run)

    run.wait_for("ended")
    assert [line["code"] for line in run.of("exited")] == [11, 12]


def test_i4_a_child_begins_though_a_killed_fork_server_leaves_it_nobody_to_speak_to(
    bench: Bench,
) -> None:
    run = bench.launch(
        ["sh", "-c", "exit $((CLAW_ATTEMPT + 10))"],
        restart=ladder(start_limit=2, delays_s=[2.0]),
    )
    run.wait_for("restarting")
    path = str(bench.home / "run/sup" / run.sid / "control.sock")
    with contextlib.closing(socket.connect_unix(path)) as deaf:
        run.tell(op="hello")  # it has taken the connection before this one
        deaf.shutdown(sockets.SHUT_RD)
        bench.process.kill()
        bench.process.wait()
        run.wait_for("ended")
    bench.renew()

    assert [line["code"] for line in run.of("exited")] == [11, 12]


def test_a_child_whose_supervisor_is_killed_before_it_notes_where_it_runs_runs_all_the_same(
    bench: Bench,
) -> None:
    run = bench.launch(["sh", "-c", "exit 3"], cwd="/no/such/home", cwd_or_root=True)
    run.wait_for("ended")
    reading, writing = os.pipe()
    os.close(reading)
    journal_fd = os.open(run.spool / "journal", os.O_WRONLY | os.O_APPEND)
    try:
        assert run.launch is not None
        wiring = child.Wiring(standard=(-1, -1, -1), report_fd=writing, journal_fd=journal_fd)
        pid = child.spawn(run.launch, 2, wiring, (1024, 1024))
    finally:
        os.close(writing)
        os.close(journal_fd)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    assert not run.of("spawn_failed")


def test_what_the_master_has_reaped_tells_a_replacement_how_the_child_ended(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "fifo")
    run = bench.launch(["sh", "-c", "read x < fifo; exit 9"], cwd=str(bench.home))
    started = run.wait_for("started")
    supervisor = run.pid
    bench.renew()
    assert process.kill(supervisor, 9)
    (bench.home / "fifo").open("w").close()
    run.wait_until(lambda: process.stat_of(started["pid"]) is None, "its end")

    exit_ = {"code": 42, "signal": None, "cpu_s": 0.5, "max_rss": 4096}
    bench.ask(op="reaped", pid=started["pid"], start=started["start"], **exit_)
    bench.give(run)

    run.wait_for("ended")
    [exited] = run.of("exited")
    assert {key: exited[key] for key in exit_} == exit_


def test_a_run_whose_launch_was_cut_short_is_begun_by_the_next_fork_server(
    bench: Bench,
) -> None:
    run = bench.launch(["sh", "-c", "exit 4"])
    run.wait_for("ended")
    run.wait_until(lambda: not run.pid, "its end")
    for path in run.spool.iterdir():
        path.unlink()
    run.spool.rmdir()

    bench.give(run)

    assert run.wait_for("exited")["code"] == 4
    run.wait_for("ended")


def test_a_supervisor_that_dies_of_errors_of_its_own_is_replaced_with_a_growing_pause(
    bench: Bench,
) -> None:
    run = bench.launch(["sleep", "600"])
    run.wait_for("started")
    lock = run.spool / "lock"
    lock.unlink()
    lock.mkdir()  # no replacement can open it
    run.kill()

    pids = set[int]()

    def has_died_often() -> bool:
        pids.update(run.pid for _ in range(500))  # each lives for some milliseconds
        return len(pids - {0}) >= 4

    run.wait_until(has_died_often, "replacements that fail")
    lock.rmdir()
    run.wait_for("taken_over")
    assert process.stat_of(run.of("started")[0]["pid"]) is not None


def test_a_supervisor_that_has_ended_its_run_is_not_missed_by_a_foster_parent(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "fifo")
    run = bench.launch(["sh", "-c", "read x < fifo; exit 5"], cwd=str(bench.home))
    run.wait_for("started")
    bench.renew()
    run.hand()

    (bench.home / "fifo").open("w").close()

    run.wait_for("ended")
    run.wait_until(lambda: not bench.ask(op="hello")["supervisors"], "the end of its ward")
    assert [line["ev"] for line in run.lines()][-2:] == ["exited", "ended"]
    assert not run.of("taken_over")


def test_descriptors_do_not_pile_up_with_children_of_a_fostered_run(bench: Bench) -> None:
    run = bench.launch(["true"], restart=ladder(delays_s=[0.01], start_limit=60))
    run.wait_for("started", 2)
    bench.renew()
    run.hand()

    before = len(list(Path(f"/proc/{bench.process.pid}/fd").iterdir()))
    run.wait_for("started", 50)

    assert len(list(Path(f"/proc/{bench.process.pid}/fd").iterdir())) <= before + 2
    run.wait_for("ended")


# -- what the kernel tells of others' children -------------------------------------------------


@pytest.mark.parametrize("script", ["exit 7", "kill -9 $$"])
def test_how_a_stranger_ended_is_known_while_it_waits_to_be_reaped(script: str) -> None:
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)
    fd = pidfd.open_pid(pid)
    start = pidfd.start_ticks(pid) or 0
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    ended = pidfd.exit_of_stranger(fd, pid, start)

    assert ended is not None
    assert (ended.code, ended.signal) == ((7, None) if "7" in script else (None, 9))
    assert pidfd.exit_of_stranger(fd, pid, start + 1) is None
    os.waitpid(pid, 0)
    os.close(fd)


@needs_exit_info
@pytest.mark.parametrize("script", ["exit 7", "kill -9 $$"])
def test_how_a_stranger_ended_is_known_after_it_was_reaped(script: str) -> None:
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)
    fd = pidfd.open_pid(pid)
    start = pidfd.start_ticks(pid) or 0
    os.waitpid(pid, 0)

    ended = pidfd.exit_of_stranger(fd, pid, start)

    assert ended is not None
    assert (ended.code, ended.signal) == ((7, None) if "7" in script else (None, 9))
    os.close(fd)
