"""I6: after a stop no descendant lives, whatever it does to hide; what stays is named."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import cgroup, process
from claw.master.supervision.cgroups import Groups
from claw.model.job import ResourceAction, Resources
from tests.kit import groups, supervision
from tests.kit.clawctl import Shell
from tests.kit.master import PATIENCE_S, master
from tests.kit.supervision import Bench, Supervised

NO_LIMITS = Resources()
HIDING = """
import os, signal, sys, time
def hide(environment):
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", code], environment)
hide({})
hide(dict(os.environ))
print("main", flush=True)
time.sleep(600)
"""
LIVING_IN_A_THREAD = """
import ctypes, os, signal, sys, threading, time
reading, writing = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=time.sleep, args=(600,)).start()
    print(os.getpid(), flush=True)
    os.close(writing)
    ctypes.CDLL(None).pthread_exit(None)
os.close(writing)
os.read(reading, 1)
"""
CHAIN = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    print("begun", flush=True)
    while True:
        if os.fork():
            os._exit(0)
sys.stdin.read()
"""
FORKING = """
while :; do
    (setsid sh -c 'while :; do sleep 0.05 & sleep 0.01; done' &)
    sleep 0.05
done
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Groups]:
    with groups.groups_of(tmp_path) as found:
        yield found


def python(script: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", script]


def hidden_by(supervised: Supervised) -> list[int]:
    """Return the pids of two processes that have hidden."""
    supervised.wait_until(lambda: supervised.output().count(b"\n") == 3, "three lines")
    return [int(word) for word in supervised.output().split() if word != b"main"]


@pytest.mark.parametrize("takeover", [False, True], ids=["", "after-a-takeover"])
@pytest.mark.parametrize("shared", [False, True], ids=["", "with-the-supervisor"])
def test_i6_in_a_control_group_nothing_can_hide(
    bench: Bench, place: Groups, *, takeover: bool, shared: bool
) -> None:
    made = place.of("s1", NO_LIMITS)
    supervised = bench.launch(python(HIDING), grace_s=0.2, cgroups=made, shares_group=shared)
    hidden = hidden_by(supervised)
    assert (supervised.pid in cgroup.members(next(iter(made)))) is shared

    if takeover:
        supervised.kill()
        supervised.wait_for("taken_over")
    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_for("ended")

    assert all(process.is_zombie(pid) for pid in hidden)
    assert supervised.of("exited")[0].get("survivors") is None
    if shared and not takeover:
        assert supervised.of("exited")[0]["pid"] not in cgroup.members(next(iter(made)))
        supervised.wait_until(lambda: place.leave(()), "an end of its supervisor")
    supervised.wait_until(lambda: not Path(next(iter(made))).exists(), "an end of the group")


@pytest.mark.parametrize("how", ["walked", "grouped", "shared"])
def test_i6_what_lives_on_in_a_thread_is_ended(bench: Bench, place: Groups, how: str) -> None:
    made = {} if how == "walked" else place.of("s1", NO_LIMITS)
    supervised = bench.launch(
        python(LIVING_IN_A_THREAD), grace_s=0.2, cgroups=made, shares_group=how == "shared"
    )
    supervised.wait_for("ended")

    assert process.is_zombie(int(supervised.output()))
    assert supervised.of("exited")[0].get("survivors") is None


@pytest.mark.parametrize("shared", [False, True], ids=["", "with-the-supervisor"])
def test_i6_in_a_control_group_nothing_forks_its_way_out(
    bench: Bench, place: Groups, *, shared: bool
) -> None:
    made = place.of("s1", NO_LIMITS)
    group = next(iter(made))
    cgroup.make(group, {})
    if not Path(f"{group}/cgroup.kill").exists():
        pytest.skip("the kernel cannot kill a control group here")
    supervised = bench.launch(python(CHAIN), grace_s=0.2, cgroups=made, shares_group=shared)
    watcher = supervised.pid
    supervised.wait_for("ended")

    assert set(cgroup.members(group)) <= {watcher}
    assert supervised.of("exited")[0].get("survivors") is None
    supervised.wait_until(lambda: place.leave(()), "an end of its supervisor")


@pytest.mark.parametrize("in_group", [False, True], ids=["walked", "grouped"])
def test_i6_a_tree_that_goes_on_forking_is_ended(
    bench: Bench, place: Groups, *, in_group: bool
) -> None:
    made = place.of("s1", NO_LIMITS) if in_group else {}
    supervised = bench.launch(
        ["sh", "-c", FORKING],
        cwd="/",
        cgroups=made,
        limits={"nproc": [400, 400]},
        identity=[65534, 65534, []] if os.geteuid() == 0 else None,
    )
    supervised.wait_until(lambda: len(process.descendants_of(supervised.pid)) > 20, "a tree")
    watcher = supervised.pid

    supervised.tell(op="stop", why="stop", by="me", grace_s=0.0)
    supervised.wait_for("ended")

    assert supervised.of("exited")[0].get("survivors") is None
    assert process.descendants_of(watcher) == []


def test_a_group_that_the_job_divides_is_removed_with_its_parts(
    bench: Bench, place: Groups
) -> None:
    made = place.of("s1", NO_LIMITS)
    group = next(iter(made))
    script = f"mkdir {group}/inner && echo 0 > {group}/inner/cgroup.procs && sleep 600 & wait"
    supervised = bench.launch(["sh", "-c", script], cgroups=made)
    supervised.wait_until(lambda: cgroup.members(f"{group}/inner"), "a process in its group")

    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_for("ended")

    supervised.wait_until(lambda: not Path(group).exists(), "an end of the group")


def test_what_kill_mode_process_leaves_keeps_the_group_until_the_next_sweep(
    bench: Bench, place: Groups
) -> None:
    made = place.of("s1", NO_LIMITS)
    group = next(iter(made))
    supervised = bench.launch(
        ["sh", "-c", "sleep 600 & echo $!"], kill_mode="process", cgroups=made
    )
    supervised.wait_for("ended")
    left = int(supervised.output())

    assert cgroup.members(group) == [left]
    place.sweep(())
    assert Path(group).exists()
    os.kill(left, signal.SIGKILL)
    supervised.wait_until(lambda: not cgroup.members(group), "an empty group")
    place.sweep({"s1"})
    assert Path(group).exists()
    place.sweep(())
    assert not Path(group).exists()


def test_a_group_that_cannot_be_made_is_done_without_unless_it_has_a_limit(
    bench: Bench, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "none/cgroup.procs")
    (tmp_path / "none").write_text("a file")

    plain = bench.launch(["true"], cgroups={nowhere: {}})
    limited = bench.launch(["true"], cgroups={nowhere: {"memory.max": "1"}})

    assert plain.wait_for("ended")["why"] == "exit"
    assert limited.wait_for("ended")["why"] == "spawn"
    [failed] = limited.of("spawn_failed")
    assert (failed["stage"], failed["error"]) == ("cgroup", "Not a directory")


def test_the_kernel_holds_a_tree_to_its_processes(bench: Bench, place: Groups) -> None:
    if not place.enforces("pids"):
        pytest.skip("no controller for processes")
    made = place.of("s1", Resources(pids=5))
    script = "for i in 1 2 3 4 5 6 7 8; do sleep 600 & done 2>/dev/null; echo $?; wait"
    supervised = bench.launch(["bash", "-c", script], cgroups=made, grace_s=0.2)
    supervised.wait_until(lambda: len(process.descendants_of(supervised.pid)) == 5, "five")

    supervised.tell(op="stop", why="stop", by="me")

    supervised.wait_for("ended")


def test_a_kill_for_want_of_memory_is_told_apart(bench: Bench, place: Groups) -> None:
    if not place.enforces("memory"):
        pytest.skip("no controller for memory")
    made = place.of("s1", Resources(memory_bytes=32 << 20, action=ResourceAction.KILL))
    hog = python("x = bytearray(200 << 20)\nprint('not reached')")

    supervised = bench.launch(hog, cgroups=made)

    assert supervised.wait_for("ended")["why"] == "exit"
    [exited] = supervised.of("exited")
    assert (exited["signal"], exited["oom"]) == (signal.SIGKILL, True)
    assert supervised.output() == b""


@pytest.fixture
def cold() -> Iterator[Path]:
    """Yield a group in which processes can be held against SIGKILL."""
    freezer = Path("/sys/fs/cgroup/freezer")
    if not (freezer / "cgroup.procs").exists() or not os.access(freezer, os.W_OK):
        pytest.skip("nothing to hold a process against SIGKILL with")
    made = freezer / f"claw-test-{os.getpid()}"
    made.mkdir()
    yield made
    (made / "freezer.state").write_text("THAWED")
    deadline = time.monotonic() + PATIENCE_S
    while cgroup.members(str(made)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    made.rmdir()


def test_what_outlives_sigkill_is_named_and_the_stop_has_failed(
    tmp_path: Path, cold: Path
) -> None:
    script = (
        "sleep 600 & until grep -q sleep /proc/$!/comm; do :; done;"
        f" echo $! > {cold}/cgroup.procs; echo FROZEN > {cold}/freezer.state; echo $!; wait"
    )
    config = f'[jobs.web]\ntype = "continuous"\ncommand = """{script}"""\n'
    with master(tmp_path, config) as made:
        clawctl = Shell(made.environment)
        out = tmp_path / "log/web/out.log"
        made.wait_until(lambda: out.exists() and out.read_text(), "a frozen process")

        said = clawctl("stop", "--force", "web", status=None)
        (cold / "freezer.state").write_text("THAWED")

        named = f"web: cannot be ended, and lives on: {int(out.read_text())} sleep"
        assert (said.status, said.err) == (1, f"clawctl: warning: {named}\n")
        assert made.job("web")["last"]["survivors"] == named.rpartition(": ")[2]
        [exited] = [
            e for e in made.call("event.list")["events"] if e["type"] == "attempt.exited"
        ]
        assert "it left behind" in exited["why"]
        made.wait_until(lambda: not cgroup.members(str(cold)), "its end")


@pytest.mark.parametrize("kill_mode", ["process", "group"])
def test_what_kill_mode_leaves_running_is_named_and_no_failure(
    tmp_path: Path, kill_mode: str
) -> None:
    script = "setsid sleep 600 & until grep -q sleep /proc/$!/comm; do :; done; echo $!; wait"
    config = (
        f'[jobs.web]\ntype = "continuous"\nkill_mode = "{kill_mode}"\n'
        f'command = """{script}"""\n'
    )
    with master(tmp_path, config) as made:
        clawctl = Shell(made.environment)
        out = tmp_path / "log/web/out.log"
        made.wait_until(lambda: out.exists() and out.read_text().strip(), "a process")
        pid = int(out.read_text())

        try:
            said = clawctl("stop", "web")
            why = clawctl("why", "web").out
            assert not process.is_zombie(pid)
        finally:
            process.kill(pid, signal.SIGKILL)

        named = f"left running by its kill_mode: {pid} sleep"
        assert said.err == f"clawctl: warning: web: {named}\n"
        assert named in why
        assert made.job("web")["last"]["survivors"] is None
        [exited] = [
            e for e in made.call("event.list")["events"] if e["type"] == "attempt.exited"
        ]
        assert exited["why"].endswith(named)


def test_no_group_is_left_where_nothing_runs(bench: Bench, place: Groups) -> None:
    supervised = bench.launch(["true"], cgroups=place.of("s1", Resources(pids=50)))
    supervised.wait_for("ended")

    there = {place.tracking, *place.older.values()} - {""}
    if not place.unified:
        assert [folder for folder in there if Path(folder).exists()] == []
