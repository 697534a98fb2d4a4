"""Processes are made, found, named and seen to end: real ones."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claw.kernel import clock, libc, pidfd, process, signals, ticks

PATIENCE_S = 30.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as made:
        yield made
        made.kill()


def fork_and(act: Callable[[], object]) -> int:
    """Fork a child that does something and exits with 0, or 99 when that fails."""
    pid = process.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(99)
    return pid


def status_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("code", [0, 1, 127, 255])
def test_an_exit_is_seen_in_full_before_the_child_is_reaped(code: int) -> None:
    reading, writing = os.pipe()

    def burn() -> None:
        os.read(reading, 1)
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass
        os._exit(code)

    pid = fork_and(burn)
    assert pidfd.peek_exit(pid) is None
    os.write(writing, b"!")
    wait_until(lambda: process.is_zombie(pid))

    first, again = pidfd.peek_exit(pid), pidfd.peek_exit(pid)
    pidfd.reap(pid)

    assert first is not None
    assert again is not None
    assert (first.code, first.signal, again.code) == (code, None, code)
    assert 0.04 < first.cpu_s < 5
    assert 1 << 20 < first.max_rss < 1 << 32
    with pytest.raises(ChildProcessError):
        pidfd.peek_exit(pid)
    pidfd.reap(pid)  # does no harm
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_death_by_signal_is_told_as_such(number: int) -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        child.send_signal(number)
        wait_until(lambda: process.is_zombie(child.pid))

        ended = pidfd.peek_exit(child.pid)

    assert ended is not None
    assert (ended.code, ended.signal) == (None, number)


def test_pid_and_start_time_name_a_process_for_good(sleeper: subprocess.Popen[bytes]) -> None:
    start = pidfd.start_ticks(sleeper.pid)

    assert start is not None
    assert pidfd.is_alive(sleeper.pid, start)
    assert not pidfd.is_alive(sleeper.pid, start + 1)
    sleeper.kill()
    wait_until(lambda: process.is_zombie(sleeper.pid))
    assert not pidfd.is_alive(sleeper.pid, start)
    sleeper.wait()
    assert pidfd.start_ticks(sleeper.pid) is None


def test_a_signal_reaches_only_the_process_that_was_meant() -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        fd = pidfd.open_pid(child.pid)
        assert pidfd.send_signal(fd, signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM

        assert not pidfd.send_signal(fd, signal.SIGTERM)
        os.close(fd)
    assert not process.kill(child.pid, signal.SIGTERM)
    assert not process.kill_group(child.pid, signal.SIGTERM)


def test_session_group_parent_and_environment_are_found(
    sleeper: subprocess.Popen[bytes],
) -> None:
    wait_until(lambda: process.command_of(sleeper.pid) == "sleep")

    assert process.session_of(sleeper.pid) == sleeper.pid
    assert process.group_of(sleeper.pid) == sleeper.pid
    assert process.parent_of(sleeper.pid) == os.getpid()
    assert b"PATH=" + os.environb[b"PATH"] in process.environment_of(sleeper.pid)
    assert sleeper.pid in process.children_of(os.getpid())


def test_what_has_gone_is_found_nowhere() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()

    assert process.is_zombie(child.pid)
    assert process.parent_of(child.pid) is None
    assert process.command_of(child.pid) == ""
    assert process.environment_of(child.pid) == []
    assert process.children_of(child.pid) == []


def test_what_lives_on_in_a_thread_has_not_ended() -> None:
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)"
    )
    environment = {**os.environ, "NAMED": "yes"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as child:
        start = pidfd.start_ticks(child.pid) or 0
        wait_until(lambda: (process.stat_of(child.pid) or [b""])[0] == b"Z")

        assert not process.is_zombie(child.pid)
        assert pidfd.is_alive(child.pid, start)
        assert child.pid in process.living_among(process.my_children())
        assert b"NAMED=yes" in process.environment_of(child.pid)
        child.kill()
        wait_until(lambda: process.is_zombie(child.pid))
        assert not pidfd.is_alive(child.pid, start)
        assert process.environment_of(child.pid) == []


def test_a_process_is_its_users() -> None:
    assert process.real_user_of(os.getpid()) == os.getuid()
    assert process.real_user_of(0) is None


def test_a_subreaper_takes_in_what_its_children_leave_behind() -> None:
    code = """
import os, sys, time
from claw.kernel import process, pidfd
process.become_subreaper()
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    os._exit(0)
os.wait()
[orphan] = process.descendants_of(os.getpid())
assert process.parent_of(orphan) == os.getpid()
process.kill(orphan, 9)
while pidfd.any_ended_child() is None:
    time.sleep(.001)
assert pidfd.any_ended_child() == orphan
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_name_and_timer_slack_are_set() -> None:
    def act() -> None:
        process.set_name("claw:with-a-name-too-long")
        assert Path("/proc/self/comm").read_text() == "claw:with-a-nam\n"
        process.set_timer_slack(1_000_000_000)
        assert Path("/proc/self/timerslack_ns").read_text() == "1000000000\n"

    assert status_of(fork_and(act)) == 0


def test_a_program_is_looked_for_in_the_path_of_its_own_environment(tmp_path: Path) -> None:
    for folder, mode, code in (("locked", 0o644, 1), ("open", 0o755, 7)):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "program"
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(mode)
    folders = f"/no/such/folder:{tmp_path}/locked:{tmp_path}/open"

    found = fork_and(lambda: process.execute(["program"], {"PATH": folders}))

    assert status_of(found) == 7


@pytest.mark.parametrize(
    ("argv", "folders", "kind"),
    [
        (["program"], "{0}", PermissionError),
        (["program"], "/no/such/folder", FileNotFoundError),
        (["{0}/program"], "/bin", PermissionError),
        (["/no/such/program"], "/bin", FileNotFoundError),
    ],
)
def test_a_program_that_cannot_be_run_says_why(
    tmp_path: Path, argv: list[str], folders: str, kind: type[OSError]
) -> None:
    (tmp_path / "program").write_text("no program")
    (tmp_path / "program").chmod(0o644)

    with pytest.raises(kind):
        process.execute(
            [word.format(tmp_path) for word in argv], {"PATH": folders.format(tmp_path)}
        )


def test_signals_become_bytes_and_are_reset_for_children() -> None:
    def act() -> None:
        fd = signals.as_descriptor((signal.SIGCHLD, signal.SIGTERM))
        assert signals.taken(fd) == set()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.taken(fd) == {signal.SIGTERM}
        signals.ignore(signal.SIGHUP)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        signals.reset_for_child()
        status = Path("/proc/self/status").read_text()
        for name in ("SigBlk", "SigIgn"):  # exec resets what is caught
            assert f"{name}:\t0000000000000000\n" in status

    assert status_of(fork_and(act)) == 0


def test_a_child_that_has_written_where_nobody_reads_gets_no_signal_for_it_later() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pid = process.fork_held()
    if pid == 0:
        with contextlib.suppress(BrokenPipeError):
            os.write(writing, b"!")
        signals.reset_for_child()
        process.leave(0)
    os.close(writing)

    assert status_of(pid) == 0


def test_a_function_of_the_c_library_is_found_and_called() -> None:
    assert libc.find("no such function") == 0
    assert libc.call(libc.find("getpid")) == os.getpid()


def test_a_buffer_that_c_fills_is_read_number_by_number() -> None:
    ends = libc.Buffer()

    assert libc.call(libc.find("pipe"), ends) == 0

    reading, writing = ends.number(0, 4), ends.number(4, 4)
    os.write(writing, b"x")
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    os.close(writing)


def test_clocks_go_on_and_the_boot_has_a_name() -> None:
    before = ticks.boottime(), ticks.monotonic(), ticks.wall()
    time.sleep(0.001)

    assert ticks.boottime() > before[0]
    assert ticks.monotonic() > before[1]
    assert abs(clock.now().timestamp() - ticks.wall()) < 5
    assert ticks.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert 0 <= ticks.random_fraction() < 1
    assert len(ticks.random(16)) == 16
