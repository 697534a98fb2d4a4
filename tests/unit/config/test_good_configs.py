"""What a good configuration comes to mean."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from claw.config.load import load
from claw.config.starter import STARTER, write_starter
from claw.errors import ConflictError
from claw.model.access import Members, Roles
from claw.model.job import (
    CatchUp,
    Config,
    Daemon,
    Job,
    JobType,
    KillMode,
    Log,
    Overlap,
    Restart,
    RestartPolicy,
    Stderr,
)
from claw.model.pool import PoolUse
from claw.model.run import Priority

Write = Callable[..., Path]
Read = Callable[[str], Config]
ReadJob = Callable[[str], Job]

COMMAND = 'command = "x"\n'
SERVICE = 'command = "x"\ntype = "continuous"\n'
CRON = 'command = "x"\nschedule = "0 3 * * *"\n'


def test_a_job_that_says_nothing_has_the_models_defaults(read_job: ReadJob) -> None:
    job = read_job(COMMAND)

    assert job == Job(
        name="web", argv=("x",), command="x", file=job.file, line=1, timezone="UTC"
    )


def test_the_daemon_that_says_nothing_has_the_models_defaults(read: Read) -> None:
    assert read("").daemon == Daemon()


def test_every_key_of_the_daemon_reaches_the_model(read: Read) -> None:
    config = read("""
        control.mode = "0660"
        control.token_file = "/etc/claw/token"
        control.roles.operator = { users = ["deploy", 1000], groups = ["ops"] }
        [daemon]
        log_level = "debug"
        timezone = "Asia/Tokyo"
        max_parallel = 2
        max_queue = 3
        umask = "027"
        heartbeat = "5s"
        on_shutdown = "detach"
        shutdown_timeout = "1m"
        essential = ["web"]
        [jobs.web]
        command = "true"
    """)

    assert config.daemon == Daemon(
        log_level="debug",
        timezone="Asia/Tokyo",
        max_parallel=2,
        max_queue=3,
        umask=0o027,
        heartbeat_s=5,
        on_shutdown="detach",
        shutdown_timeout_s=60,
        essential=("web",),
        control_mode=0o660,
        token_file="/etc/claw/token",
        roles=Roles(operator=Members(("deploy", "1000"), ("ops",))),
    )


def test_with_roles_the_socket_is_for_all_unless_its_mode_is_said(read: Read) -> None:
    roles = 'control.roles.viewer = { groups = ["adm"] }'

    assert read(roles).daemon.control_mode == 0o666
    assert read(f'{roles}\ncontrol.mode = "0660"').daemon.control_mode == 0o660
    assert read("control.roles.viewer = {}").daemon.control_mode == 0o600


def test_every_key_of_a_service_reaches_the_model(read_job: ReadJob) -> None:
    job = read_job("""
        name = "Web"
        description = "the site\\nof all sites"
        argv = ["uvicorn", "app:app", ""]
        type = "continuous"
        cwd = "/srv"
        env = { MODE = "production", EMPTY = "", MONEY = "${HOME} $x" }
        inherit_env = ["PATH"]
        umask = "027"
        tags = ["site", "prod"]
        params = ["REGION"]
        enabled = false
        autostart = false
        success_codes = [0, 3]
        timeout = "1h30m"
        stop_signal = "SIGQUIT"
        grace_period = 2.5
        kill_mode = "group"
        [jobs.web.restart]
        policy = "on-failure"
        delays = ["0s", 1, "1m"]
        reset_after = "2m"
        start_limit = 5
        start_limit_window = "10m"
        [jobs.web.log]
        stderr = "separate"
        mode = "0600"
    """)

    assert job == Job(
        name="web",
        title="Web",
        description="the site\nof all sites",
        argv=("uvicorn", "app:app", ""),
        type=JobType.CONTINUOUS,
        cwd="/srv",
        env=(("EMPTY", ""), ("MODE", "production"), ("MONEY", "${HOME} $x")),
        inherit_env=("PATH",),
        umask=0o027,
        tags=("site", "prod"),
        params=("REGION",),
        enabled=False,
        autostart=False,
        success_codes=(0, 3),
        timeout_s=5400,
        stop_signal=signal.SIGQUIT,
        grace_period_s=2.5,
        kill_mode=KillMode.GROUP,
        restart=Restart(
            policy=RestartPolicy.ON_FAILURE,
            delays_s=(0, 1, 60),
            jitter=0,
            reset_after_s=120,
            start_limit=5,
            start_limit_window_s=600,
        ),
        log=Log(stderr=Stderr.SEPARATE, mode=0o600),
        file=job.file,
        line=1,
    )


def test_every_key_of_a_cron_job_reaches_the_model(read_job: ReadJob) -> None:
    job = read_job(
        COMMAND
        + """
        schedule = ["0 3 * * mon-fri", "@every  90m", "@reboot"]
        timezone = "America/Sao_Paulo"
        catch_up = "all"
        catch_up_window = "2h"
        max_instances = 2
        on_overlap = "queue"
        max_queued = 7
    """
    )

    assert job.type is JobType.SCHEDULED
    assert job.schedule == ("0 3 * * mon-fri", "@every 90m", "@reboot")
    assert job.timezone == "America/Sao_Paulo"
    assert (job.catch_up, job.catch_up_window_s) == (CatchUp.ALL, 7200)
    assert (job.max_instances, job.on_overlap, job.max_queued) == (2, Overlap.QUEUE, 7)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (COMMAND, JobType.MANUAL),
        (CRON, JobType.SCHEDULED),
        (COMMAND + 'run_at = "2030-01-01T00:00:00"', JobType.ONESHOT),
        (SERVICE, JobType.CONTINUOUS),
        (CRON + 'type = "scheduled"', JobType.SCHEDULED),
    ],
)
def test_the_type_follows_from_the_time_unless_it_is_said(
    text: str, kind: JobType, read_job: ReadJob
) -> None:
    assert read_job(text).type is kind


@pytest.mark.parametrize(
    ("text", "overlap", "queued"),
    [
        (COMMAND, Overlap.QUEUE, 0),
        (CRON, Overlap.SKIP, 1),
        (CRON + 'on_overlap = "queue"', Overlap.QUEUE, 1),
        (CRON + 'on_overlap = "queue"\nmax_queued = 0', Overlap.QUEUE, 0),
        (COMMAND + 'on_overlap = "kill_restart"', Overlap.KILL_RESTART, 0),
    ],
)
def test_overlap_has_its_default_by_type(
    text: str, overlap: Overlap, queued: int, read_job: ReadJob
) -> None:
    job = read_job(text)

    assert (job.on_overlap, job.max_queued) == (overlap, queued)


@pytest.mark.parametrize(
    ("line", "argv"),
    [
        ("redis-server --port 7000", ("redis-server", "--port", "7000")),
        ("  echo   'a  b' c\\ d ", ("echo", "a  b", "c d")),
        ("echo 'a | b' \"c > d\"", ("echo", "a | b", "c > d")),
        ("date +%H:%M --opt=value", ("date", "+%H:%M", "--opt=value")),
        ("find . -exec rm {} +", ("find", ".", "-exec", "rm", "{}", "+")),
        ("echo a#b \\$HOME \\*", ("echo", "a#b", "$HOME", "*")),
        ("python3 -c 'import os\nprint(1)'", ("python3", "-c", "import os\nprint(1)")),
    ],
)
def test_a_command_without_shell_syntax_is_its_own_program(
    line: str, argv: tuple[str, ...], read_job: ReadJob
) -> None:
    job = read_job(f"command = '''{line}'''")

    assert job.argv == argv
    assert not job.uses_shell
    assert job.command == line.strip()


@pytest.mark.parametrize(
    "line",
    [
        "a | b",
        "a > b",
        "a; b",
        "a && b",
        "a &",
        "a\nb",
        "a \\\n b",
        "echo $HOME",
        'echo "$HOME"',
        'echo "\\$HOME"',
        "echo `date`",
        "ls *.txt",
        "ls a?b",
        "ls [ab]",
        "ls ~",
        "ls ~/x",
        "A=1 b",
        "(a)",
        "{ a; }",
        "cp a.{b,c} d",
        "! a",
        "a # b",
        "cd /srv",
        "exit 3",
        "exec a",
        "if a; then b; fi",
    ],
)
def test_a_command_with_shell_syntax_is_the_shells(line: str, read_job: ReadJob) -> None:
    job = read_job(f"command = '''{line}'''\nshell = '/bin/bash'")

    assert job.argv == ("/bin/bash", "-c", line, "/bin/bash"), '"$@" follows $0'
    assert job.uses_shell


def test_a_relative_cwd_starts_from_the_defining_file(write: Write, tmp_path: Path) -> None:
    write('[jobs.a]\ncommand = "x"\ncwd = "app"\n', "jobs.d/a.toml")

    (job,) = load(str(tmp_path), env={}).jobs

    assert job.cwd == f"{tmp_path}/jobs.d/app"


def test_the_files_folder_is_where_a_project_runs(write: Write, tmp_path: Path) -> None:
    path = str(write('[jobs.a]\ncommand = "x"\n[jobs.b]\ncommand = "x"\ncwd = "/"\n'))

    at_home = load(path, env={})
    in_project = load(path, project_dir=str(tmp_path), env={})

    assert [job.cwd for job in at_home.jobs] == ["", "/"]
    assert [job.cwd for job in in_project.jobs] == [str(tmp_path), "/"]


def test_a_path_is_absolute_wherever_it_was_loaded_from(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write('[jobs.a]\ncommand = "x"\ncwd = "app"\n')
    monkeypatch.chdir(tmp_path)

    (job,) = load("claw.toml", env={}).jobs

    assert (job.file, job.cwd) == (f"{tmp_path}/claw.toml", f"{tmp_path}/app")


def test_defaults_hold_where_a_job_says_nothing(read: Read) -> None:
    quiet, loud = read("""
        [defaults]
        grace_period = "5s"
        tags = ["common"]
        env = { A = "1", B = "1" }
        log = { stderr = "discard", mode = "0600" }
        [jobs.quiet]
        command = "x"
        [jobs.loud]
        command = "x"
        grace_period = "6s"
        tags = ["own"]
        env = { B = "2", C = "2" }
        log.mode = "0644"
    """).jobs

    assert (quiet.grace_period_s, quiet.tags) == (5, ("common",))
    assert (loud.grace_period_s, loud.tags) == (6, ("own",))
    assert quiet.env == (("A", "1"), ("B", "1"))
    assert loud.env == (("A", "1"), ("B", "2"), ("C", "2"))
    assert quiet.log == Log(stderr=Stderr.DISCARD, mode=0o600)
    assert loud.log == Log(stderr=Stderr.DISCARD, mode=0o644)


def test_defaults_for_other_types_are_passed_over(read: Read) -> None:
    service, cron = read("""
        [defaults]
        max_instances = 3
        catch_up = "none"
        restart = { delays = ["1s"] }
        autostart = false
        [jobs.service]
        command = "x"
        type = "continuous"
        restart.preset = "fixed"
        [jobs.cron]
        command = "x"
        schedule = "@daily"
    """).jobs

    assert (service.max_instances, service.autostart) == (1, False)
    assert service.restart == Restart(delays_s=(30,), jitter=0)
    assert (cron.max_instances, cron.catch_up) == (3, CatchUp.NONE)


def test_what_to_run_and_when_can_come_from_the_defaults(read: Read) -> None:
    plain, other, once, words = read("""
        [defaults]
        command = "work $NAME"
        schedule = "@hourly"
        [jobs.plain]
        [jobs.other]
        type = "manual"
        [jobs.once]
        run_at = "2030-01-01T00:00:00Z"
        [jobs.words]
        argv = ["date"]
    """).jobs

    assert (plain.command, plain.type, plain.schedule) == (
        "work $NAME",
        JobType.SCHEDULED,
        ("@hourly",),
    )
    assert (other.type, other.schedule) == (JobType.MANUAL, ())
    assert (once.type, once.schedule) == (JobType.ONESHOT, ())
    assert (words.argv, words.command) == (("date",), "")


def test_contradicting_defaults_are_told_where_they_stand(
    refusal: Callable[[str], tuple[str, ...]],
) -> None:
    told = refusal("""[defaults]
        command = "x"
        argv = ["x"]
        schedule = "@daily"
        run_at = 2030-01-01T00:00:00
        restart = { preset = "fixed", delays = ["1s"] }
    """)

    assert [line.split(": ")[:2] for line in told] == [
        ["3", "defaults.argv"],
        ["5", "defaults.run_at"],
        ["6", "defaults.restart.delays"],
    ]


def test_the_daemons_umask_holds_where_a_job_names_none(read: Read) -> None:
    config = read(
        f'daemon.umask = "077"\n[jobs.a]\n{COMMAND}[jobs.b]\n{COMMAND}umask = "002"\n'
    )

    assert [job.umask for job in config.jobs] == [0o077, 0o002]


def test_a_wrong_default_is_told_once_and_not_for_every_job(
    refusal: Callable[[str], tuple[str, ...]],
) -> None:
    told = refusal("""[defaults]
        type = "service"
        [jobs.a]
        command = "x"
        [jobs.b]
        command = "x"
    """)

    assert len(told) == 1
    assert told[0].startswith("2: defaults.type: ")


@pytest.mark.parametrize(
    ("preset", "delays", "jitter"),
    [
        ('preset = "exponential"', (1, 2, 4, 8, 16, 32, 64, 128, 256, 300), 0.1),
        ('preset = "webhook"', (0, 30, 300, 900, 3600), 0),
        ('preset = "fixed"', (30,), 0),
        ('delays = ["500ms", "2d"]', (0.5, 172800), 0),
        ("", (1, 2, 4, 8, 16, 32, 64, 128, 256, 300), 0.1),
    ],
)
def test_a_restart_preset_is_a_ladder(
    preset: str, delays: tuple[float, ...], jitter: float, read_job: ReadJob
) -> None:
    job = read_job(f"{SERVICE}restart = {{ {preset} }}")

    assert job.restart == Restart(delays_s=delays, jitter=jitter)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ('"TERM"', signal.SIGTERM),
        ('"sigusr1"', signal.SIGUSR1),
        ("2", signal.SIGINT),
        ('"RTMIN"', signal.SIGRTMIN),
        ('"SIGRTMIN+3"', signal.SIGRTMIN + 3),
        ('"RTMAX-1"', signal.SIGRTMAX - 1),
    ],
)
def test_a_signal_is_a_name_or_a_number(written: str, number: int, read_job: ReadJob) -> None:
    assert read_job(f"{COMMAND}stop_signal = {written}").stop_signal == number


@pytest.mark.parametrize("written", ['"*"', '["*"]'])
def test_all_of_the_environment_can_be_inherited(written: str, read_job: ReadJob) -> None:
    assert read_job(f"{COMMAND}inherit_env = {written}").inherit_env == ("*",)


@pytest.mark.parametrize(
    ("written", "zone", "instant"),
    [
        ('"2026-12-24T09:00:00"', "UTC", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        ('"2026-12-24T09:00:00"', "America/Sao_Paulo", datetime(2026, 12, 24, 12, tzinfo=UTC)),
        ('"2026-12-24 09:00"', "Asia/Tokyo", datetime(2026, 12, 24, 0, tzinfo=UTC)),
        ("2026-12-24T09:00:00", "Asia/Tokyo", datetime(2026, 12, 24, 0, tzinfo=UTC)),
        ("2026-12-24T09:00:00+05:30", "Asia/Tokyo", datetime(2026, 12, 24, 3, 30, tzinfo=UTC)),
        ('"2026-12-24T09:00:00Z"', "Asia/Tokyo", datetime(2026, 12, 24, 9, tzinfo=UTC)),
        # Of the two times half past two in that night, the first.
        ('"2026-10-25T02:30:00"', "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_run_at_is_local_to_the_jobs_zone(
    written: str, zone: str, instant: datetime, read_job: ReadJob
) -> None:
    job = read_job(f'{COMMAND}run_at = {written}\ntimezone = "{zone}"')

    assert job.run_at == instant
    assert job.run_at.tzinfo is UTC


def test_the_zone_is_the_jobs_or_the_daemons_or_the_systems(write: Write) -> None:
    jobs = f'[jobs.a]\n{CRON}[jobs.b]\n{CRON}timezone = "Asia/Tokyo"\n'
    said = write(f'[daemon]\ntimezone = "Europe/Berlin"\n{jobs}', "said.toml")
    unsaid = write(jobs, "unsaid.toml")

    zones: list[Any] = [
        [job.timezone for job in load(str(path), env={"TZ": "America/Lima"}).jobs]
        for path in (said, unsaid)
    ]

    assert zones == [["Europe/Berlin", "Asia/Tokyo"], ["America/Lima", "Asia/Tokyo"]]


def test_the_systems_zone_holds_without_any_claw_toml(write: Write, tmp_path: Path) -> None:
    write(f"[jobs.a]\n{CRON}", "jobs.d/a.toml")

    config = load(str(tmp_path), env={"TZ": "America/Lima"})

    assert [config.daemon.timezone, config.jobs[0].timezone] == ["America/Lima"] * 2


def test_a_system_zone_without_a_name_matters_only_to_what_needs_it(write: Write) -> None:
    fine = write(f"[jobs.a]\n{COMMAND}", "fine.toml")
    needs = write(f"[jobs.a]\n{CRON}", "needs.toml")
    odd = {"TZ": "XYZ+7:30"}

    assert load(str(fine), env=odd).jobs
    with pytest.raises(Exception, match="set `timezone` in the configuration"):
        load(str(needs), env=odd)


def test_every_job_knows_its_line(read: Read) -> None:
    config = read("""# 1
        [jobs.a]
        command = "x"

        [jobs]
        b.command = "x"
        "c" = { command = "x" }
        [jobs.d.log]
        [jobs.d]
        command = "x"
    """)

    assert {job.name: job.line for job in config.jobs} == {"a": 2, "b": 6, "c": 7, "d": 8}


def test_the_starter_configuration_runs_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "new/claw"

    written = write_starter(str(folder))

    assert written == [f"{folder}/claw.toml"]
    jobs = load(str(folder), env={}).jobs
    assert {job.type for job in jobs} == {
        JobType.CONTINUOUS,
        JobType.SCHEDULED,
        JobType.MANUAL,
    }


def test_what_the_starter_comments_out_is_right_too(read: Read) -> None:
    """Every commented key and table can be switched on, all at once."""
    lines = []
    for line in STARTER.splitlines():
        bare = line.removeprefix("# ")
        is_code = bare.startswith("[") or (" = " in bare and bare[0].islower())
        lines.append(bare if line.startswith("# ") and is_code else line)

    config = read("\n".join(lines))

    assert config.daemon.timezone == "Europe/Berlin"
    assert [job.name for job in config.jobs] == ["clock", "hello", "cleanup", "party"]
    clock = config.job("clock")
    assert clock is not None
    assert dict(clock.env) == {"LANG": "C.UTF-8", "MODE": "production"}


def test_the_starter_never_overwrites(write: Write, tmp_path: Path) -> None:
    path = write("mine")

    with pytest.raises(ConflictError):
        write_starter(str(tmp_path))

    assert path.read_text() == "mine"


def test_a_pool_is_named_or_weighed(read: Read) -> None:
    config = read(
        "[pools.db]\n[pools.gpu]\nslots = 4\n"
        '[jobs.a]\ncommand = "x"\npool = "db"\npriority = "high"\n'
        '[jobs.b]\ncommand = "x"\npool = { name = "gpu", slots = 4 }\non_pool_busy = "skip"\n'
    )
    assert config.pools == (("db", 1), ("gpu", 4))
    a, b = config.jobs
    assert (a.pool, a.priority, a.on_pool_busy) == (PoolUse("db"), Priority.HIGH, "queue")
    assert (b.pool, b.priority, b.on_pool_busy) == (PoolUse("gpu", 4), Priority.NORMAL, "skip")
