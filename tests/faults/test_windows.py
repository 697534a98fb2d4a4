"""Kills in windows that chance seldom hits: processes are held in place by SIGSTOP."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw import __version__
from claw.kernel import process, socket
from claw.wire import supervision
from tests.kit.ledger import Ledger
from tests.kit.master import ROOT, MasterUnderTest, StartMaster, kill_process
from tests.kit.roll import supervisors_of
from tests.kit.supervision import Bench, Supervised, bench, ladder
from tests.kit.witness import Witness


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture(name="bench")
def make_bench(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "bench") as made:
        yield made


def jobs(witness: Witness) -> str:
    return f"""
[jobs.web]
type = "continuous"
{witness.command(0, 0, 600)}
grace_period = "2s"
[jobs.quick]
{witness.command()}
max_instances = 20
"""


def fork_server_of(claw: MasterUnderTest) -> int:
    return int(claw.call("daemon.status")["fork_server_pid"])


def books_of(claw: MasterUnderTest, witness: Witness) -> list[str]:
    ledger = Ledger(claw, witness.lines())
    ledger.plural = frozenset({"quick"})
    return ledger.wrongs()


# -- the master is killed -----------------------------------------------------------------


def test_i3_launches_that_a_killed_master_had_asked_for_happen_once(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    claw.wait_state("web", "running")
    fork_server = fork_server_of(claw)

    os.kill(fork_server, signal.SIGSTOP)
    runs = {claw.submit("quick", args=[str(code)]): code for code in range(12)}
    claw.wait_until(
        lambda: all(run["state"] == "claimed" for run in claw.runs("quick")), "claims"
    )
    claw.kill()
    claw.start(wait=False)
    os.kill(fork_server, signal.SIGCONT)
    claw.wait_until(claw._answers, "a master that answers")

    assert {run: claw.ended(run)["exit_code"] for run in runs} == runs
    assert all(witness.count(run) == 1 for run in runs)
    assert fork_server_of(claw) == fork_server
    assert books_of(claw, witness) == []


def _ask_while_deaf(claw: MasterUnderTest, supervisor: int, method: str, killed: str) -> None:
    """Ask for something that a held supervisor cannot hear, kill, and let go."""
    os.kill(supervisor, signal.SIGSTOP)
    claw.call(method, targets=["web"])
    if killed in {"master", "both"}:
        claw.restart()
    if killed in {"supervisor", "both"}:
        assert kill_process(supervisor)
    else:
        os.kill(supervisor, signal.SIGCONT)


@pytest.mark.parametrize("killed", ["master", "supervisor", "both"])
def test_a_stop_that_could_not_be_told_yet_is_told_after_any_kill(
    start_master: StartMaster, witness: Witness, killed: str
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [(_, supervisor)] = supervisors_of(claw.home).items()

    _ask_while_deaf(claw, supervisor, "job.stop", killed)

    assert claw.wait_state("web", "stopped")["last"]["state"] == "canceled"
    assert process.is_zombie(web["pid"])
    assert books_of(claw, witness) == []


@pytest.mark.parametrize("killed", ["master", "supervisor", "both"])
def test_a_restart_that_could_not_be_told_yet_happens_once_after_any_kill(
    start_master: StartMaster, witness: Witness, killed: str
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    [(_, supervisor)] = supervisors_of(claw.home).items()

    _ask_while_deaf(claw, supervisor, "job.restart", killed)

    claw.wait_until(lambda: claw.job("web")["pid"] not in {None, web["pid"]}, "a restart")
    again = claw.job("web")
    assert (again["run"], process.is_zombie(web["pid"])) == (web["run"], True)
    claw.wait_until(lambda: witness.count(web["run"]) == 2, "two attempts")
    assert books_of(claw, witness) == []


def test_a_service_that_crashes_while_master_and_supervisor_are_dead_is_restarted_once(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness) + '[jobs.web.restart]\ndelays = ["0s"]\n')
    web = claw.wait_state("web", "running")
    [(_, supervisor)] = supervisors_of(claw.home).items()

    claw.kill()
    os.kill(supervisor, signal.SIGSTOP)
    assert kill_process(web["pid"])
    assert kill_process(supervisor)
    claw.start()

    claw.wait_until(lambda: witness.count(web["run"]) == 2, "a second attempt")
    claw.wait_state("web", "running")
    shown = claw.call("run.show", run=web["run"])
    assert [(one["no"], one["signal"]) for one in shown["attempts"]] == [(1, 9), (2, None)]
    assert books_of(claw, witness) == []


def test_a_stopped_master_holds_up_no_job_and_then_knows_all(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(
        f'[jobs.flap]\ntype = "continuous"\n{witness.command(5, 1, 0.1)}\n'
        'restart = { delays = ["0s"] }\n'
    )
    claw.wait_until(witness.lines, "a first attempt")

    os.kill(claw.pid, signal.SIGSTOP)
    seen = len(witness.lines())
    claw.wait_until(lambda: len(witness.lines()) > seen + 5, "restarts without a master")
    os.kill(claw.pid, signal.SIGCONT)
    claw.call("job.stop", targets=["flap"])
    claw.wait_state("flap", "stopped")

    [found] = claw.runs("flap")
    run = claw.call("run.show", run=found["id"])
    said = [line.attempt for line in witness.lines()]
    if run["attempts"][-1]["signal"] is not None:  # stopped, perhaps before it said anything
        said = sorted({*said, run["attempt"]})
    assert said == [*range(1, run["attempt"] + 1)]
    assert books_of(claw, witness) == []


# -- the fork server is killed --------------------------------------------------------------


def test_the_death_of_the_fork_server_ends_no_job(
    start_master: StartMaster, witness: Witness
) -> None:
    claw = start_master(jobs(witness))
    web = claw.wait_state("web", "running")
    during = claw.submit("quick", args=["3", "500", "held"])
    claw.wait_until(lambda: witness.count(during), "a run")
    fork_server = fork_server_of(claw)

    assert kill_process(fork_server)
    after = claw.submit("quick", args=["4"])
    witness.let_go()

    assert claw.ended(during)["exit_code"] == 3
    assert claw.ended(after)["exit_code"] == 4
    assert fork_server_of(claw) != fork_server
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    claw.restart()
    assert claw.wait_state("web", "running")["pid"] == web["pid"]
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")
    assert books_of(claw, witness) == []


def test_a_fork_server_that_ends_just_as_it_is_found_holds_up_no_master(
    tmp_path: Path, witness: Witness
) -> None:
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure(jobs(witness))
    (claw.folder / "run").mkdir()
    ending = socket.listen_unix(claw.home.forkserver_socket(__version__))
    ending.settimeout(30)
    claw.start(wait=False)
    connection, _ = ending.accept()
    ending.close()
    connection.close()

    claw.wait_until(claw._answers, "a master that answers")
    claw.wait_state("web", "running")
    claw.end()


def test_a_request_of_a_peer_that_has_gone_does_not_end_the_fork_server(bench: Bench) -> None:
    connection = socket.connect_unix(str(bench.home / "run/forkserver.sock"))
    reading, writing = os.pipe()

    os.kill(bench.process.pid, signal.SIGSTOP)
    connection.sendall(supervision.encode({"id": 1, "op": "find", "sid": "s1"}))
    launch = supervision.encode({"id": 2, "op": "launch", "sid": "s1", "run": "r1"})
    connection.sendmsg([launch], socket.rights(reading, writing))
    connection.close()
    os.kill(bench.process.pid, signal.SIGCONT)

    assert bench.ask(op="hello")["supervisors"] == []
    os.close(reading)
    os.close(writing)


def test_a_fork_server_that_ends_leaves_its_successors_socket(tmp_path: Path) -> None:
    with bench(tmp_path / "bench") as made:
        path = str(made.home / "run/forkserver.sock")
        made.ask(op="hello")
        successor = socket.listen_unix(path)

    assert made.process.returncode == 0
    socket.connect_unix(path).close()
    successor.close()


def test_the_status_of_a_child_outlives_the_relay_of_a_killed_replacement(
    tmp_path: Path,
) -> None:
    """The relay of a killed replacement is seen to close before its death is seen."""
    code = """
import os, socket
from claw.kernel import pidfd, socket as sockets
from claw.supervisor.forkserver import ForkServer, Ward
server = sockets.listen_unix("run.sock")
fork_server = ForkServer(server, "run.sock", 1024)
ours, theirs = socket.socketpair()
ward = Ward("s1", "spool", {})
child = os.fork()
if child == 0:
    os._exit(7)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
ward.relay = ours
fork_server._wards.all["s1"] = ward
fork_server._wards.orphans.watch(ward, child, pidfd.start_ticks(child) or 0)
theirs.recv(4096)
theirs.close()
fork_server._wards.orphans.on_relay(ward)
fork_server._wards.orphans.reap_unasked()
print(pidfd.peek_exit(child).code)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr


# -- the supervisor is killed -----------------------------------------------------------------


def held(bench: Bench, **changes: Any) -> Supervised:
    """Launch a child that exits with 3 once it is let go."""
    os.mkfifo(bench.home / "fifo")
    script = ["sh", "-c", "read x < fifo; exit 3"]
    run = bench.launch(script, cwd=str(bench.home), **changes)
    run.wait_for("started")
    return run


def let_go(bench: Bench) -> None:
    (bench.home / "fifo").open("w").close()


def test_an_empty_launch_file_of_a_killed_predecessor_is_taken_over(bench: Bench) -> None:
    run = held(bench, restart=ladder())
    (bench.home / f"state/launch/{run.launch.run}.2").touch()  # type: ignore[union-attr]
    let_go(bench)

    assert run.wait_for("started", 2)["attempt"] == 2
    launch_file = bench.home / f"state/launch/{run.launch.run}.2"  # type: ignore[union-attr]
    assert launch_file.read_text() == run.sid


def test_a_launch_file_of_another_supervisor_is_not_taken_over(bench: Bench) -> None:
    run = held(bench, restart=ladder())
    path = bench.home / f"state/launch/{run.launch.run}.2"  # type: ignore[union-attr]
    path.write_text("s" + "0" * 26)
    let_go(bench)

    assert run.wait_for("ended")["why"] == "conflict"
    run.wait_until(lambda: not run.pid, "end of the supervisor")
    assert len(run.of("started")) == 1


def test_a_line_that_was_torn_by_a_kill_costs_no_other_line(bench: Bench) -> None:
    run = held(bench)
    os.kill(run.pid, signal.SIGSTOP)
    with (run.spool / "journal").open("ab") as journal:
        journal.write(b'{"ev": "stopp')
    run.kill()
    let_go(bench)

    run.wait_for("ended")
    assert run.of("exited")[0]["code"] == 3
    said = [line["ev"] for line in run.lines() if line["ev"] != "ready"]
    assert said == ["launch", "started", "taken_over", "exited", "ended"]


def test_a_replacement_that_is_killed_too_is_replaced_with_nothing_lost(bench: Bench) -> None:
    os.mkfifo(bench.home / "fifo")
    run = bench.launch(["sh", "-c", "seq 1 60000; read x < fifo; exit 9"], cwd=str(bench.home))
    for _ in range(5):
        run.kill()
    let_go(bench)

    assert run.wait_for("exited")["code"] == 9
    run.wait_for("ended")
    assert [len(run.of(ev)) for ev in ("launch", "started", "exited", "ended")] == [1] * 4
    assert run.output() == b"".join(b"%d\n" % n for n in range(1, 60001))
