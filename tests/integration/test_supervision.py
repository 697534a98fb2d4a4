"""A supervisor and its child, without a master."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process, socket
from tests.kit import supervision
from tests.kit.supervision import Bench, ladder

OF_THE_C_LIBRARY = 1 << 31 | 1 << 32
"""Signals 32 and 33, ignored in what posix_spawn(3) begins: it sets them as it needs them."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def test_an_exit_code_and_every_output_byte_are_on_record(bench: Bench) -> None:
    supervised = bench.launch(["sh", "-c", "echo out; echo err >&2; exit 3"])

    ended = supervised.wait_for("ended")

    assert ended["why"] == "exit"
    [exited] = supervised.of("exited")
    assert (exited["code"], exited["signal"]) == (3, None)
    assert exited["max_rss"] > 0
    assert supervised.output() == b"out\nerr\n"


def test_stderr_goes_where_the_job_says(bench: Bench) -> None:
    script = ["sh", "-c", "echo out; echo err >&2"]

    apart = bench.launch(script, stderr="separate")
    dropped = bench.launch(script, stderr="discard")

    apart.wait_for("ended")
    dropped.wait_for("ended")
    assert apart.launch is not None
    assert apart.output() == b"out\n"
    assert Path(apart.launch.err_path).read_bytes() == b"err\n"
    assert dropped.output() == b"out\n"


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"argv": ["/no/such/program"]}, "exec"),
        ({"argv": ["true"], "cwd": "/no/such/folder"}, "chdir to /no/such/folder"),
        ({"argv": ["true", "a\0b"]}, "exec"),
    ],
)
def test_a_failed_spawn_names_its_step(bench: Bench, changes: dict, stage: str) -> None:  # type: ignore[type-arg]
    supervised = bench.launch(**changes)

    ended = supervised.wait_for("ended")

    assert ended["why"] == "spawn"
    [failed] = supervised.of("spawn_failed")
    assert failed["stage"] == stage
    assert failed["error"]


def test_a_child_leads_a_session_and_starts_clean(bench: Bench) -> None:
    script = "import os; print(os.getsid(0) == os.getpid())"
    status = "grep -E 'SigIgn|SigBlk' /proc/self/status"  # Python itself ignores SIGPIPE
    shell = f"{status}; ls /proc/self/fd; cat /proc/self/timerslack_ns"

    supervised = bench.launch(["sh", "-c", shell])
    in_session = bench.launch([sys.executable, "-I", "-S", "-c", script])

    supervised.wait_for("ended")
    in_session.wait_for("ended")
    lines = supervised.output().split()
    assert lines[1] == b"0000000000000000"
    assert int(lines[3], 16) & ~OF_THE_C_LIBRARY == 0
    assert lines[4:-1] == [b"0", b"1", b"2", b"3"]  # 3 is ls itself, reading the folder
    assert lines[-1] == b"50000"
    assert in_session.output().startswith(b"True")


def test_a_service_is_restarted_by_its_own_policy(bench: Bench) -> None:
    supervised = bench.launch(
        ["sh", "-c", 'echo $CLAW_ATTEMPT; [ "$CLAW_ATTEMPT" = 4 ] && exit 0; exit 1'],
        restart=ladder(policy="on-failure"),
    )

    ended = supervised.wait_for("ended")

    assert (ended["why"], ended["attempt"]) == ("exit", 4)
    assert supervised.output() == b"1\n2\n3\n4\n"
    assert [line["attempt"] for line in supervised.of("restarting")] == [2, 3, 4]
    launches = {path.name for path in (bench.home / "state/launch").iterdir()}
    assert launches == {f"{ended['run']}.{no}" for no in (1, 2, 3, 4)}


def test_a_start_limit_ends_the_run(bench: Bench) -> None:
    supervised = bench.launch(["false"], restart=ladder(start_limit=3))

    ended = supervised.wait_for("ended")

    assert (ended["why"], ended["attempt"]) == ("start_limit", 3)


def test_a_stop_during_the_restart_delay_ends_the_run_at_once(bench: Bench) -> None:
    supervised = bench.launch(["false"], restart=ladder(delays_s=[3600.0]))
    supervised.wait_for("restarting")

    supervised.tell(op="stop", why="stop", by="me")

    ended = supervised.wait_for("ended")
    assert (ended["why"], ended["by"]) == ("stop", "me")
    assert len(supervised.of("started")) == 1


def test_a_timeout_ends_a_child_that_ignores_the_stop_signal(bench: Bench) -> None:
    supervised = bench.launch(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
        timeout_s=2.0,  # by then it ignores the signal, on a busy machine too
        grace_s=0.2,
    )

    ended = supervised.wait_for("ended")

    [exited] = supervised.of("exited")
    assert ended["why"] == "timeout"
    assert exited["timed_out"] is True
    assert exited["signal"] == signal.SIGKILL


ESCAPES = """
import os, signal, sys, time
def hide(*, new_session, ignore):
    if os.fork():
        return
    if new_session:
        os.setsid()
    if os.fork():
        os._exit(0)
    if ignore:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(600)
for new_session in (False, True):
    for ignore in (False, True):
        hide(new_session=new_session, ignore=ignore)
print("main", flush=True)
time.sleep(600)
"""


def _pids(output: bytes) -> list[int]:
    return [int(word) for word in output.split() if word != b"main"]


def test_i6_a_stop_leaves_no_descendant(bench: Bench) -> None:
    supervised = bench.launch([sys.executable, "-c", ESCAPES], grace_s=0.3)
    supervised.wait_until(lambda: supervised.output().count(b"\n") == 5, "five lines")

    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_for("ended")

    hidden = _pids(supervised.output())
    assert len(hidden) == 4
    assert all(process.is_zombie(pid) for pid in hidden)


def test_i6_a_stop_after_a_takeover_leaves_no_descendant(bench: Bench) -> None:
    supervised = bench.launch([sys.executable, "-c", ESCAPES], grace_s=0.3)
    supervised.wait_until(lambda: supervised.output().count(b"\n") == 5, "five lines")

    supervised.kill()
    supervised.wait_for("taken_over")
    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_for("ended")

    assert all(process.is_zombie(pid) for pid in _pids(supervised.output()))


def test_what_a_finished_job_leaves_behind_is_ended_too(bench: Bench) -> None:
    supervised = bench.launch(["sh", "-c", "sleep 600 & echo $!"])

    supervised.wait_for("ended")

    assert supervised.of("exited")[0]["code"] == 0
    assert process.is_zombie(int(supervised.output()))


def test_kill_mode_process_leaves_the_rest_alone(bench: Bench) -> None:
    supervised = bench.launch(["sh", "-c", "sleep 600 & echo $!"], kill_mode="process")
    supervised.wait_for("ended")
    left = int(supervised.output())

    try:
        assert not process.is_zombie(left)
        [named] = supervised.of("exited")[0]["left"]
        assert named.split()[0] == str(left)
    finally:
        os.kill(left, signal.SIGKILL)


def test_a_launch_file_makes_an_attempt_unique(bench: Bench) -> None:
    first = bench.launch(["true"], run="r" + "1" * 26)
    first.wait_for("ended")

    with pytest.raises(AssertionError, match="File exists"):
        bench.launch(["true"], run="r" + "1" * 26)


def test_a_killed_supervisor_is_replaced_and_nothing_is_lost(bench: Bench) -> None:
    os.mkfifo(bench.home / "fifo")
    script = "import time\nfor i in range(400): print(i, flush=True); time.sleep(.002)\n"
    script += "open('fifo').read(); exit(9)"  # not before the last kill
    supervised = bench.launch([sys.executable, "-c", script], cwd=str(bench.home))
    child = supervised.wait_for("started")["pid"]

    for count in range(1, 6):
        supervised.kill()
        supervised.wait_for("taken_over", count)
    (bench.home / "fifo").open("w").close()

    ended = supervised.wait_for("ended")
    [exited] = supervised.of("exited")
    assert (exited["pid"], exited["code"], ended["why"]) == (child, 9, "exit")
    assert supervised.output() == b"".join(b"%d\n" % i for i in range(400))
    assert len(supervised.of("started")) == 1


def test_an_exit_while_nobody_supervises_is_known_by_its_replacement(bench: Bench) -> None:
    os.mkfifo(bench.home / "fifo")
    supervised = bench.launch(["sh", "-c", "read x < fifo; exit 42"], cwd=str(bench.home))
    supervised.wait_for("started")
    os.kill(bench.process.pid, signal.SIGSTOP)  # no replacement yet
    try:
        pid = supervised.first_pid
        os.kill(pid, signal.SIGKILL)
        child = supervised.of("started")[0]["pid"]
        fd = os.open(bench.home / "fifo", os.O_WRONLY)
        os.close(fd)
        supervised.wait_until(lambda: process.is_zombie(child), "end of the child")
    finally:
        os.kill(bench.process.pid, signal.SIGCONT)

    supervised.wait_for("ended")
    assert [line["code"] for line in supervised.of("exited")] == [42]


def test_a_stop_that_a_killed_supervisor_had_begun_is_carried_on(bench: Bench) -> None:
    supervised = bench.launch(
        ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"],
        grace_s=2.0,
        restart=ladder(),
    )
    supervised.wait_until(supervised.output, "readiness")
    supervised.tell(op="stop", why="stop", by="me")

    supervised.kill()

    ended = supervised.wait_for("ended")
    assert ended["why"] == "stop"
    assert supervised.of("exited")[0]["signal"] == signal.SIGKILL


def test_a_restart_delay_goes_on_after_a_takeover(bench: Bench) -> None:
    supervised = bench.launch(["false"], restart=ladder(delays_s=[2.0], start_limit=2))
    due = supervised.wait_for("restarting")["until_b"]

    supervised.kill()

    supervised.wait_for("ended")
    second = supervised.of("started")[1]
    assert due <= second["b"] < due + supervision.PATIENCE_S
    assert len(supervised.of("started")) == 2


@pytest.mark.parametrize("by", ["stop", "timeout"])
def test_one_that_leaves_the_processor_to_others_hears_a_stop_and_keeps_its_childs_time(
    bench: Bench, by: str
) -> None:
    long_s = 10 * supervision.PATIENCE_S
    one = bench.launch(
        ["sh", "-c", "echo said; exec sleep 600"], begin_at=time.time() + 0.1, crowd_s=long_s,
        timeout_s=0.5 if by == "timeout" else 0.0, grace_s=0.0,
    )  # fmt: skip
    one.wait_for("started")
    if by == "stop":
        one.wait_until(lambda: process.command_of(one.of("started")[0]["pid"]) == "sleep", "it")
        assert "error" not in one.tell(op="stop", why="stop", by="test")

    assert one.wait_for("ended")["why"] == by
    assert one.of("exited")[0]["signal"] in {signal.SIGTERM, signal.SIGKILL}
    assert by == "timeout" or one.output() == b"said\n"


def test_the_fork_server_ends_when_nobody_needs_it(tmp_path: Path) -> None:
    with supervision.bench(tmp_path) as bench:
        supervised = bench.launch(["sleep", "600"], restart=ladder())
        supervised.wait_for("started")
        bench.connection.shutdown(2)
        path = str(tmp_path / "run/forkserver.sock")
        assert bench.process.poll() is None

        again = socket.connect_unix(path)
        bench.connection.close()
        bench.file.close()
        bench.connection = again
        bench.file = again.makefile("rb")

        assert bench.ask(op="hello")["supervisors"] == [supervised.sid]
    assert bench.process.returncode == 0
