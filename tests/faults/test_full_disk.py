"""I7: a full or read-only disk ends no job, is said, and is forgotten once it is over."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.errors import StoreError
from claw.kernel import process
from claw.wire import supervision
from tests.kit.ledger import Ledger
from tests.kit.master import PATIENCE_S, MasterUnderTest, kill_process
from tests.kit.roll import supervisors_of
from tests.kit.witness import Witness

pytestmark = pytest.mark.root
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def small_disk(folder: Path, size: str, *options: str) -> Iterator[Path]:
    """Mount a small tmpfs at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs"]
    done = subprocess.run([*words, folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left, to the last byte, and return what takes it."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass
    return ballast


def fill_page(journal: Path, line: dict[str, Any]) -> None:
    """Append a line that ends with a page: the next one will need another of the disk."""
    bare = {**line, "at": 1.0, "b": 1.0, "text": ""}
    rest = -(journal.stat().st_size + len(supervision.encode(bare))) % PAGE_BYTES
    with journal.open("ab", buffering=0) as file:
        file.write(supervision.encode({**bare, "text": "x" * rest}))
    assert journal.stat().st_size % PAGE_BYTES == 0


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def claw(tmp_path: Path, witness: Witness) -> Iterator[MasterUnderTest]:
    """Yield a master whose state lies on a small disk."""
    os.mkfifo(tmp_path / "talk")
    made = MasterUnderTest(tmp_path / "home")
    made.configure(f"""
[daemon]
shutdown_timeout = "10m"
[jobs.web]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
restart = {{ delays = ["0s"] }}
[jobs.quick]
{witness.command()}
max_instances = 5
[jobs.talker]
command = "read x < '{tmp_path}/talk'; seq 1 200000; exit 4"
[jobs.late]
command = "trap '' TERM; echo ready; read x < '{tmp_path}/talk'"
grace_period = "10m"
[jobs.tick]
{witness.command()}
schedule = "* * * * * *"
""")
    with small_disk(tmp_path / "home/state", "4m"):
        made.start()
        try:
            yield made
        finally:
            (tmp_path / "home/state/ballast").unlink(missing_ok=True)
            made.end()


def books_of(claw: MasterUnderTest, witness: Witness) -> list[str]:
    claw.call("job.stop", targets=["tick"])
    claw.wait_until(
        lambda: all(run["job"] == "web" or run["ended_at"] for run in claw.runs()), "rest"
    )
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"quick"})
    return ledger.wrongs()


def test_i7_a_full_disk_refuses_what_is_new_and_ends_nothing(
    claw: MasterUnderTest, witness: Witness
) -> None:
    web = claw.wait_state("web", "running")
    claw.wait_until(witness.lines, "a first child")

    ballast = fill(claw.folder / "state")
    with pytest.raises(StoreError):
        claw.submit("quick", args=["1"])
    assert claw.job("web")["pid"] == web["pid"]
    assert not process.is_zombie(web["pid"])
    claw.wait_until(lambda: "due times cannot be stored" in claw.stderr, "a report")
    assert any("disk is full" in text for text in claw.call("job.status")["warnings"])

    ballast.unlink()
    run = claw.submit("quick", args=["6"])
    assert claw.ended(run)["exit_code"] == 6
    assert claw.call("job.status")["warnings"] == []
    seen = len(witness.lines())
    claw.wait_until(lambda: len(witness.lines()) > seen + 1, "fires again")
    assert claw.job("web")["pid"] == web["pid"]
    assert books_of(claw, witness) == []


def test_i7_ends_and_restarts_on_a_full_disk_are_told_once_there_is_room(
    claw: MasterUnderTest, witness: Witness
) -> None:
    web = claw.wait_state("web", "running")
    run = claw.submit("quick", args=["9", "100", "held"])
    claw.wait_until(lambda: witness.count(run), "a run")

    ballast = fill(claw.folder / "state")
    assert kill_process(web["pid"])
    witness.let_go()
    [pid] = [one.pid for one in witness.lines() if one.run == run]
    claw.wait_until(lambda: process.is_zombie(pid), "end of the short run")

    ballast.unlink()
    assert claw.ended(run)["exit_code"] == 9
    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, web["pid"]}, "a restart")
    assert claw.job("web")["run"] == web["run"]
    assert claw.output(f"quick/{run}.out").count(b"\n") == 100
    assert books_of(claw, witness) == []


def test_i7_kills_on_a_full_disk_end_no_service(
    claw: MasterUnderTest, witness: Witness
) -> None:
    web = claw.wait_state("web", "running")
    talker = claw.submit("talker")
    claw.client.wait(talker, "running", PATIENCE_S)
    jobs = {  # of each supervisor the last: one may take one run after the other
        sid: line["job"]
        for sid, lines in claw.journals().items()
        for line in lines
        if line["ev"] == "launch"
    }
    killed = {
        sid: pid
        for sid, pid in supervisors_of(claw.home).items()
        if jobs.get(sid) in {"web", "talker"}
    }
    assert len(killed) == 2

    ballast = fill(claw.folder / "state")
    assert all(kill_process(pid) for pid in killed.values())
    (claw.folder.parent / "talk").open("w").close()
    claw.wait_until(
        lambda: claw.output(f"talker/{talker}.out").endswith(b"\n200000\n"), "whole output"
    )
    assert not process.is_zombie(web["pid"])
    assert not set(supervisors_of(claw.home).values()) & set(killed.values())
    claw.kill()
    ballast.unlink()
    claw.start()

    assert claw.ended(talker)["exit_code"] == 4
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    assert books_of(claw, witness) == []


def test_i7_output_that_finds_no_room_is_counted_and_holds_up_nobody(
    tmp_path: Path, witness: Witness
) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure(f"[jobs.quick]\n{witness.command()}\n")
    with small_disk(tmp_path / "home/log/quick", "256k"):
        claw.start()
        try:
            run = claw.ended(claw.submit("quick", args=["3", "200000"]))
            [attempt] = run["attempts"]
            kept = claw.output(f"quick/{run['id']}.out")
        finally:
            claw.end()

    whole = b"".join(b"%d\n" % number for number in range(1, 200_001))
    assert run["exit_code"] == 3
    assert attempt["dropped"] > 0
    assert len(kept) + attempt["dropped"] == len(whole)
    assert whole.startswith(kept[:4096])


def test_i7_output_may_wait_for_room_instead_and_be_given_up_by_a_stop(
    tmp_path: Path,
) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure("""
[defaults]
log = { on_full = "block" }
[jobs.waits]
command = "seq 1 100000"
[jobs.given-up]
command = "seq 1 100000; sleep 1000"
grace_period = "0s"
""")
    folders = [tmp_path / f"home/log/{name}" for name in ("waits", "given-up")]
    with small_disk(folders[0], "256k"), small_disk(folders[1], "256k"):
        ballast = [fill(folder) for folder in folders]
        claw.start()
        try:
            waits, given_up = claw.submit("waits"), claw.submit("given-up")
            for run in (waits, given_up):
                claw.client.wait(run, "running", 30)
            claw.call("run.cancel", targets=[given_up])
            dropped = claw.ended(given_up)["attempts"][0]["dropped"]
            ballast[0].unlink()
            claw.wait_until(lambda: claw.output(f"waits/{waits}.out"), "some output")
            subprocess.run(
                ["mount", "-o", "remount,size=2m", folders[0]], check=True, capture_output=True
            )
            [attempt] = claw.ended(waits)["attempts"]
            kept = claw.output(f"waits/{waits}.out")
        finally:
            claw.end()

    assert dropped > 0
    assert attempt["dropped"] == 0
    assert kept == b"".join(b"%d\n" % number for number in range(1, 100_001))


def test_i7_a_state_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure("")
    with small_disk(tmp_path / "home/state", "1m", "ro"):
        claw.start(wait=False)
        assert claw.process is not None
        assert claw.process.wait(PATIENCE_S) not in {0, 70}

    assert str(claw.folder / "state") in claw.stderr
    assert "Traceback" not in claw.stderr


def test_i7_a_stop_of_the_daemon_stops_on_a_full_disk(claw: MasterUnderTest) -> None:
    web = claw.wait_state("web", "running")
    ballast = fill(claw.folder / "state")

    claw.call("daemon.stop", mode="stop")

    assert claw.process is not None
    claw.process.wait(PATIENCE_S)
    assert process.is_zombie(web["pid"])
    ballast.unlink()


def test_i7_a_stop_ends_although_the_disk_fills_before_the_jobs_have_ended(
    claw: MasterUnderTest,
) -> None:
    run = claw.submit("late")
    claw.wait_until(lambda: claw.output(f"late/{run}.out"), "readiness")
    claw.call("daemon.stop", mode="stop")
    claw.wait_until(lambda: claw.job("late")["state"] == "stopping", "a stop that is stored")

    ballast = fill(claw.folder / "state")
    (claw.folder.parent / "talk").open("w").close()

    assert claw.process is not None
    claw.process.wait(PATIENCE_S)
    ballast.unlink()


def test_i7_a_stop_does_not_wait_for_a_supervisor_that_has_no_room_for_the_end(
    claw: MasterUnderTest,
) -> None:
    web = claw.wait_state("web", "running")
    [journal] = [
        claw.folder / f"state/spool/{sid}/journal"
        for sid, lines in claw.journals().items()
        if lines and lines[0]["job"] == "web"
    ]
    fill_page(journal, {"ev": "note", "run": web["run"], "attempt": 1})
    ballast = fill(claw.folder / "state")

    claw.call("daemon.stop", mode="stop")

    assert claw.process is not None
    claw.process.wait(PATIENCE_S)
    assert process.is_zombie(web["pid"])
    assert "once there is room" in claw.stderr
    assert supervisors_of(claw.home)  # it waits for room
    ballast.unlink()
    claw.start()
    run = claw.ended(web["run"])
    assert (run["attempts"][0]["signal"], run["stop_why"]) == (15, "shutdown")
