"""I12: floods of numbered lines through rotation, compression, followers and kills."""

import random
from pathlib import Path

import pytest

from tests.kit.flood import WRITER, Follower, await_readers, parts_of, wrongs_in
from tests.kit.master import MasterUnderTest, StartMaster, kill_process

FLOOD = """
[jobs.flood]
type = "continuous"
shell = "/bin/sh"
command = '''
until [ -e {folder}/go ]; do sleep 0.02; done; seq 1 {count}; echo the end; sleep 1000
'''
grace_period = "0s"
log = {{ max_size = {size}, keep = 100000 }}
"""

MOST_OF_SUPERVISOR_MIB, MOST_OF_MASTER_MIB = 32, 128


def pour(start_master: StartMaster, tmp_path: Path, count: int, size: int) -> None:
    """Flood a log while it is followed, and hold every line to the rule."""
    claw = start_master(FLOOD.format(folder=tmp_path, count=count, size=size))
    claw.wait_state("flood", "running")
    follower, slow = Follower(claw, "flood"), Follower(claw, "flood", pause_s=0.001)
    try:
        await_readers(claw, "flood", 2)
        (tmp_path / "go").touch()
        follower.wait_end()
        slow.wait_end()
    finally:
        follower.close()
        slow.close()
    folder = claw.folder / "log/flood"
    claw.wait_until(lambda: not plain_rotated(folder), "compression of all")
    [supervisor] = claw.supervisors().values()

    check(folder, count)
    assert peak_mib(supervisor) < MOST_OF_SUPERVISOR_MIB
    assert peak_mib(claw.pid) < MOST_OF_MASTER_MIB
    assert (follower.wrongs, follower.count) == ([], count)
    assert (slow.wrongs, slow.count) == ([], count)


def peak_mib(pid: int) -> float:
    """Return the most memory that a process ever had (VmHWM, proc_pid_status(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def check(folder: Path, count: int) -> None:
    parts = parts_of(folder)
    lines = b"".join(parts).splitlines()
    assert all(part.endswith(b"\n") for part in parts)
    assert lines.pop() == b"the end"
    assert wrongs_in(lines, count) == []
    assert len(parts) > 10


def plain_rotated(folder: Path) -> list[str]:
    return [one.name for one in folder.glob("out.log.*") if one.suffix[1:].isdigit()]


def test_i12_a_flood_over_many_rotations_comes_whole_to_files_and_followers(
    start_master: StartMaster, tmp_path: Path
) -> None:
    pour(start_master, tmp_path, 300_000, 150_000)


@pytest.mark.slow
def test_i12_ten_million_lines_over_fifty_rotations(
    start_master: StartMaster, tmp_path: Path
) -> None:
    pour(start_master, tmp_path, 10_000_000, 1_550_000)

    assert len(parts_of(tmp_path / "home/log/flood")) > 50


def test_i12_kills_in_the_middle_of_rotations_lose_nothing(
    start_master: StartMaster, tmp_path: Path, seed: int
) -> None:
    kill_while_it_pours(start_master, tmp_path, seed, 10)


@pytest.mark.slow
def test_i12_many_kills_in_the_middle_of_rotations_lose_nothing(
    start_master: StartMaster, tmp_path: Path, seed: int
) -> None:
    kill_while_it_pours(start_master, tmp_path, seed, 150)


def kill_while_it_pours(
    start_master: StartMaster, tmp_path: Path, seed: int, kills: int
) -> None:
    """Kill supervisor and master again and again; the seed says when."""
    rng = random.Random(seed)
    (tmp_path / "writer.py").write_text(WRITER)
    claw = start_master(f"""
[jobs.flood]
type = "continuous"
argv = ["python3", "{tmp_path}/writer.py", "{tmp_path}"]
grace_period = "0s"
log = {{ max_size = "32K", keep = 100000 }}
""")
    pid = claw.wait_state("flood", "running")["pid"]
    folder = claw.folder / "log/flood"
    follower = Follower(claw, "flood")
    try:
        await_readers(claw, "flood", 1)
        (tmp_path / "go").touch()
        for _ in range(kills):
            kill_one(claw, rng, folder)
        assert claw.wait_state("flood", "running")["pid"] == pid
        (tmp_path / "end").touch()
        follower.wait_end()
    finally:
        follower.close()
    claw.wait_until(lambda: not plain_rotated(folder), "compression of all")

    assert follower.wrongs == []
    parts = parts_of(folder)
    lines = b"".join(parts).splitlines()[:-1]
    assert wrongs_in(lines) == []
    assert all(part.endswith(b"\n") for part in parts)
    assert len(parts) > kills
    indexes = {one.name for one in folder.glob("*.idx")}
    assert len(indexes) >= len(parts) - 1


def kill_one(claw: MasterUnderTest, rng: random.Random, folder: Path) -> None:
    """Kill a supervisor or the master once some more has been written."""
    before = len(list(folder.iterdir()))
    claw.wait_until(lambda: len(list(folder.iterdir())) > before, "a rotation")
    if rng.random() < 0.3:
        claw.restart()
    else:
        for pid in claw.supervisors().values():
            kill_process(pid)
