"""``clawctl`` as a stranger finds it: its words, its shapes, its exit statuses."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, StartMaster, master
from tests.kit.terminal import on_a_terminal

JOBS = """
[jobs.service]
description = "Serves the very best"
type = "continuous"
command = "echo to-out; echo to-err >&2; exec sleep 600"
tags = ["site", "prod"]
log = { stderr = "separate" }
[jobs.clock]
command = "true"
schedule = "0 0 1 1 *"
[jobs.party]
command = "true"
run_at = "2099-12-24T09:00:00"
[jobs.good]
command = "seq 20"
[jobs.bad]
command = "echo oh no; exit 3"
[jobs.never-run]
command = "true"
[jobs.off]
command = "true"
enabled = false
[jobs.other]
command = "true"
"""

JOB_KEYS = {
    "name", "type", "state", "why", "pid", "run", "started_at", "uptime", "restarts", "ready",
    "health", "queued", "instance", "last", "next_at", "enabled", "tags",
}  # fmt: skip
LAST_KEYS = {"run", "state", "exit_code", "signal", "ended_at"}
RUN_KEYS = {
    "id", "job", "state", "origin", "attempt", "pid", "exit_code", "signal", "reason",
    "queued_at", "started_at", "ended_at", "duration", "replay_of", "parent", "workflow",
    "executor", "result", "supervisor_pid", "attempts",
}  # fmt: skip
ATTEMPT_KEYS = {
    "no", "cause", "pid", "exit_code", "signal", "started_at", "ended_at", "cpu_time",
    "max_memory",
}  # fmt: skip
EVENT_KEYS = {"cursor", "at", "type", "job", "run", "from", "to", "why", "by"}
ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A master with some history, for tests that leave it as they found it."""
    with master(tmp_path_factory.mktemp("cli") / "home", JOBS) as made:
        made.wait_until(lambda: made.output("service/err.log"), "all output of the service")
        made.wait_state("service", "running")
        for job in ("good", "bad"):
            made.ended(made.submit(job))
        yield made


@pytest.fixture(scope="module")
def ctl(shared: MasterUnderTest) -> Shell:
    return Shell(shared.environment)


@pytest.fixture
def away(tmp_path: Path) -> Shell:
    """``clawctl`` of a home that has nothing yet."""
    return Shell({"CLAW_HOME": str(tmp_path / "nothing")}, cwd=tmp_path)


def assert_times(shown: object, path: str = "") -> None:
    """Check that whatever is called a time is ISO 8601 with an offset, or null."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            if key.endswith("_at") and value is not None:
                assert datetime.fromisoformat(value).tzinfo is not None, (path, key, value)
            assert_times(value, f"{path}.{key}")
    elif isinstance(shown, list):
        for value in shown:
            assert_times(value, path)


# -- the shapes of --json --------------------------------------------------------------------


@pytest.mark.parametrize("words", [("status",), ("list",), ("ls",), ("status", "all")])
def test_status_as_json_has_every_key_of_every_job(ctl: Shell, words: tuple[str, ...]) -> None:
    shown = ctl(*words, "--json", status=None).json

    jobs = {job["name"]: job for job in shown["jobs"]}
    for job in jobs.values():
        assert set(job) >= JOB_KEYS
        assert job["last"] is None or set(job["last"]) >= LAST_KEYS
    assert_times(shown)
    assert list(jobs) == sorted(jobs)
    assert {name: job["state"] for name, job in jobs.items()}.items() >= {
        "service": "running", "clock": "scheduled", "party": "planned", "good": "exited",
        "bad": "failed", "never-run": "stopped", "off": "disabled",
    }.items()  # fmt: skip
    assert {name: job["type"] for name, job in jobs.items()} == {
        "service": "continuous", "clock": "scheduled", "party": "oneshot", "good": "manual",
        "bad": "manual", "never-run": "manual", "off": "manual", "other": "manual",
    }  # fmt: skip
    assert (jobs["bad"]["last"]["exit_code"], jobs["bad"]["last"]["signal"]) == (3, None)
    assert jobs["service"]["uptime"] > 0
    assert jobs["service"]["tags"] == ["site", "prod"]
    assert jobs["never-run"]["last"] is None


def test_runs_as_json_have_every_key(shared: MasterUnderTest, ctl: Shell) -> None:
    listed = ctl("runs", "list", "--json").json["runs"]

    for run in listed:
        assert set(run) >= RUN_KEYS
        assert all(set(attempt) >= ATTEMPT_KEYS for attempt in run["attempts"])
    assert_times(listed)
    ids = [run["id"] for run in listed]
    assert ids == sorted(ids, reverse=True)
    [serving] = [run for run in listed if run["job"] == "service"]
    shown = ctl("runs", "show", serving["id"], "--json").json
    assert (shown["state"], shown["ended_at"], shown["duration"]) == ("running", None, None)
    assert shown["supervisor_pid"] in shared.supervisors().values()
    assert shown["pid"] == shared.job("service")["pid"]


def test_events_as_json_are_one_object_a_line(ctl: Shell) -> None:
    events = [json.loads(line) for line in ctl("events", "--json").lines]

    assert all(set(event) >= EVENT_KEYS for event in events)
    cursors = [event["cursor"] for event in events]
    assert cursors == sorted(set(cursors))
    assert "daemon.started" in {event["type"] for event in events}
    after = [
        json.loads(line) for line in ctl("events", "--from", str(cursors[4]), "--json").lines
    ]
    assert after[0]["cursor"] == cursors[5]
    bad = [json.loads(line) for line in ctl("events", "--job", "bad", "--json").lines]
    assert {event["job"] for event in bad} == {"bad"}
    failed = ctl("events", "--type", "run.failed").out
    assert "bad" in failed
    assert "service" not in failed


def test_cron_next_as_json(away: Shell) -> None:
    words = ("0 9 * * mon-fri", "--tz", "Europe/Berlin", "--from", "2026-03-27T12:00:00+01:00")

    shown = away("cron", "next", *words, "-n", "3", "--json").json
    plain = away("cron", "next", *words, "-n", "3").lines

    assert shown == {
        "expr": "0 9 * * mon-fri",
        "timezone": "Europe/Berlin",
        "fires": [f"2026-03-{day}T09:00:00+02:00" for day in (30, 31)]
        + ["2026-04-01T09:00:00+02:00"],
    }
    assert len(plain) == 3
    assert "2026-03-30 09:00:00" in plain[0]


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("version",), {"version"}),
        (("daemon", "status"), {"pid", "version", "home", "started_at", "uptime", "jobs"}),
        (("plan",), {"changed", "add", "live", "restart", "remove"}),
        (("reload",), {"changed", "add", "live", "restart", "remove"}),
        (("reload", "--dry-run"), {"changed", "add", "live", "restart", "remove"}),
        (("config", "show"), {"daemon", "jobs"}),
        (("config", "validate"), {"valid", "jobs"}),
        (("config", "schema"), {"$schema", "properties"}),
        (("config", "paths"), {"config", "files", "state", "run", "log"}),
        (("alerts", "list"), {"alerts"}),
        (("alerts", "ack"), {"acked"}),
        (("search", "best"), {"jobs"}),
        (("why", "service"), {"lines"}),
        (("logs", "good"), {"text", "source", "path"}),
        (("logs",), {"logs"}),
        (("wait", "good"), {"job", "state"}),
        (("signal", "CONT", "service"), {"results"}),
        (("pause", "other"), {"results"}),
        (("resume", "other"), {"results"}),
        (("cancel", "other"), {"canceled"}),
        (("run", "other"), {"run", "job"}),
        (("start", "clock"), {"results"}),
        (("restart", "other"), {"results"}),
        (("start", "other"), {"results"}),
        (("api", "daemon.status"), {"pid"}),
    ],
)
def test_json_is_to_be_had_everywhere(
    ctl: Shell, words: tuple[str, ...], keys: set[str]
) -> None:
    try:
        assert keys <= set(ctl(*words, "--json").json)
    finally:
        if words[0] == "pause":  # the master is shared, and the order of tests is random
            ctl("resume", *words[1:])


def test_json_may_be_asked_for_before_the_command(ctl: Shell) -> None:
    assert ctl("--json", "version").json == ctl("version", "--json").json


# -- what people see ---------------------------------------------------------------------------


def test_bare_clawctl_shows_the_commands_in_groups(away: Shell) -> None:
    page = away().out

    for word in ("Jobs", "Runs", "Configuration", "daemon", "status", "run [JOB]", "cron next"):
        assert word in page
    assert away("help").out == away("--help").out == page
    assert away("help", "runs", "list").out == away("runs", "list", "-h").out
    assert away("help", "runs").out == away("runs", "-h").out == away("runs", status=2).out


@pytest.mark.parametrize(
    "words",
    [
        "status", "start", "stop", "restart", "pause", "resume", "signal", "run", "cancel",
        "wait", "logs", "reload", "plan", "events", "up", "down", "init", "version", "api",
        "why", "search", "config show", "config validate", "config schema", "config paths",
        "cron next",
        "runs list", "runs show", "daemon start", "daemon stop", "daemon restart",
        "daemon status", "daemon logs", "alerts list", "alerts ack", "list", "ls",
    ],
)  # fmt: skip
def test_every_command_has_help(away: Shell, words: str) -> None:
    page = away(*words.split(), "--help").out

    assert page.startswith("usage: clawctl ")
    assert "--json" in page


def test_status_shows_what_matters(shared: MasterUnderTest, ctl: Shell) -> None:
    table = {line.split()[0]: line for line in ctl("status").lines}

    service = shared.job("service")
    assert re.search(rf"running +{service['pid']} +up ", table["service"])
    assert "scheduled" in table["clock"]
    assert "failed (exit 3)" in table["bad"]
    assert "clawctl logs bad" in table["bad"]
    assert "planned" in table["party"]
    assert "clawctl run never-run" in table["never-run"]


def test_status_may_be_narrowed(ctl: Shell) -> None:
    def names(*words: str) -> list[str]:
        return [
            job["name"] for job in ctl("status", *words, "--json", status=None).json["jobs"]
        ]

    assert names("--tag", "site") == ["service"]
    assert names("--type", "scheduled") == ["clock"]
    assert names("--state", "failed") == ["bad"]
    assert names("-q", "best") == ["service"]
    assert names("tag:prod") == ["service"]
    assert names("b*", "g*") == ["bad", "good"]
    assert "did you mean 'running'" in ctl("status", "--state", "runing", status=2).fault


def test_verbose_status_has_the_trees_memory_and_the_last_line(ctl: Shell) -> None:
    [job] = ctl("status", "service", "-v", "--json").json["jobs"]

    assert job["memory"] > 0
    assert job["last_line"] in {"to-out", "to-err"}
    assert "to-" in ctl("status", "-v").out


def test_the_exit_status_of_status_is_that_of_an_init_script(ctl: Shell) -> None:
    ctl("status")
    ctl("status", "service")
    ctl("status", "good")
    ctl("status", "clock")
    ctl("status", "bad", status=3)
    ctl("status", "service", "bad", status=3)
    ctl("status", "nobody", status=4)


@pytest.mark.parametrize(
    "words", [("status",), ("status", "all"), ("runs", "list"), ("why", "bad")]
)
def test_escapes_are_for_terminals_alone(ctl: Shell, words: tuple[str, ...]) -> None:
    assert ESCAPE not in ctl(*words, status=None).out
    environ = {**ctl.environ, "TERM": "xterm"}
    environ.pop("NO_COLOR", None)
    assert ESCAPE not in on_a_terminal(words, {**environ, "NO_COLOR": "1"})
    if words != ("why", "bad"):
        assert f"{ESCAPE}[" in on_a_terminal(words, environ)


@pytest.mark.parametrize(
    "words", ["status", "events", "config schema", "logs good", "config show"]
)
def test_a_reader_that_goes_away_is_no_error(ctl: Shell, words: str) -> None:
    said = ctl.sh(f"$CLAWCTL {words} | head -n 1")

    assert said.err == ""
    assert len(said.lines) == 1


@pytest.mark.parametrize("words", ["status", "events", "config schema", "-h", "status --json"])
def test_a_full_disk_behind_standard_output_is_named_and_is_a_failure(
    ctl: Shell, words: str
) -> None:
    said = ctl.sh(f"$CLAWCTL {words} > /dev/full")

    assert said.status == 1
    assert said.fault.startswith(
        "clawctl: standard output cannot be written: No space left on device"
    )


def test_logs_are_those_of_a_job_or_a_run(shared: MasterUnderTest, ctl: Shell) -> None:
    numbers = [str(number) for number in range(1, 21)]
    run = shared.runs("good")[-1]["id"]

    assert ctl("logs", "good").lines == numbers
    assert ctl("logs", run).lines == numbers
    assert ctl("logs", run[-6:], "-n", "3").lines == numbers[-3:]
    assert ctl("logs", "good", "-n", "0").out == ""
    assert ctl("logs", "service", "--stdout").out == "to-out\n"
    assert ctl("logs", "service", "--stderr").out == "to-err\n"
    both = ctl("logs", "service", "good", "-n", "1").out
    assert re.search(r"^service +\| to-", both, re.MULTILINE)
    assert re.search(r"^good +\| 20$", both, re.MULTILINE)
    assert ctl("logs", "never-run").out == ""


def test_logs_follow_what_comes_over_a_killed_master(start_master: StartMaster) -> None:
    claw = start_master("[jobs.says]\ncommand = 'echo \"$1\"'\n")
    ctl = Shell(claw.environment)
    ctl("run", "says", "--arg", "one", "--wait")

    with ctl.begin("logs", "says", "-f") as following:
        following.wait_line("one".__eq__)
        ctl("run", "says", "--arg", "two", "--wait")
        following.wait_line("two".__eq__)
        claw.restart()
        ctl("run", "says", "--arg", "three", "--wait")
        following.wait_line("three".__eq__)
        following.interrupt()
        said = following.end(status=130)

    assert said.out.splitlines() == ["one", "two", "three"]


def test_events_resume_from_their_cursor_file_over_a_killed_master(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master('[jobs.once]\ncommand = "true"\n')
    ctl = Shell(claw.environment)
    words = ("events", "-f", "--json", "--cursor-file", str(tmp_path / "cursor"))
    seen: list[dict[str, Any]] = []

    with ctl.begin("events", "-f", "--json", "--from", "0") as all_of_them:
        with ctl.begin(*words) as following:
            claw.wait_until((tmp_path / "cursor").exists, "cursor file")
            claw.ended(claw.submit("once"))
            following.wait_text("run.succeeded")
            claw.restart()
            claw.ended(claw.submit("once"))
            following.wait_text("run.succeeded", 2)
            following.interrupt()
            seen += map(json.loads, following.end(status=130).out.splitlines())
        claw.ended(claw.submit("once"))
        with ctl.begin(*words) as following:
            following.wait_text("run.succeeded")
            following.interrupt()
            seen += map(json.loads, following.end(status=130).out.splitlines())
        all_of_them.wait_text("run.succeeded", 3)

    cursors = [event["cursor"] for event in seen]
    stored = [json.loads(line) for line in ctl("events", "--json").lines]
    later = [event["cursor"] for event in stored if event["cursor"] >= cursors[0]]
    assert cursors == later[: len(cursors)]
    assert [event["type"] for event in seen].count("run.succeeded") == 3
    assert "the daemon is back" in "\n".join(following.err) or following.err == []


def test_events_of_a_job_are_followed_before_it_is_added(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master("")
    ctl, cursor = Shell(claw.environment), tmp_path / "cursor"
    words = ("events", "-f", "--job", "later", "--json", "--cursor-file", str(cursor))

    with ctl.begin(*words) as following:
        claw.wait_until(cursor.exists, "cursor file")
        ctl("job", "add", "later", "--", "true")
        claw.ended(claw.submit("later"))
        following.wait_text("run.succeeded")
        following.interrupt()
        following.end(status=130)
    assert "no job or run 'later': waiting for one" in "\n".join(following.err)


def test_search_finds_jobs_by_what_is_known_of_them(ctl: Shell) -> None:
    assert [job["name"] for job in ctl("search", "BEST", "--json").json["jobs"]] == ["service"]
    assert "service" in ctl("search", "sleep 600").out
    assert ctl("search", "no such thing", "--json").json["jobs"] == []


def test_why_says_what_to_type(shared: MasterUnderTest, ctl: Shell) -> None:
    run = shared.runs("bad")[-1]["id"]

    assert ctl("why", "bad").lines[0].startswith("bad is failed: run ")
    assert "clawctl logs bad" in ctl("why", "bad").out
    assert "exit 3" in ctl("why", run).out
    assert f"clawctl logs {run[-6:]}" in ctl("why", run).out
    assert "clawctl run bad" in ctl("why", run).out
    assert str(shared.job("service")["pid"]) in ctl("why", "service").out
    assert "clawctl enable off" in ctl("why", "off").out
    assert "clawctl run never-run" in ctl("why", "never-run").out
    assert "clawctl run good" in ctl("why", "good").out
    assert "clawctl run clock" in ctl("why", "clock").out
    assert "run.failed" in ctl("why", "bad", "--at", "now").out
    assert "nothing is known" in ctl("why", "bad", "--at", "2001-01-01").out


def test_api_calls_a_method(ctl: Shell) -> None:
    shown = ctl("api", "job.status", '{"targets": ["service"]}').json

    assert [job["name"] for job in shown["jobs"]] == ["service"]
    names = {method["name"] for method in ctl("api", "rpc.discover").json["methods"]}
    assert {"job.status", "run.submit", "event.subscribe"} <= names
    assert "nope.nope" in ctl("api", "nope.nope", status=2).fault
    assert "JSON" in ctl("api", "job.status", "{", status=2).fault
    assert "targets" in ctl("api", "job.start", "{}", status=2).fault


def test_alerts_are_listed_until_they_are_acknowledged(start_master: StartMaster) -> None:
    claw = start_master('[jobs.once]\ncommand = "true"\n')
    ctl = Shell(claw.environment)
    claw.ended(claw.submit("once"))
    claw.kill()
    (claw.folder / "state" / "claw.db").write_bytes(b"no database" * 1000)
    for name in ("claw.db-wal", "claw.db-shm"):
        (claw.folder / "state" / name).unlink(missing_ok=True)
    claw.start()

    [alert] = ctl("alerts", "list", "--json").json["alerts"]
    assert alert["acked_at"] is None
    assert alert["text"].split()[0] in ctl("alerts", "list").out
    assert "warning" in ctl("status").err
    assert ctl("alerts", "ack", str(alert["id"] + 1), status=4).fault
    assert ctl("alerts", "ack", str(alert["id"]), "--json").json == {"acked": 1}
    assert ctl("status").err == ""


# -- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "ours"),
    [
        ("reread", "plan"), ("update", "reload"), ("tail", "logs"), ("avail", "status"),
        ("kill", "signal"), ("delete", "stop"), ("list-units", "status"),
    ],
)  # fmt: skip
def test_verbs_of_other_tools_are_answered_with_ours(away: Shell, verb: str, ours: str) -> None:
    assert f"clawctl {ours}" in away(verb, "web", status=2).fault


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("bogus", "no command 'bogus'"),
        ("statsu", "did you mean 'status'"),
        ("runs lst", "did you mean 'runs list'"),
        ("start", "TARGET"),
        ("run", "a job, or --"),
        ("run a b", "b"),
        ("status --bogus", "--bogus"),
        ("status --jsn", "--json"),
        ("--bogus status", "--bogus"),
        ("run x --in soon", "soon"),
        ("run x --at never", "never"),
        ("run x --at now --in 1s", "--in"),
        ("run -- echo ok caf\udce9", "argument 3 of the command is not UTF-8: 'caf\\xe9'"),
        ("run x --arg a --arg caf\udce9", "--arg number 2 is not UTF-8"),
        ("run x --env A=\udce9", "--env number 1 is not UTF-8"),
        ("run x --env NOVALUE", "NAME=VALUE"),
        ("signal NOPE x", "NOPE"),
        ("logs x -n many", "many"),
        ("wait x --for ever", "ever"),
        ("start x --wait --no-wait", "--no-wait"),
        ("events --from -1", "-1"),
        ("cron next", "EXPR"),
        ("cron next @daily -n 1001", "at most 1000"),
        ("--home", "--home"),
        ("--system --user status", "--user"),
    ],
)
def test_what_is_not_understood_exits_2_with_one_line(
    away: Shell, words: str, part: str
) -> None:
    assert part in away(*words.split(), status=2).fault


@pytest.mark.parametrize(
    ("expr", "part"),
    [
        ("99 * * * *", "minute 99"),
        ("* * *", "3 fields"),
        ("0 0 30 2 *", "never"),
        ("@dayly", "@daily"),
        ("@every never", "never"),
        ("0 9 * * funday", "funday"),
    ],
)
def test_a_bad_expression_is_told(away: Shell, expr: str, part: str) -> None:
    assert part in away("cron", "next", expr, status=2).fault
    assert "Mars" in away("cron", "next", "* * * * *", "--tz", "Mars/Base", status=2).fault


@pytest.mark.parametrize(
    "words",
    [
        "status", "list", "ls", "start x", "stop x", "restart x", "pause x", "resume x",
        "signal HUP x", "run x", "cancel x", "wait x", "logs x", "logs -f", "reload", "plan",
        "events", "events -f", "api job.status", "why x", "search x", "runs list",
        "runs show 123456", "alerts list", "alerts ack",
    ],
)  # fmt: skip
def test_a_daemon_that_cannot_be_reached_exits_7(away: Shell, words: str) -> None:
    assert "clawctl daemon start" in away(*words.split(), status=7).fault


@pytest.mark.parametrize(
    "words",
    ["version", "help", "config schema", "config paths", "init", "daemon stop"],
)
def test_some_commands_need_no_daemon(away: Shell, words: str) -> None:
    away(*words.split())


# -- configuration -------------------------------------------------------------------------


def test_validate_names_every_mistake_with_file_line_and_key(away: Shell) -> None:
    config = away.cwd / "nothing" / "config"
    (config / "jobs.d").mkdir(parents=True)
    (config / "claw.toml").write_text(
        '[daemon]\nmax_paralel = 3\n\n[jobs.web]\ncomand = "true"\n\n[jobs.x]\n'
        'command = "true"\ntimeout = "soon"\nexecutor = "local"\n'
    )
    (config / "jobs.d" / "more.toml").write_text(
        '[jobs.y]\ncommand = "x"\nschedule = "61 * * * *"\n'
    )

    said = away("config", "validate", status=2)

    lines = said.err.splitlines()
    claw, more = config / "claw.toml", config / "jobs.d" / "more.toml"
    for start, part in (
        (f"{claw}:2: daemon.max_paralel: ", "max_parallel"),
        (f"{claw}:5: jobs.web.comand: ", "command"),
        (f"{claw}:9: jobs.x.timeout: ", "soon"),
        (f"{claw}:10: jobs.x.executor: ", "not available yet"),
        (f"{more}:3: jobs.y.schedule: ", "minute 61"),
    ):
        [line] = [line for line in lines if line.startswith(start)]
        assert part in line
    assert said.out == ""
    assert away("daemon", "start", status=2).err.splitlines()[:5] == lines[:5]


def test_validate_of_one_file(away: Shell) -> None:
    (away.cwd / "one.toml").write_text('[jobs.a]\ncommand = "true"\n')

    assert "1 job" in away("config", "validate", "-f", "one.toml").out
    assert "no.toml" in away("config", "validate", "-f", "no.toml", status=2).err


def test_init_writes_a_configuration_that_runs(away: Shell) -> None:
    written = away("init", "--json").json["files"]
    again = away("init", status=1)

    assert "already" in again.fault
    assert Path(written[0]).read_text().count("#") > 20
    away("config", "validate")
    away("daemon", "start")
    try:
        states = {job["name"]: job["state"] for job in away("status", "--json").json["jobs"]}
        assert states["clock"] in {"running", "starting"}
        assert states["hello"] == "scheduled"
        away("run", "cleanup", "--wait")
        assert away("run", "hello", "--follow").out == "hello from claw\n"
        away("wait", "clock", "--for", "running", "--timeout", "20s")
    finally:
        away("daemon", "stop")
    away("status", status=7)


def test_a_changed_file_is_told_of_until_it_is_loaded(start_master: StartMaster) -> None:
    claw = start_master('[jobs.one]\ncommand = "true"\n')
    ctl = Shell(claw.environment)
    claw.configure('[jobs.one]\ncommand = "false"\n[jobs.two]\ncommand = "true"\n')

    assert "clawctl" in ctl("status").err
    assert "clawctl reload" in ctl("start", "one").err
    assert "clawctl reload" in ctl("restart", "one").err
    assert ctl("stop", "one").err == ""
    assert "two" in ctl("plan").out
    assert ctl("plan", "--json").json["add"] == ["two"]
    assert "two" not in ctl("status").out
    assert "two" in ctl("reload").out
    assert ctl("status").err == ""
    assert "nothing has changed" in ctl("reload").out
