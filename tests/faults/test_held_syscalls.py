"""Supervisors are killed while they, or their children, are held within one system call.

strace delays the call; the kill comes at several instants across the delay, so it hits before,
within and after it. Whatever it hits: the child runs once, and its end and output are known.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.supervision import Bench, Supervised, bench

HELD_S = 0.12
LONG_S = 1.5
STEPS = 4
PRINT = "n=0; while [ $n -lt 500 ]; do n=$((n+1)); echo $n; done"  # no other child

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")


@pytest.fixture(name="bench")
def make_bench(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "bench") as made:
        made.ask(op="hello")
        yield made


@contextlib.contextmanager
def held(bench: Bench, call: str, where: str, held_s: float = HELD_S) -> Iterator[None]:
    """Delay each call of one kind as it is entered or left, by the fork server and its own."""
    words = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(bench.process.pid)]
    words += ["-e", f"trace={call}"]
    words += ["-e", f"inject={call}:delay_{where}={int(held_s * 1_000_000)}"]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        status = Path(f"/proc/{bench.process.pid}/status")
        while f"TracerPid:\t{tracer.pid}\n" not in status.read_text():
            if tracer.poll() is not None:
                pytest.skip(f"strace may not trace: {tracer.stderr and tracer.stderr.read()}")
            time.sleep(0.005)
        yield
    finally:
        tracer.terminate()
        tracer.communicate()


@pytest.mark.parametrize(
    ("call", "where"),
    [
        ("setsid", "enter"),
        ("execve", "enter"),
        ("chdir", "enter"),  # by the supervisor, before its child is begun and after
        ("umask", "exit"),
        ("splice", "exit"),
        ("fdatasync", "enter"),
        ("wait4", "enter"),
        ("wait4", "exit"),
    ],
)
def test_i4_a_kill_around_a_held_call_loses_nothing(
    bench: Bench, call: str, where: str
) -> None:
    counted = bench.home / "counted"
    script = f'echo "$CLAW_RUN_ID" >> {counted}; {PRINT}; exit 7'
    with held(bench, call, where):
        for step in range(STEPS):
            run = bench.launch(["/bin/sh", "-c", script], kill_mode="process")
            time.sleep(step * 2 * HELD_S / STEPS)
            if pid := run.pid:
                process.kill(pid, signal.SIGKILL)  # it may just have ended by itself
            check(run)
    assert len(counted.read_text().split()) == STEPS


def check(run: Supervised) -> None:
    ended = run.wait_for("ended")
    assert (ended["why"], run.of("exited")[0]["code"]) == ("exit", 7)
    assert [len(run.of(ev)) for ev in ("launch", "started", "exited", "ended")] == [1] * 4
    assert run.output() == b"".join(b"%d\n" % number for number in range(1, 501))


def begin_unrecorded(bench: Bench, script: str, begin: str = "") -> Supervised:
    """Begin a child of that script; it runs by now, and its supervisor has not said so yet."""
    counted = bench.home / "counted"
    script = f'{begin}echo "$CLAW_RUN_ID" >> {counted}; {script}'
    run = bench.launch(["/bin/bash", "-c", script])
    run.wait_until(counted.exists, "child")
    return run


@pytest.mark.parametrize("is_ended", [False, True])
def test_i4_a_child_that_is_on_nobodys_record_is_found_by_its_mark(
    bench: Bench, is_ended: bool
) -> None:
    fifo = bench.home / "fifo"
    os.mkfifo(fifo)
    script = "exit 7" if is_ended else f"read line < {fifo}; exit 7"
    with held(bench, "chdir", "enter", LONG_S):
        run = begin_unrecorded(bench, script)
        if is_ended:
            run.wait_until(lambda: _children_are_zombies(run.first_pid), "end of the child")
        begun = run.of("started")
        run.kill()
    if not is_ended:
        fifo.write_text("go\n")

    assert (run.wait_for("ended")["why"], run.of("exited")[0]["code"]) == ("exit", 7)
    assert [len(run.of(ev)) for ev in ("launch", "started", "exited", "ended")] == [1] * 4
    assert begun == [], "the kill came too late"
    assert len((bench.home / "counted").read_text().split()) == 1


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("read line < {fifo}; exit 7", 7),  # it is known by its environment
        ("exec env -i /bin/sh -c 'read line < {fifo}; exit 7'", None),
        ("exit 7", None),  # as one that has ended, or has another environment, is not
    ],
)
def test_i4_a_child_that_has_taken_off_its_mark_is_not_begun_again(
    bench: Bench, script: str, code: int | None
) -> None:
    fifo = bench.home / "fifo"
    os.mkfifo(fifo)
    with held(bench, "chdir", "enter", LONG_S):
        run = begin_unrecorded(bench, script.format(fifo=fifo), "ulimit -S -x 77; ")
        if "fifo" not in script:
            run.wait_until(lambda: _children_are_zombies(run.first_pid), "end of the child")
        begun = run.of("started")
        run.kill()
    run.wait_for("started")
    if code is not None:
        fifo.write_text("go\n")
    elif "fifo" in script:
        run.wait_for("ended")
        fd = os.open(fifo, os.O_RDWR)  # lets it go, if it lives
        os.write(fd, b"go\n")

    assert (run.wait_for("ended")["why"], run.of("exited")[0]["code"]) == ("exit", code)
    assert begun == [], "the kill came too late"
    assert len((bench.home / "counted").read_text().split()) == 1


def _children_are_zombies(pid: int) -> bool:
    return all(map(process.is_zombie, process.children_of(pid)))


def test_i4_a_child_on_nobodys_record_is_not_begun_again_when_its_fork_server_goes_too(
    bench: Bench,
) -> None:
    with held(bench, "chdir", "enter", LONG_S):
        run = begin_unrecorded(bench, "exit 7")
        run.wait_until(lambda: _children_are_zombies(run.first_pid), "end of the child")
        os.kill(bench.process.pid, signal.SIGSTOP)  # it replaces nobody meanwhile
        assert process.kill(run.first_pid, signal.SIGKILL)
        bench.renew()
    bench.give(run)

    assert run.wait_for("ended")["why"] == "exit"
    assert run.of("exited")[0]["code"] in {None, 7}  # who has reaped it may be anybody
    assert len((bench.home / "counted").read_text().split()) == 1
