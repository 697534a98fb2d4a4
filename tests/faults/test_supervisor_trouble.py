"""Trouble around supervisors: full disks, no descriptors, odd children, bad requests."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process, socket
from tests.kit import supervision
from tests.kit.descriptors import free_descriptors
from tests.kit.supervision import Bench, Supervised, ladder

PAGE_BYTES = 4096
WATCH_S = 1.0
WATCHES = 5
SOME_LOOKS = 2
IDLE_SHARE = 0.05
"""Of a core, at most: what is stuck must wait, not spin."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Bench]:
    """Yield a bench whose whole home lies on a disk of two megabytes."""
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        with supervision.bench(tmp_path) as made:
            yield made
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


@contextlib.contextmanager
def filled(bench: Bench) -> Iterator[None]:
    """Leave no room on the disk for a while, nor in the pages that journals have."""
    for journal in bench.home.glob("state/spool/*/journal"):
        with journal.open("ab") as file:
            file.write(b"x" * (PAGE_BYTES - 1 - file.tell() % PAGE_BYTES) + b"\n")
    ballast = bench.home / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


def is_idle(pid: int) -> bool:
    """Tell whether a process waits; one that spins does so during each of a few watches."""
    return any(share_of_core(pid) < IDLE_SHARE for _ in range(WATCHES))


def share_of_core(pid: int) -> float:
    """Return what share of a core a process uses while it is watched."""
    schedstat = Path(f"/proc/{pid}/schedstat")
    before = int(schedstat.read_text().split()[0])
    time.sleep(WATCH_S)
    return (int(schedstat.read_text().split()[0]) - before) / (WATCH_S * 1e9)


def wait_for_end(run: Supervised) -> None:
    child = run.of("started")[-1]["pid"]
    run.wait_until(lambda: process.is_zombie(child), "end of the child")


# -- full disks ----------------------------------------------------------------------------


@pytest.mark.root
def test_i7_a_job_can_be_stopped_on_a_full_disk(small: Bench) -> None:
    service = small.launch(["sleep", "600"], restart=ladder(), out_path="/dev/null")
    service.wait_for("started")

    with filled(small):
        assert "error" not in service.tell(op="stop", why="stop", by="me")
        wait_for_end(service)
        assert is_idle(service.pid)

    assert service.wait_for("ended")["why"] == "stop"
    assert [line["ev"] for line in service.lines()] == [
        "launch", "started", "stopping", "exited", "ended",
    ]  # fmt: skip


@pytest.mark.root
def test_i7_a_timeout_holds_on_a_full_disk(small: Bench) -> None:
    run = small.launch(["sleep", "600"], timeout_s=2.0, grace_s=0.2, out_path="/dev/null")
    run.wait_for("started")

    with filled(small):
        wait_for_end(run)
        assert is_idle(run.pid)

    assert run.wait_for("ended")["why"] == "timeout"
    assert run.of("exited")[0]["timed_out"] is True


@pytest.mark.root
def test_i7_what_cannot_be_recorded_is_not_started(small: Bench) -> None:
    witness = Path(f"{small.home}.witness")
    script = f'echo "$CLAW_ATTEMPT" >> {witness}; read x < fifo; exit 1'
    os.mkfifo(small.home / "fifo")
    service = small.launch(
        ["sh", "-c", script], restart=ladder(start_limit=2), out_path="/dev/null"
    )
    service.wait_until(witness.exists, "the first attempt")

    with filled(small):
        (small.home / "fifo").open("w").close()
        wait_for_end(service)
        assert is_idle(service.pid)
        assert witness.read_text() == "1\n"

    service.wait_until(lambda: witness.read_text() == "1\n2\n", "the second attempt")
    (small.home / "fifo").open("w").close()
    assert service.wait_for("ended")["why"] == "start_limit"
    assert [line["attempt"] for line in service.of("exited")] == [1, 2]


def test_i7_output_that_has_no_file_is_counted_until_it_has_one(bench: Bench) -> None:
    obstacle = bench.home / "in_the_way"
    obstacle.touch()
    out, counted = bench.home / "in_the_way" / "out", bench.home / "counted"
    script = f"""
import os, time
count = 0
while not os.path.exists({str(out)!r}):
    print("x", flush=True)
    count += 1
    time.sleep(0.01)
for _ in range(10):
    print("x", flush=True)
open({str(counted)!r}, "w").write(str(count + 10))
"""
    talking = bench.launch([sys.executable, "-c", script], out_path=str(out), heartbeat_s=0.2)
    talking.wait_for("started")

    obstacle.unlink()

    talking.wait_for("ended")
    [exited] = talking.of("exited")
    written = len(talking.output())
    assert written > 0
    assert exited["dropped"] + written == 2 * int(counted.read_text())


# -- odd children --------------------------------------------------------------------------


def test_a_child_that_closes_its_outputs_lives_on_and_costs_nothing(bench: Bench) -> None:
    run = bench.launch(["sh", "-c", "exec >&- 2>&-; exec sleep 600"])
    run.wait_for("started")

    assert is_idle(run.pid)
    assert not run.of("exited")


def test_a_child_that_has_been_stopped_by_a_signal_can_be_stopped_for_good(
    bench: Bench,
) -> None:
    run = bench.launch(["sleep", "600"], grace_s=600.0)
    child = run.wait_for("started")["pid"]
    os.kill(child, signal.SIGSTOP)

    run.tell(op="stop", why="stop", by="me")

    run.wait_for("ended")
    assert run.of("exited")[0]["signal"] == signal.SIGTERM


def test_a_child_that_writes_without_end_is_stopped_all_the_same(bench: Bench) -> None:
    run = bench.launch(["sh", "-c", "yes & yes & yes"], out_path="/dev/null", grace_s=0.5)
    run.wait_for("started")

    run.tell(op="stop", why="stop", by="me")

    assert run.wait_for("ended")["why"] == "stop"


def test_output_that_a_leaver_goes_on_writing_holds_up_no_end(bench: Bench) -> None:
    run = bench.launch(["sh", "-c", "yes & echo $! >&2; exit 3"], kill_mode="process",
                       out_path="/dev/null", stderr="separate")  # fmt: skip

    assert run.wait_for("ended")["why"] == "exit"

    assert run.launch is not None
    left = int(Path(run.launch.err_path).read_text())
    with contextlib.suppress(ProcessLookupError):  # SIGPIPE may have been faster
        os.kill(left, signal.SIGKILL)


def test_an_index_that_cannot_be_removed_holds_up_no_attempt_and_costs_no_descriptor(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "fifo")
    run = bench.launch(
        ["sh", "-c", "echo said; read line < fifo"], cwd=str(bench.home), restart=ladder()
    )
    run.wait_until(lambda: run.output() == b"said\n", "output")
    before = descriptors_of(run.pid)
    assert run.launch is not None
    output = Path(run.launch.out_path)
    output.rename(output.with_name("moved"))
    index = Path(f"{output}.idx")
    index.unlink(missing_ok=True)
    index.mkdir()

    (bench.home / "fifo").open("w").close()

    run.wait_until(lambda: run.of("started")[1:], "another attempt")
    run.wait_until(lambda: descriptors_of(run.pid) <= before, "no descriptor more")


def descriptors_of(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


# -- the fork server ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        {"op": "launch"},
        {"op": "launch", "sid": 1, "run": None, "attempt": [], "launch_dir": {}},
        {"op": "find"},
        {"op": "nonsense"},
        {"op": {}},
    ],
)
def test_a_bad_request_is_refused_and_the_fork_server_lives(
    bench: Bench, request_: dict[str, object]
) -> None:
    assert "error" in bench.ask(**request_)

    assert bench.launch(["true"]).wait_for("ended")["why"] == "exit"


def test_a_fork_server_without_descriptors_waits_for_some(bench: Bench) -> None:
    bench.ask(op="hello")
    pid = bench.process.pid
    there = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(there) + 1, hard))
    try:
        path = str(bench.home / "run/forkserver.sock")
        others = [socket.connect_unix(path) for _ in range(max(there) + 8 - len(there))]
        assert is_idle(pid)
        with pytest.raises(AssertionError, match="error"):
            bench.launch(["true"], run="r" + "7" * 26)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    for other in others:
        other.close()

    assert bench.launch(["true"], run="r" + "7" * 26).wait_for("ended")["why"] == "exit"


# -- supervisors without descriptors ----------------------------------------------------------


def test_a_supervisor_that_cannot_look_for_its_tree_does_not_say_that_nothing_is_left(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "held")
    left_file = bench.home / "left"
    left_file.touch()
    script = "setsid sh -c 'echo $$ > left; exec cat held' & cat held"
    run = bench.launch(["sh", "-c", script], grace_s=0.0)
    child = run.wait_for("started")["pid"]
    left = int(run.wait_until(left_file.read_text, "leftover"))

    with free_descriptors(run.pid, 0):
        os.kill(child, signal.SIGKILL)
        looks = sleeps_of(run.pid) + SOME_LOOKS
        run.wait_until(lambda: run.of("exited") or sleeps_of(run.pid) > looks, "looks")
        assert not run.of("exited")

    assert "survivors" not in run.wait_for("exited")
    assert process.is_zombie(left)


def sleeps_of(pid: int) -> int:
    """Return how often a process has waited for something."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt")))
