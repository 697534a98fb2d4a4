"""A launch that waits for its time: it begins then and never before, or is withdrawn."""

import contextlib
import os
import signal
import socket as sockets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import process, socket
from tests.kit import supervision
from tests.kit.supervision import Bench, Supervised

FAR_S = 3600.0
SOON_S = 0.5


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def armed(bench: Bench, in_s: float, **changes: Any) -> Supervised:
    """Launch what writes a letter each time that it begins, to begin in some seconds."""
    argv = ["sh", "-c", "echo x >> begun"]
    return bench.launch(argv, begin_at=time.time() + in_s, **changes)


def launch_file(one: Supervised) -> Path:
    assert one.launch is not None
    return Path(one.launch.launch_dir) / f"{one.launch.run}.{one.launch.attempt}"


def begins(bench: Bench) -> int:
    path = bench.home / "begun"
    return len(path.read_text().split()) if path.exists() else 0


def check_time(one: Supervised) -> None:
    """Check that it ended after it began once, and that not before its time."""
    one.wait_for("ended")
    assert one.launch is not None
    assert begins(one.bench) == len(one.of("started")) == 1
    assert one.of("started")[0]["at"] >= one.launch.begin_at


def control(one: Supervised) -> str:
    """Return the path of its socket, once it listens."""
    one.tell(op="hello")
    assert one.launch is not None
    return f"{one.launch.run_dir}/control.sock"


def gone(bench: Bench, one: Supervised) -> bool:
    return one.sid not in bench.ask(op="hello")["supervisors"]


def test_it_begins_when_its_time_has_come(bench: Bench) -> None:
    one = armed(bench, SOON_S)

    assert one.launch is not None
    assert one.wait_for("launch")["at"] >= one.launch.begin_at
    check_time(one)


def test_one_whose_time_has_passed_begins_at_once(bench: Bench) -> None:
    check_time(armed(bench, -SOON_S))


@pytest.mark.parametrize(
    "message",
    [
        {"op": "withdraw", "why": "paused"},
        {"op": "stop", "why": "paused", "by": "test", "grace_s": 0.0},
    ],
    ids=["withdraw", "stop"],
)
def test_a_withdrawn_one_begins_nothing_and_frees_its_attempt(
    bench: Bench, message: dict[str, Any]
) -> None:
    one = armed(bench, FAR_S)
    assert launch_file(one).exists()

    with contextlib.closing(socket.connect_unix(control(one))) as master:  # it has to read
        answer = one.tell(**message)

        [line] = one.lines()
        assert (line["ev"], line["why"]) == ("withdrawn", "paused")
        assert one.launch is not None
        assert (line["run"], line["attempt"]) == (one.launch.run, 1)
        assert answer.get("withdrawn", True)
        assert not launch_file(one).exists()
        master.shutdown(sockets.SHUT_RDWR)
    one.wait_until(lambda: gone(bench, one), "end")
    assert begins(bench) == 0
    assert not one.spool.exists()


def test_a_terminated_one_begins_nothing(bench: Bench) -> None:
    one = armed(bench, FAR_S)
    one.tell(op="hello")  # it waits

    assert process.kill(one.pid, signal.SIGTERM)

    one.wait_until(lambda: gone(bench, one), "end")
    assert not launch_file(one).exists()
    assert begins(bench) == 0


def test_one_that_has_begun_is_not_withdrawn(bench: Bench) -> None:
    gate = bench.home / "gate"
    os.mkfifo(gate)
    one = bench.launch(["sh", "-c", f"read x < {gate}"], begin_at=time.time() + SOON_S)
    one.wait_for("started")

    assert one.tell(op="withdraw", why="paused") == {"id": 1, "withdrawn": False}

    gate.write_text("go\n")
    assert one.wait_for("ended")["why"] == "exit"
    assert launch_file(one).exists()


def test_killed_while_it_waits_it_begins_once_and_at_its_time(bench: Bench) -> None:
    one = armed(bench, 3 * SOON_S)
    one.tell(op="hello")  # it waits

    one.kill()

    check_time(one)


def test_a_replacement_can_be_withdrawn(bench: Bench) -> None:
    one = armed(bench, FAR_S)
    one.tell(op="hello")
    one.kill()

    assert one.tell(op="withdraw", why="paused")["withdrawn"]

    one.wait_until(lambda: gone(bench, one), "end")
    assert not launch_file(one).exists()
    assert begins(bench) == 0


def test_a_withdrawn_one_that_is_killed_stays_withdrawn(bench: Bench) -> None:
    one = armed(bench, FAR_S)
    pid = one.tell(op="hello")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        (one.spool / "journal").write_text(
            '{"ev":"withdrawn","at":1.0,"b":1.0,"run":"r","attempt":1}\n'
        )
    finally:
        os.kill(pid, signal.SIGKILL)

    one.wait_until(lambda: gone(bench, one), "end")
    assert begins(bench) == 0


def test_without_its_fork_server_it_begins_at_its_time_all_the_same(bench: Bench) -> None:
    one = armed(bench, 3 * SOON_S)
    one.tell(op="hello")  # it waits
    bench.renew()
    bench.give(one)

    check_time(one)
    one.wait_until(lambda: gone(bench, one), "end")


def test_i4_one_that_is_fostered_and_withdrawn_is_not_begun_by_a_replacement(
    bench: Bench,
) -> None:
    one = armed(bench, FAR_S)
    one.tell(op="hello")  # it waits
    bench.renew()
    bench.give(one)

    assert one.tell(op="withdraw", why="paused")["withdrawn"]

    # Nobody sees how it ends, so it is replaced; by then its journal may be gone.
    one.wait_until(lambda: gone(bench, one), "end")
    assert not launch_file(one).exists()
    assert begins(bench) == 0


def test_a_fork_server_says_that_its_supervisors_wait_for_a_time(bench: Bench) -> None:
    assert "begin_at" in bench.ask(op="hello")["knows"]
