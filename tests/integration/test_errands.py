"""Commands of a job beside its child: stop_command, reload, and what checks run."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit import supervision
from tests.kit.clawctl import Shell
from tests.kit.master import master
from tests.kit.supervision import Bench, Line, Supervised, ladder

IGNORES_TERM = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.02; done"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with supervision.bench(tmp_path) as made:
        yield made


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def running(bench: Bench, script: str, **changes: object) -> Supervised:
    """Launch a child that has trapped TERM, beside which a command is run."""
    supervised = bench.launch(IGNORES_TERM, commands={"ready": shell(script)}, **changes)
    supervised.wait_until(supervised.output, "an output")
    return supervised


def perform(supervised: Supervised, timeout_s: float = 20.0) -> Line:
    answer = supervised.tell(op="perform", what="ready", timeout_s=timeout_s)
    answer.pop("id")
    return answer


# -- perform -------------------------------------------------------------------------------


def test_a_command_is_run_as_the_child_is_and_its_end_is_told(bench: Bench) -> None:
    supervised = running(
        bench, "echo $MAINPID $CLAW_RUN_ID $PWD; umask; echo err >&2; exit 3", umask=0o077
    )

    said = perform(supervised)

    pid, run = supervised.of("started")[0]["pid"], supervised.of("launch")[0]["run"]
    assert (said["code"], said["signal"], said["timed_out"]) == (3, None, False)
    assert said["output"] == f"{pid} {run} {bench.home}\n0077\nerr\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_command_is_run_as_the_jobs_user(bench: Bench) -> None:
    supervised = running(bench, "id -u; id -G", identity=[65534, 65534, [4]], cwd="/")

    assert perform(supervised)["output"] == "65534\n65534 4\n"


def test_a_command_is_ended_with_its_tree_when_its_time_is_up(bench: Bench) -> None:
    supervised = running(bench, "sleep 600 & echo $!; exec sleep 600")

    said = perform(supervised, timeout_s=0.3)

    assert (said["code"], said["signal"], said["timed_out"]) == (None, signal.SIGKILL, True)
    supervised.wait_until(lambda: process.is_zombie(int(said["output"])), "its end")
    assert not supervised.of("exited")


def test_only_the_end_of_a_long_output_is_kept(bench: Bench) -> None:
    supervised = running(bench, "seq 100000")

    output = perform(supervised)["output"]

    assert len(output) == 2048
    assert output.endswith("\n99999\n100000\n")


def test_one_of_a_kind_runs_at_once(bench: Bench, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    supervised = running(bench, f"touch begun; read line < {gate}; echo $line")
    first: list[Line] = []
    waiting = threading.Thread(target=lambda: first.append(perform(supervised)))
    waiting.start()
    supervised.wait_until((bench.home / "begun").exists, "a beginning")

    second = supervised.tell(op="perform", what="ready", timeout_s=20.0)
    gate.write_text("open\n")
    waiting.join()

    assert second["error"] == "the ready command runs already"
    assert first[0]["output"].endswith("open\n")


def test_a_command_that_cannot_be_run_says_why(bench: Bench) -> None:
    supervised = bench.launch(["sleep", "600"], commands={"ready": ["/no/such"]})
    supervised.wait_for("started")

    said = perform(supervised)

    assert (said["code"], said["output"]) == (
        127,
        "exec: No such file or directory: '/no/such'",
    )
    unknown = supervised.tell(op="perform", what="reload", timeout_s=1)
    assert unknown["error"] == "the job has no reload command"
    assert not supervised.of("spawn_failed")


@pytest.mark.parametrize("kill_mode", ["tree", "process"])
def test_a_command_ends_with_its_attempt_and_is_in_no_way_of_the_next(
    bench: Bench, kill_mode: str
) -> None:
    hangs = "trap '' TERM; echo x; sleep 600 & echo $! > pid; wait; exec sleep 600"
    supervised = bench.launch(
        shell("echo up; exec sleep 600"),
        commands={"ready": shell(f"test -e pid || {{ {hangs}; }}")},
        kill_mode=kill_mode,
        restart=ladder(delays_s=(0.0,)),
    )
    supervised.wait_until(supervised.output, "an output")
    first: list[Line] = []
    waiting = threading.Thread(target=lambda: first.append(perform(supervised, 600.0)))
    waiting.start()
    path = bench.home / "pid"
    supervised.wait_until(lambda: path.exists() and path.read_text(), "a beginning")

    supervised.tell(op="stop", why="unhealthy", by="claw")
    supervised.wait_for("started", 2)
    waiting.join()

    assert first[0]["error"] == "the process that the command is about has ended"
    assert first[0]["signal"] == signal.SIGKILL
    supervised.wait_until(lambda: process.is_zombie(int(path.read_text())), "its end")
    assert perform(supervised)["code"] == 0
    assert supervised.of("exited")[0].get("left") is None
    late = supervised.tell(op="perform", what="ready", timeout_s=20.0, attempt=1)
    assert late["error"] == first[0]["error"]


# -- stop_command -----------------------------------------------------------------------------


def test_a_stop_command_comes_first_and_the_signal_after_it(bench: Bench) -> None:
    script = "trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    supervised = bench.launch(
        shell(script), commands={"stop": shell("sleep 0.2; echo stopping >> out; echo x")}
    )
    supervised.wait_until(supervised.output, "an output")

    supervised.tell(op="stop", why="stop", by="me")

    assert supervised.wait_for("ended")["why"] == "stop"
    assert supervised.output() == b"up\nterm\n"
    assert (bench.home / "out").read_text() == "stopping\n"
    assert not supervised.of("note")


def test_a_stop_command_that_ends_the_child_may_finish_its_work(bench: Bench) -> None:
    supervised = bench.launch(
        ["sleep", "600"], commands={"stop": shell("kill $MAINPID; sleep 0.3; echo done > out")}
    )
    supervised.wait_for("started")

    supervised.tell(op="stop", why="stop", by="me")

    supervised.wait_for("ended")
    assert (bench.home / "out").read_text() == "done\n"


def test_a_stop_command_that_hangs_leaves_half_of_the_grace_period_to_the_signal(
    bench: Bench,
) -> None:
    script = "trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    supervised = bench.launch(
        shell(script),
        grace_s=6.0,
        commands={"stop": shell("trap '' TERM; sleep 600 & echo $! > pid; wait")},
    )
    supervised.wait_until(supervised.output, "an output")

    supervised.tell(op="stop", why="stop", by="me")

    supervised.wait_for("ended")
    assert supervised.output() == b"up\nterm\n"
    assert supervised.of("exited")[0]["code"] == 0
    assert supervised.of("note")[0]["text"] == "stop_command: ran out of time"
    assert process.is_zombie(int((bench.home / "pid").read_text()))


def test_a_child_that_minds_no_signal_is_killed_at_the_end_of_the_grace_period(
    bench: Bench,
) -> None:
    supervised = bench.launch(
        IGNORES_TERM, grace_s=0.3, commands={"stop": shell("echo stuck; exec sleep 600")}
    )
    supervised.wait_until(supervised.output, "an output")

    supervised.tell(op="stop", why="stop", by="me")

    supervised.wait_for("ended")
    assert supervised.of("exited")[0]["signal"] == signal.SIGKILL


def test_a_stop_command_that_fails_is_noted_and_the_signal_sent(bench: Bench) -> None:
    supervised = bench.launch(["sleep", "600"], commands={"stop": shell("echo no; exit 4")})
    supervised.wait_for("started")

    supervised.tell(op="stop", why="stop", by="me")

    supervised.wait_for("ended")
    assert supervised.of("note")[0]["text"] == "stop_command: exit 4: no"
    assert supervised.of("exited")[0]["signal"] == signal.SIGTERM


def test_i4_a_stop_command_is_waited_for_by_who_replaces_its_supervisor(
    bench: Bench, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = "trap 'echo term >> out; exit 0' TERM; echo up; while :; do sleep 0.02; done"
    command = f"echo begin >> out; read line < {gate}; sleep 0.2; echo end >> out"
    supervised = bench.launch(shell(script), commands={"stop": shell(command)})
    supervised.wait_until(supervised.output, "an output")
    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_until((bench.home / "out").exists, "a beginning")

    for count in (1, 2):
        supervised.kill()
        supervised.wait_for("taken_over", count)
        assert supervised.tell(op="hello")["child"]
    gate.write_text("open\n")

    supervised.wait_for("ended")
    assert (bench.home / "out").read_text() == "begin\nend\nterm\n"


def test_i4_a_stop_command_that_has_ended_is_not_run_again(
    bench: Bench, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    script = f"trap 'echo term' TERM; echo up; until read line < {gate}; do :; done"
    supervised = bench.launch(shell(script), commands={"stop": shell("echo ran >> out")})
    supervised.wait_until(supervised.output, "an output")
    supervised.tell(op="stop", why="stop", by="me")
    supervised.wait_until(lambda: b"term" in supervised.output(), "a signal")

    supervised.kill()
    supervised.wait_for("taken_over")
    supervised.wait_until(lambda: supervised.output().count(b"term") == 2, "another signal")
    supervised.tell(op="stop", why="stop", by="someone else", grace_s=5.0)
    gate.write_text("open\n")

    supervised.wait_for("ended")
    assert (bench.home / "out").read_text() == "ran\n"


@pytest.mark.parametrize("kills", [0, 1])
def test_a_stop_command_that_hangs_has_its_time_whoever_began_it(
    bench: Bench, kills: int
) -> None:
    supervised = bench.launch(
        IGNORES_TERM, grace_s=1.0, commands={"stop": shell("echo $$ > pid; exec sleep 600")}
    )
    supervised.wait_until(supervised.output, "an output")
    supervised.tell(op="stop", why="stop", by="me")
    path = bench.home / "pid"
    supervised.wait_until(lambda: path.exists() and path.read_text(), "a beginning")

    for _ in range(kills):
        supervised.kill()

    supervised.wait_for("ended")
    assert supervised.of("exited")[0]["signal"] == signal.SIGKILL
    assert process.is_zombie(int(path.read_text()))


# -- reload and signal, by clawctl --------------------------------------------------------

JOBS = """
[jobs.by-signal]
type = "continuous"
command = "trap 'echo hup' HUP; trap 'echo usr1' USR1; echo up; while :; do sleep 0.02; done"
[jobs.by-command]
type = "continuous"
command = "trap 'echo usr2' USR2; echo up; while :; do sleep 0.02; done"
reload_command = "kill -USR2 $MAINPID"
[jobs.in-vain]
type = "continuous"
command = "echo up; exec sleep 600"
reload_command = "echo bad settings; exit 5"
[jobs.off]
type = "continuous"
autostart = false
command = "sleep 600"
"""


def test_jobs_are_signalled_and_read_their_settings_again(tmp_path: Path) -> None:
    with master(tmp_path, JOBS) as made:
        clawctl = Shell(made.environment)

        def said(job: str) -> str:
            path = tmp_path / f"log/{job}/out.log"
            return path.read_text() if path.exists() else ""

        for job in ("by-signal", "by-command", "in-vain"):
            made.wait_until(lambda job=job: said(job), f"output of {job}")  # type: ignore[misc]

        clawctl("signal", "SIGUSR1", "by-signal")
        made.wait_until(lambda: "usr1" in said("by-signal"), "USR1")
        clawctl("reload", "by-*")
        made.wait_until(lambda: "hup" in said("by-signal"), "HUP")
        made.wait_until(lambda: "usr2" in said("by-command"), "USR2")
        failed = clawctl("reload", "in-vain", status=1)
        assert failed.fault.endswith(
            "the reload command of 'in-vain' failed, exit 5: bad settings"
        )
        assert "has a child just now" in clawctl("reload", "off", status=1).fault
        clawctl("reload", "--dry-run", "off", status=2)
        assert clawctl("reload").out == "nothing has changed\n"
        clawctl("signal", "NOPE", "off", status=2)
