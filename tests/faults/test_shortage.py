"""What is short, early or forbidden: descriptors, a child's exec, a signal's permission."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from claw.kernel import channel, process, signals, socket
from claw.master.reaper import Reaper
from claw.master.supervision.fostering import Fostering
from claw.model.home import Home
from tests.kit import supervision as kit
from tests.kit import users
from tests.kit.descriptors import free_descriptors
from tests.kit.master import ROOT
from tests.kit.supervision import Bench, ladder


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with kit.bench(tmp_path) as made:
        yield made


# -- launches ------------------------------------------------------------------------------


def test_of_descriptors_that_do_not_all_fit_none_is_taken() -> None:
    ours, theirs = socket.pair()
    reading, writing = os.pipe()
    connection = channel.adopt(theirs.detach())
    ours.sendmsg([b"word"], socket.rights(reading, writing))
    before = sorted(path.name for path in Path("/proc/self/fd").iterdir())

    with free_descriptors(os.getpid(), 1):
        assert channel.receive(connection, 100) == (b"word", [])

    assert sorted(path.name for path in Path("/proc/self/fd").iterdir()) == before
    for fd in (reading, writing):
        os.close(fd)
    ours.close()
    connection.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_launch_that_was_short_of_descriptors_leaves_none_to_the_next(
    bench: Bench, count: int
) -> None:
    bench.ask(op="hello")
    with (
        free_descriptors(bench.process.pid, count),
        pytest.raises(AssertionError, match="retryable"),
    ):
        bench.launch(["sh", "-c", "echo wrong"], run="r" + "1" * 26)

    run = bench.launch(["sh", "-c", "echo right"], run="r" + "2" * 26)
    assert run.wait_for("ended")["why"] == "exit"
    assert run.output() == b"right\n"
    assert {line["run"] for line in run.lines() if "run" in line} == {"r" + "2" * 26}


def test_a_launch_of_another_sid_is_refused_before_anything(bench: Bench) -> None:
    with pytest.raises(AssertionError, match="another launch"):
        bench.launch(["true"], sid="s" + "9" * 26, spool=str(bench.home / "spool"))

    assert not any((bench.home / "state/launch").iterdir())
    assert bench.ask(op="hello")["supervisors"] == []


# -- replacements ---------------------------------------------------------------------------


def test_a_supervisor_that_no_descriptor_is_left_to_replace_is_replaced_later(
    bench: Bench,
) -> None:
    os.mkfifo(bench.home / "fifo")
    run = bench.launch(["sh", "-c", "read x < fifo; exit 6"], cwd=str(bench.home))
    run.wait_for("started")

    with free_descriptors(bench.process.pid, 0):
        os.kill(run.first_pid, signal.SIGKILL)
        run.wait_until(lambda: run.pid == 0, "its death to be seen")

    run.wait_for("taken_over")
    (bench.home / "fifo").open("w").close()
    assert run.wait_for("exited")["code"] == 6
    run.wait_for("ended")


def test_the_watch_of_an_orphan_that_found_no_descriptor_is_tried_again(
    tmp_path: Path,
) -> None:
    code = """
import os, resource, socket
from claw.kernel import socket as sockets, ticks
from claw.supervisor.forkserver import ForkServer, Ward
server = sockets.listen_unix("run.sock")
fork_server = ForkServer(server, "run.sock", 1024)
ours, theirs = socket.socketpair()
reading, writing = os.pipe()
ward = Ward("s1", "spool", {})
ward.pid = os.getpid()
child = os.fork()
if child == 0:
    os.close(writing)
    os.read(reading, 1)
    os._exit(7)
ward.relay = ours
fork_server._wards.all["s1"] = ward
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest = os.dup(0)
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
fork_server._wards.orphans.watch(ward, child, 0)
assert ward.watch_fd == -1
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
while ward.watch_fd < 0:
    fork_server._loop.turn(fork_server._next_deadline())
    fork_server._wards.retry()
os.close(writing)
theirs.setblocking(False)
while True:
    fork_server._loop.turn(None)
    try:
        print(theirs.recv(4096).decode())
        break
    except BlockingIOError:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["code"] == 7


# -- signals --------------------------------------------------------------------------------


def test_a_signal_to_a_child_before_its_exec_is_not_noted_by_its_supervisor() -> None:
    wake_fd = signals.as_descriptor((signal.SIGTERM,))
    reading, writing = os.pipe()
    try:
        child = process.fork_held()
        if child == 0:
            os.read(reading, 1)
            signals.reset_for_child()
            process.leave(0)
        assert process.kill(child, signal.SIGTERM)
        os.write(writing, b"!")
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGTERM
        assert signals.taken(wake_fd) == set()
        assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()
    finally:
        signals.forget_descriptor()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for fd in (wake_fd, reading, writing):
            os.close(fd)


def test_signals_at_any_moment_of_a_start_end_no_service(bench: Bench) -> None:
    service = bench.launch(["sleep", "600"], restart=ladder())
    for number in range(2, 40):
        service.tell(op="signal", number=signal.SIGTERM)
        service.wait_for("started", number)
    assert not service.of("ended")
    assert not service.of("stopping")
    assert {line["signal"] for line in service.of("exited")} == {signal.SIGTERM}


@pytest.mark.root
@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone())
def test_a_process_that_may_not_be_signalled_raises_nothing() -> None:
    with subprocess.Popen(["sleep", "600"]) as roots:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os.setgid(users.NOBODY)
                os.setuid(users.NOBODY)
                os._exit(process.kill(roots.pid, signal.SIGTERM))
            os._exit(99)
        _, status = os.waitpid(child, 0)
        is_alive = roots.poll() is None
        roots.kill()

    assert (os.waitstatus_to_exitcode(status), is_alive) == (0, True)


def test_the_log_folder_is_looked_after_again_once_there_is_room_for_a_thread(
    tmp_path: Path,
) -> None:
    code = """
import logging, os, resource, sys, threading
import trio
from claw.master.output import keeper
from claw.model.home import at_folder
from claw.model.job import Config

async def main():
    home = at_folder(sys.argv[1])
    os.makedirs(home.log + "/web")
    begun = home.log + "/web/out.log.1.gz.tmp"
    open(begun, "w").close()
    failed = trio.Event()
    class Handler(logging.Handler):
        def emit(self, record):
            print(record.getMessage(), flush=True)
            failed.set()
    logging.getLogger("claw.logs").addHandler(Handler())
    keeper._RETRY_S = 0.01
    threading.stack_size(1 << 30)
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, hard))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keeper.Keeper(home, None, Config).serve)
        await failed.wait()
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        while os.path.exists(begun):
            await trio.sleep(0.01)
        nursery.cancel_scope.cancel()

trio.run(main)
"""
    said = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "home"], check=True, timeout=60,
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "can't start new thread" in said


# -- the fork server's log -------------------------------------------------------------------


def test_a_fork_server_whose_log_cannot_be_opened_serves_without(tmp_path: Path) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    for path in (home.run, home.daemon_log):  # a folder cannot be opened as a file
        Path(path).mkdir(parents=True)

    async def nobody() -> dict[str, tuple[int, int]]:
        return {}

    def nothing(_sid: str) -> None:
        """Note nothing."""

    async def main() -> object:
        server = Fostering(home, Reaper(), 1024, nobody, nothing).fork_server
        async with trio.open_nursery() as nursery:
            with trio.fail_after(kit.PATIENCE_S):
                await nursery.start(server.serve)
                answer = await server.call(op="hello")
            nursery.cancel_scope.cancel()
        with trio.fail_after(kit.PATIENCE_S):  # without a master it ends
            while answer["pid"] in process.children_of(os.getpid()):  # noqa: ASYNC110
                await trio.sleep(0.01)
        return answer["supervisors"]

    assert trio.run(main) == []
