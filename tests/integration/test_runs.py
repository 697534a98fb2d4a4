"""Single runs: asked for, held, ended, waited for, and never done twice."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from claw.errors import ConflictError
from claw.kernel import process
from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster, master

GATED = 'command = "read code < $GATE; exit $code"\ngrace_period = "2s"\n'
"""A run that goes on until its gate is opened with an exit status."""

JOBS = """
[jobs.exits]
command = 'exit "$1"'
success_codes = [0, 3]
[jobs.kills-itself]
command = 'kill -"$1" $$'
[jobs.endless]
command = "sleep 600"
timeout = "200ms"
grace_period = "2s"
[jobs.stubborn]
command = 'trap "" TERM; echo ready; while true; do sleep 0.05; done'
timeout = "2s"
grace_period = "200ms"
[jobs.no-program]
command = "/nonexistent/program --flag"
[jobs.no-folder]
command = "true"
cwd = "/nonexistent/folder"
[jobs.shows-argv]
argv = ["printf", "[%s]", "first word"]
[jobs.shows-arguments]
command = 'printf "[%s]" "$@"; :'
[jobs.shows-environment]
command = 'echo "$REGION $CLAW_JOB $CLAW_ATTEMPT $CLAW_RUN_ID"'
params = ["REGION"]
[jobs.counts]
command = 'seq "$1"; exit 4'
[jobs.two-streams]
command = "echo to-out; echo to-err >&2"
log = { stderr = "separate" }
[jobs.plain]
command = "true"
tags = ["plain"]
[jobs.plain-too]
command = "true"
tags = ["plain"]
[jobs.service]
type = "continuous"
command = "sleep 600"
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A master for tests that leave it as they found it."""
    with master(tmp_path_factory.mktemp("runs") / "home", JOBS) as made:
        yield made


@pytest.fixture(scope="module")
def ctl(shared: MasterUnderTest) -> Shell:
    """``clawctl`` of the shared master."""
    return Shell(shared.environment)


class Gate:
    """Holds the runs of a job until they are let go, one by one."""

    def __init__(self, folder: Path, name: str = "gate") -> None:
        self.path = folder / name
        os.mkfifo(self.path)

    def job(self, name: str, more: str = "") -> str:
        """Return the configuration of a job that waits at this gate."""
        return f"[jobs.{name}]\n{GATED}env = {{ GATE = '{self.path}' }}\n{more}\n"

    def open(self, code: int = 0) -> None:
        """Let one run go, as soon as one is there."""
        with self.path.open("w") as file:
            file.write(f"{code}\n")


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def wait_run(claw: MasterUnderTest, run: str, state: str) -> Json:
    """Wait until a run is in a state and has, if it runs, a child."""

    def look() -> Json | None:
        found = claw.call("run.show", run=run)
        is_so_far = found["state"] == state and (state != "running" or found["pid"])
        return dict(found) if is_so_far else None

    found = claw.wait_until(look, f"{run} {state}")
    assert found is not None
    return found


def wait_reason(claw: MasterUnderTest, run: str) -> str:
    """Wait until a run says why it waits, and return that."""
    return claw.wait_until(
        lambda: str(claw.call("run.show", run=run)["reason"] or ""), f"reason of {run}"
    )


# -- ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "state"),
    [
        (("exits", "--arg", "0"), 0, "succeeded"),
        (("exits", "--arg", "3"), 3, "succeeded"),
        (("exits", "--arg", "1"), 1, "failed"),
        (("exits", "--arg", "255"), 255, "failed"),
        (("kills-itself", "--arg", "KILL"), 128 + 9, "failed"),
        (("kills-itself", "--arg", "TERM"), 128 + 15, "failed"),
        (("endless",), 124, "timed_out"),
        (("no-program",), 125, "failed"),
        (("no-folder",), 125, "failed"),
    ],
)
def test_run_wait_exits_as_the_run_ended(
    ctl: Shell, words: tuple[str, ...], status: int, state: str
) -> None:
    waited = ctl("run", *words, "--wait", status=status)
    run = waited.out.strip()

    assert ctl("runs", "show", run, "--json").json["state"] == state
    ctl("wait", run, status=status)


def test_run_prints_the_id_of_the_run_alone(ctl: Shell) -> None:
    plain = ctl("run", "plain")
    asked = ctl("run", "plain", "--json").json

    assert len(plain.out) == 28
    assert plain.out.startswith("r")
    assert plain.err == ""
    assert asked["job"] == "plain"
    assert len(asked["run"]) == 27


def test_a_run_keeps_what_its_child_did(shared: MasterUnderTest, ctl: Shell) -> None:
    run = ctl("run", "exits", "--arg", "7", "--wait", status=7).out.strip()

    shown = ctl("runs", "show", run, "--json").json
    [attempt] = shown["attempts"]

    assert (shown["state"], shown["exit_code"], shown["reason"]) == ("failed", 7, "exit_code")
    assert (shown["origin"], shown["attempt"], shown["signal"]) == ("manual", 1, None)
    assert (attempt["no"], attempt["cause"], attempt["exit_code"]) == (1, "start", 7)
    assert attempt["pid"] > 0
    assert attempt["cpu_time"] >= 0
    assert attempt["max_memory"] > 100_000
    assert 0 <= shown["duration"] < 30
    assert shown["pid"] is None
    times = [shown["queued_at"], shown["started_at"], shown["ended_at"]]
    moments = [datetime.fromisoformat(time) for time in times]
    assert moments == sorted(moments)
    assert all(moment.tzinfo is not None for moment in moments)
    assert shared.job("exits")["last"]["exit_code"] == 7


@pytest.mark.parametrize(
    ("job", "missing"), [("no-program", "/nonexistent/program"), ("no-folder", "/nonexistent")]
)
def test_a_child_that_cannot_be_started_is_named(ctl: Shell, job: str, missing: str) -> None:
    waited = ctl("run", job, "--wait", status=125)
    run = waited.out.strip()

    shown = ctl("runs", "show", run, "--json").json
    assert shown["reason"] == "spawn_failed"
    assert missing in shown["attempts"][0]["error"]
    assert "No such file or directory" in shown["attempts"][0]["error"]
    assert missing in ctl("runs", "show", run).out
    assert missing in ctl("why", run).out
    assert missing in ctl("why", job).out
    status = ctl("status", job, "--json", status=3).json["jobs"][0]
    assert status["state"] == "failed"
    assert missing in status["why"]
    assert missing in waited.err


def test_a_run_that_passes_its_timeout_is_ended_and_says_so(ctl: Shell) -> None:
    run = ctl("run", "stubborn", "--wait", status=124).out.strip()

    shown = ctl("runs", "show", run, "--json").json

    assert (shown["state"], shown["signal"]) == ("timed_out", signal.SIGKILL)
    assert shown["attempts"][0]["timed_out"] is True
    assert "timed_out" in ctl("runs", "show", run).out
    ctl("wait", run, status=124)


# -- what the child gets -----------------------------------------------------------------


def test_arguments_are_appended_to_argv(ctl: Shell) -> None:
    run = ctl("run", "shows-argv", "--arg", "a b", "--arg", "$HOME;", "--wait").out.strip()

    assert ctl("logs", run).out == "[first word][a b][$HOME;]"


def test_arguments_are_the_shells_positional_parameters(ctl: Shell) -> None:
    words = ("--arg", "a b", "--arg", "$(date)", "--arg", "*")
    run = ctl("run", "shows-arguments", *words, "--wait").out.strip()

    assert ctl("logs", run).out == "[a b][$(date)][*]"


def test_the_child_knows_its_run_and_what_was_set_for_it(ctl: Shell) -> None:
    run = ctl("run", "shows-environment", "--env", "REGION=eu west", "--wait").out.strip()

    assert ctl("logs", run).out == f"eu west shows-environment 1 {run}\n"
    assert ctl("runs", "show", run, "--json").json["env"] == ["REGION"]
    again = ctl("run", "shows-environment", "--wait").out.strip()
    assert ctl("logs", again).out == f" shows-environment 1 {again}\n"


# -- waiting and following -----------------------------------------------------------------


def test_run_follow_shows_all_output_and_exits_as_the_run(ctl: Shell) -> None:
    said = ctl("run", "counts", "--arg", "20000", "--follow", status=4)

    assert said.out == "".join(f"{number}\n" for number in range(1, 20001))


def test_run_follow_keeps_the_streams_apart(ctl: Shell) -> None:
    said = ctl("run", "two-streams", "--follow")

    assert said.out == "to-out\n"
    assert said.err.splitlines()[1:] == ["to-err"]


def test_run_wait_as_json_is_one_object_with_the_end(ctl: Shell) -> None:
    said = ctl("run", "exits", "--arg", "5", "--wait", "--json", status=5)

    assert (said.json["run"], said.json["job"]) == (said.json["id"], "exits")
    assert (said.json["state"], said.json["exit_code"]) == ("failed", 5)


def test_run_wait_outlasts_a_killed_master(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master(gate.job("held"))
    ctl = Shell(claw.environment)

    with ctl.begin("run", "held", "--wait") as waiting:
        run = waiting.wait_line(bool)
        wait_run(claw, run, "running")
        claw.restart()
        gate.open(6)
        waiting.end(status=6)

    assert [one["id"] for one in claw.runs("held")] == [run]


def test_run_follow_outlasts_a_killed_master_and_repeats_no_line(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(f"""
[jobs.talks]
command = "echo before; read code < $GATE; echo after; exit $code"
env = {{ GATE = '{gate.path}' }}
""")

    with Shell(claw.environment).begin("run", "talks", "--follow") as following:
        following.wait_text("before")
        claw.restart()
        gate.open(2)
        said = following.end(status=2)

    assert said.out == "before\nafter"


def test_wait_for_a_job_ends_when_it_is_so_far(ctl: Shell) -> None:
    assert "running" in ctl("wait", "service", "--for", "running", "--timeout", "20s").out
    assert ctl("wait", "service", "--for", "ready", "--json").json["state"] == "running"
    assert ctl("wait", "plain", "--for", "ended", "--json").json["job"] == "plain"


def test_wait_that_takes_too_long_exits_6(ctl: Shell) -> None:
    said = ctl("wait", "service", "--for", "stopped", "--timeout", "50ms", status=6)

    assert "service is not stopped after 0.05 s" in said.fault


# -- later ---------------------------------------------------------------------------------


def test_a_run_for_later_waits_for_its_time(shared: MasterUnderTest, ctl: Shell) -> None:
    before = datetime.now().astimezone()
    run = ctl("run", "plain", "--in", "2h").out.strip()

    try:
        shown = ctl("runs", "show", run, "--json").json
        due = datetime.fromisoformat(shown["due_at"])
        status = shared.job("plain")

        assert timedelta(hours=2) <= due - before < timedelta(hours=2, seconds=30)
        assert (shown["state"], shown["origin"]) == ("queued", "at")
        assert (status["queued"], status["next_at"]) == (1, shown["due_at"])
        assert status["state"] in {"scheduled", "planned"}
        told = due.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        assert any(told in line for line in ctl("why", "plain").lines)
        assert f"clawctl cancel {run[-6:]}" in ctl("why", run).out
    finally:
        ctl("cancel", run)
    assert shared.job("plain")["next_at"] is None


def test_a_run_may_be_asked_for_at_a_time(ctl: Shell) -> None:
    run = ctl("run", "plain", "--at", "2099-12-24T09:00:00+02:00").out.strip()

    shown = ctl("runs", "show", run, "--json").json
    ctl("cancel", run)

    due = datetime.fromisoformat(shown["due_at"])
    assert due == datetime.fromisoformat("2099-12-24T07:00:00+00:00")


def test_a_time_that_passed_long_ago_is_refused_and_a_moment_ago_means_now(ctl: Shell) -> None:
    long_ago = ctl("run", "exits", "--at", "2001-01-01T00:00:00Z", status=2)
    assert "is over" in long_ago.fault
    now = datetime.now(UTC).isoformat()
    ctl("run", "exits", "--arg", "9", "--at", now, "--wait", status=9)


def test_a_run_for_later_runs_once_although_the_master_was_dead_at_its_time(
    start_master: StartMaster,
) -> None:
    claw = start_master('[jobs.late]\ncommand = "true"\n')
    run = claw.submit("late", delay_s=0.5)
    due = datetime.fromisoformat(claw.call("run.show", run=run)["due_at"])
    claw.kill()

    while datetime.now().astimezone() <= due:
        time.sleep(0.05)
    claw.start()

    ended = claw.ended(run)
    assert ended["state"] == "succeeded"
    assert datetime.fromisoformat(ended["started_at"]) >= due
    assert [one["id"] for one in claw.runs()] == [run]


def test_a_run_for_later_is_started_at_its_time(ctl: Shell) -> None:
    said = ctl("run", "plain", "--in", "300ms", "--wait", "--json")

    due = datetime.fromisoformat(said.json["due_at"])
    started = datetime.fromisoformat(said.json["started_at"])
    assert due <= started < due + timedelta(seconds=10)


# -- cancel ----------------------------------------------------------------------------------


def test_cancel_ends_a_running_run(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master(gate.job("held"))
    ctl = Shell(claw.environment)
    run = claw.submit("held")
    pid = wait_run(claw, run, "running")["pid"]

    ctl("cancel", run[-6:])

    ended = claw.ended(run)
    assert (ended["state"], ended["reason"]) == ("canceled", "cancel")
    assert process.is_zombie(pid)
    assert ctl("cancel", run, status=1).fault.count("has ended") == 1


def test_cancel_of_a_job_revokes_what_waits_and_ends_what_runs(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held"))
    ctl = Shell(claw.environment)
    running, waiting, later = (
        claw.submit("held"), claw.submit("held"), claw.submit("held", delay_s=3600),
    )  # fmt: skip
    wait_run(claw, running, "running")
    said = ctl("cancel", "held", "--json").json

    assert sorted(said["canceled"]) == sorted([running, waiting, later])
    assert [claw.ended(run)["state"] for run in (running, waiting, later)] == ["canceled"] * 3
    assert claw.call("run.show", run=waiting)["attempts"] == []


# -- gates ---------------------------------------------------------------------------------


def test_overlap_skip_turns_a_run_away_and_says_why(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held", 'on_overlap = "skip"'))
    first = claw.submit("held")
    wait_run(claw, first, "running")

    said = Shell(claw.environment)("run", "held", "--wait", status=125)
    second = claw.call("run.show", run=said.out.strip())

    assert (second["state"], second["attempts"]) == ("skipped", [])
    assert first[-6:] in second["reason"]
    assert "on_overlap" in said.err
    gate.open()
    assert claw.ended(first)["state"] == "succeeded"


def test_overlap_queue_lets_runs_wait_their_turn(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master(gate.job("held", 'on_overlap = "queue"\nmax_queued = 2'))
    ctl = Shell(claw.environment)
    runs = [claw.submit("held") for _ in range(4)]

    skipped = claw.ended(runs[3])
    assert skipped["state"] == "skipped"
    assert "max_queued" in skipped["reason"]
    for number, run in enumerate(runs[:3]):
        wait_run(claw, run, "running")
        waiting = claw.job("held")["queued"]
        assert waiting == 2 - number
        if waiting:
            assert f"waits for run {run[-6:]}" in ctl("why", runs[number + 1]).out
        gate.open(number)
        assert claw.ended(run)["exit_code"] == number


def test_overlap_kill_restart_ends_the_run_that_is_there(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held", 'on_overlap = "kill_restart"'))
    first = claw.submit("held")
    pid = wait_run(claw, first, "running")["pid"]

    second = claw.submit("held")

    wait_run(claw, second, "running")
    ended = claw.ended(first)
    assert (ended["state"], ended["reason"]) == ("canceled", "overlap")
    assert process.is_zombie(pid)
    gate.open()
    assert claw.ended(second)["state"] == "succeeded"


def test_max_instances_run_at_once_and_no_more(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(f"""
[jobs.held]
command = "until [ -e '{tmp_path}/'$CLAW_RUN_ID ]; do sleep 0.02; done"
max_instances = 2
""")
    runs = [claw.submit("held") for _ in range(4)]
    for done, run in enumerate(runs):
        for active in runs[done : done + 2]:
            wait_run(claw, active, "running")
        states = [one["state"] for one in claw.runs("held")]
        assert states.count("running") == min(2, len(runs) - done)
        for next_one in runs[done + 2 : done + 3]:
            assert "max_instances" in wait_reason(claw, next_one)
        (tmp_path / run).touch()
        claw.ended(run)


def test_a_run_held_by_max_parallel_says_so(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master(
        "[daemon]\nmax_parallel = 1\n"
        + gate.job("held")
        + '[jobs.other]\ncommand = "true"\n'
        + '[jobs.service]\ntype = "continuous"\ncommand = "sleep 600"\n'
    )
    ctl = Shell(claw.environment)
    claw.wait_state("service", "running")
    first = claw.submit("held")
    wait_run(claw, first, "running")

    second = claw.submit("other")

    assert "max_parallel" in wait_reason(claw, second)
    other = claw.job("other")
    assert other["state"] == "waiting"
    assert "max_parallel" in other["why"]
    assert other["run"] == second
    assert "max_parallel" in ctl("why", "other").out
    assert "max_parallel" in ctl("status", "other", status=None).out
    assert "max_parallel" in ctl("runs", "show", second, "--json").json["reason"]
    gate.open()
    assert claw.ended(second)["state"] == "succeeded"


def test_more_runs_than_max_queue_are_refused(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master("[daemon]\nmax_queue = 2\n" + gate.job("held"))
    ctl = Shell(claw.environment)
    running, waiting = claw.submit("held"), claw.submit("held")

    assert "max_queue" in ctl("run", "held", status=1).fault

    assert len(claw.runs()) == 2
    ctl("cancel", running, waiting)


# -- one effect ----------------------------------------------------------------------------


def test_i1_i5_a_request_id_has_one_effect_over_a_killed_master(
    start_master: StartMaster,
) -> None:
    claw = start_master('[jobs.once]\ncommand = "echo ran"\n[jobs.other]\ncommand = "true"\n')
    first = claw.submit("once", request_id="the same")
    claw.restart()

    assert claw.submit("once", request_id="the same") == first
    with pytest.raises(ConflictError):
        claw.submit("other", request_id="the same")
    claw.ended(first)
    claw.restart()
    assert claw.submit("once", request_id="the same") == first
    assert [run["id"] for run in claw.runs()] == [first]
    assert claw.output(f"once/{first}.out") == b"ran\n"


def test_i1_a_run_is_stored_before_it_is_answered(start_master: StartMaster) -> None:
    claw = start_master('[jobs.once]\ncommand = "true"\n')
    acknowledged = []
    for _ in range(3):
        acknowledged.append(claw.submit("once"))
        claw.restart()

    for run in acknowledged:
        ended = claw.ended(run)
        assert ended["state"] == "succeeded"
        assert len(ended["attempts"]) == 1
    assert [run["id"] for run in claw.runs()] == sorted(acknowledged)


def test_i2_every_transition_of_a_run_has_its_event(
    shared: MasterUnderTest, ctl: Shell
) -> None:
    runs = [
        ctl("run", "exits", "--arg", "0", "--wait").out.strip(),
        ctl("run", "endless", "--wait", status=124).out.strip(),
        ctl("run", "no-program", "--wait", status=125).out.strip(),
    ]

    for run in runs:
        moves = [
            (event["from"], event["to"])
            for event in shared.call("event.list", filter={"run": run}, limit=500)["events"]
            if event["to"] is not None
        ]
        states = [None, *(to for _, to in moves)]
        assert moves == list(itertools.pairwise(states))
        assert states[1] == "queued"
        assert states[-1] == shared.call("run.show", run=run)["state"]


# -- stop and pause ------------------------------------------------------------------------


def test_a_stopped_job_runs_nothing_until_it_is_started(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held"))
    ctl = Shell(claw.environment)
    running, waiting = claw.submit("held"), claw.submit("held")
    pid = wait_run(claw, running, "running")["pid"]

    ctl("stop", "held")

    assert process.is_zombie(pid)
    assert [claw.ended(run)["state"] for run in (running, waiting)] == ["canceled"] * 2
    assert claw.job("held")["state"] == "stopped"
    assert "clawctl start held" in claw.job("held")["why"]
    assert "stopped" in ctl("run", "held", status=1).fault
    claw.restart()
    assert "stopped" in ctl("run", "held", status=1).fault
    forced = ctl("run", "held", "--force").out.strip()
    wait_run(claw, forced, "running")
    gate.open()
    claw.ended(forced)

    started = ctl("start", "held", "--json").json["results"][0]
    wait_run(claw, started["run"], "running")
    gate.open()
    assert claw.ended(started["run"])["state"] == "succeeded"


def test_a_pause_lets_go_on_what_runs_and_begins_nothing_new(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held"))
    ctl = Shell(claw.environment)
    running, waiting = claw.submit("held"), claw.submit("held")
    wait_run(claw, running, "running")

    ctl("pause", "held")
    assert "paused" in ctl("run", "held", status=1).fault
    gate.open()
    claw.ended(running)

    assert claw.wait_state("held", "paused")["queued"] == 1
    assert "clawctl resume held" in ctl("why", waiting).out
    claw.restart()
    assert claw.job("held")["state"] == "paused"
    ctl("resume", "held")
    wait_run(claw, waiting, "running")
    gate.open()
    assert claw.ended(waiting)["state"] == "succeeded"


def test_restart_of_a_manual_run_is_another_attempt(
    start_master: StartMaster, gate: Gate
) -> None:
    claw = start_master(gate.job("held"))
    run = claw.submit("held")
    before = wait_run(claw, run, "running")["pid"]

    Shell(claw.environment)("restart", "held")

    claw.wait_until(
        lambda: claw.call("run.show", run=run)["pid"] not in {None, before}, "another child"
    )
    gate.open()
    ended = claw.ended(run)
    assert ended["state"] == "succeeded"
    assert [one["cause"] for one in ended["attempts"]] == ["start", "restart"]


@pytest.mark.parametrize("verb", ["start", "restart", "run"])
def test_a_disabled_job_begins_only_by_force(start_master: StartMaster, verb: str) -> None:
    claw = start_master('[jobs.off]\ncommand = "true"\nenabled = false\n')
    ctl = Shell(claw.environment)

    assert claw.job("off")["state"] == "disabled"
    assert "disabled" in ctl(verb, "off", status=1).fault
    ctl(verb, "off", "--force")

    [run] = claw.runs("off")
    assert claw.ended(run["id"])["state"] == "succeeded"


# -- names ---------------------------------------------------------------------------------


def test_a_run_is_known_by_either_end_of_its_id(ctl: Shell) -> None:
    run = ctl("run", "plain", "--wait").out.strip()

    for part in (run, run[-6:], run[-8:].upper(), run[:25]):
        assert ctl("runs", "show", part, "--json").json["id"] == run
    assert ctl("runs", "show", run[-5:], status=4).fault.count("6 letters") == 1
    ctl("run", "plain", "--wait")
    # Ids of one minute begin alike.
    assert "more than one" in ctl("runs", "show", run[:6], status=1).fault


@pytest.mark.parametrize(
    "words",
    [
        ("run", "plan"), ("start", "plan"), ("stop", "plan"), ("restart", "plan"),
        ("pause", "plan"), ("resume", "plan"), ("cancel", "plan"), ("wait", "plan"),
        ("logs", "plan"), ("status", "plan"), ("why", "plan"), ("signal", "HUP", "plan"),
        ("runs", "list", "--job", "plan"),
    ],
)  # fmt: skip
def test_an_unknown_job_exits_4_and_the_nearest_is_named(
    ctl: Shell, words: tuple[str, ...]
) -> None:
    fault = ctl(*words, status=4).fault

    assert "'plan'" in fault
    assert "did you mean 'plain'" in fault


@pytest.mark.parametrize("target", ["nothing-*", "tag:nothing"])
@pytest.mark.parametrize("verb", ["start", "stop", "cancel", "status", "logs"])
def test_a_pattern_that_fits_nothing_is_an_error(ctl: Shell, verb: str, target: str) -> None:
    assert target in ctl(verb, target, status=4).fault


@pytest.mark.parametrize("targets", [("plain*",), ("tag:plain",), ("plain-too", "plain")])
def test_several_jobs_are_named_at_once(ctl: Shell, targets: tuple[str, ...]) -> None:
    said = ctl("start", *targets, "--json").json

    assert {each["job"] for each in said["results"]} == {"plain", "plain-too"}
    for each in said["results"]:
        ctl("wait", each["run"])
    shown = ctl("status", *targets, "--json", status=None).json["jobs"]
    assert [job["name"] for job in shown] == ["plain", "plain-too"]


def test_all_means_every_job(start_master: StartMaster, gate: Gate) -> None:
    claw = start_master(gate.job("one") + Gate(gate.path.parent, "more").job("two"))
    ctl = Shell(claw.environment)
    runs = [claw.submit("one"), claw.submit("two")]
    for run in runs:
        wait_run(claw, run, "running")

    said = ctl("stop", "all", "--json").json

    assert {(each["job"], each["state"]) for each in said["results"]} == {
        ("one", "stopped"), ("two", "stopped"),
    }  # fmt: skip
    assert [claw.ended(run)["state"] for run in runs] == ["canceled"] * 2


def test_a_service_that_runs_is_not_run_again(shared: MasterUnderTest, ctl: Shell) -> None:
    shared.wait_state("service", "running")

    assert "clawctl restart service" in ctl("run", "service", status=1).fault


def test_a_signal_reaches_the_child(start_master: StartMaster) -> None:
    claw = start_master("""
[jobs.hears]
command = 'trap "echo heard; exit 0" USR1; echo ready; while :; do sleep 0.05; done'
""")
    ctl = Shell(claw.environment)
    run = claw.submit("hears")
    claw.wait_until(lambda: claw.output(f"hears/{run}.out") == b"ready\n", "ready child")
    claw.wait_until(lambda: claw.job("hears")["pid"], "word of the child")

    ctl("signal", "sigusr1", "hears")

    assert claw.ended(run)["exit_code"] == 0
    assert claw.output(f"hears/{run}.out") == b"ready\nheard\n"
    assert "child" in ctl("signal", "USR1", "hears", status=1).fault


def test_runs_are_listed_newest_first(shared: MasterUnderTest, ctl: Shell) -> None:
    asked = [shared.submit("plain-too") for _ in range(3)]
    for run in asked:
        shared.ended(run)

    listed = ctl("runs", "list", "--job", "plain-too", "-n", "3", "--json").json["runs"]
    failed = ctl("runs", "list", "--state", "failed", "--json").json["runs"]

    assert [run["id"] for run in listed] == asked[::-1]
    assert all(run["state"] == "failed" for run in failed)
    shown = shared.call("run.show", run=asked[-1])
    assert listed[0] == {key: shown[key] for key in listed[0]}
