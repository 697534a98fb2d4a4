"""A reload touches what changed, and restarts what cannot take the change in otherwise."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claw.config.load import load
from claw.config.plan import Plan, plan
from claw.model.job import Config

Read = Callable[[str], Config]

SERVICE = '[jobs.web]\ncommand = "sleep 1"\ntype = "continuous"\n'
CRON = '[jobs.web]\ncommand = "sleep 1"\nschedule = "@daily"\n'


def test_the_same_configuration_changes_nothing(read: Read) -> None:
    assert plan(read(SERVICE), read(SERVICE)).is_empty


@pytest.mark.parametrize(
    "text",
    [
        f"# a comment\n\n{SERVICE}",
        '[jobs.web]\ntype = "continuous"\ncommand = "sleep 1"\n',
        'jobs = { web = { type = "continuous", command = "sleep 1" } }',
        '[defaults]\ntype = "continuous"\n[jobs.web]\ncommand = "sleep 1"\n',
        SERVICE + 'grace_period = 30\nenv = {}\nrestart = { preset = "exponential" }\n',
        SERVICE.replace("sleep 1", "  sleep 1 "),
    ],
)
def test_the_same_said_in_another_way_changes_nothing(text: str, read: Read) -> None:
    assert plan(read(SERVICE), read(text)).is_empty


def test_a_job_that_moves_to_another_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "claw.toml").write_text(SERVICE)
    before = load(str(tmp_path), env={})
    (tmp_path / "jobs.d").mkdir()
    (tmp_path / "claw.toml").rename(tmp_path / "jobs.d/web.toml")

    after = load(str(tmp_path), env={})

    assert plan(before, after).is_empty
    assert before.digest != after.digest


def test_jobs_come_and_go_by_name(read: Read) -> None:
    old = read('[jobs.b]\ncommand = "x"\n[jobs.a]\ncommand = "x"\n[jobs.c]\ncommand = "x"\n')
    new = read('[jobs.d]\ncommand = "x"\n[jobs.c]\ncommand = "x"\n[jobs.aa]\ncommand = "x"\n')

    assert plan(old, new) == Plan(add=("aa", "d"), remove=("a", "b"))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ('name = "Web"', "name"),
        ('description = "d"', "description"),
        ('tags = ["t"]', "tags"),
        ('params = ["P"]', "params"),
        ("enabled = false", "enabled"),
        ("autostart = false", "autostart"),
    ],
)
def test_what_a_child_does_not_see_changes_live(change: str, key: str, read: Read) -> None:
    assert plan(read(SERVICE), read(SERVICE + change)) == Plan(live=(("web", (key,)),))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ('cwd = "/"', "cwd"),
        ('env = { A = "1" }', "env"),
        ('inherit_env = "*"', "inherit_env"),
        ('umask = "077"', "umask"),
        ("success_codes = [1]", "success_codes"),
        ("timeout = 5", "timeout"),
        ('stop_signal = "INT"', "stop_signal"),
        ("grace_period = 5", "grace_period"),
        ('kill_mode = "process"', "kill_mode"),
        ("restart.start_limit = 5", "restart"),
        ('log.stderr = "discard"', "log"),
    ],
)
def test_what_a_running_supervisor_holds_asks_for_a_restart(
    change: str, key: str, read: Read
) -> None:
    assert plan(read(SERVICE), read(SERVICE + change)) == Plan(restart=(("web", (key,)),))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (SERVICE.replace("sleep 1", "sleep 2"), "command"),
        (SERVICE.replace("sleep 1", "sleep $X"), "command"),
        (SERVICE.replace('command = "sleep 1"', 'argv = ["sleep", "2"]'), "argv"),
    ],
)
def test_another_program_is_one_reason_in_the_users_words(
    text: str, key: str, read: Read
) -> None:
    assert plan(read(SERVICE), read(text)) == Plan(restart=(("web", (key,)),))


def test_the_reasons_for_a_restart_are_only_those_that_ask_for_it(read: Read) -> None:
    new = read(SERVICE + 'description = "d"\ncwd = "/"\ntags = ["t"]\n')

    assert plan(read(SERVICE), new).restart == (("web", ("cwd",)),)


def test_jobs_that_are_no_services_have_nothing_to_restart(read: Read) -> None:
    new = read(CRON + 'cwd = "/"\ndescription = "d"\n')

    assert plan(read(CRON), new) == Plan(live=(("web", ("description", "cwd")),))


def test_a_service_that_becomes_a_cron_job_is_restarted_by_its_type(read: Read) -> None:
    changed = plan(read(SERVICE), read(CRON))

    assert [name for name, _why in changed.restart] == ["web"]
    assert "type" in changed.restart[0][1]


def test_a_cron_job_that_becomes_a_service_has_nothing_to_restart(read: Read) -> None:
    assert plan(read(CRON), read(SERVICE)).restart == ()


def test_a_changed_default_reaches_every_job_that_has_it(read: Read) -> None:
    jobs = '[jobs.a]\ncommand = "x"\n[jobs.b]\ncommand = "x"\ngrace_period = "5s"\n'

    changed = plan(read(jobs), read(f'[defaults]\ngrace_period = "9s"\n{jobs}'))

    assert changed == Plan(live=(("a", ("grace_period",)),))


def test_the_daemons_own_keys_are_named_in_full(read: Read) -> None:
    new = read('[daemon]\nmax_parallel = 3\nheartbeat = "5s"\n[control]\nmode = "0660"\n')

    assert plan(read(""), new).daemon == (
        "daemon.heartbeat",
        "daemon.max_parallel",
        "control.mode",
    )


def test_a_pool_that_changes_touches_no_job(read: Read) -> None:
    job = '[jobs.web]\ncommand = "x"\npool = "db"\n'

    changed = plan(read(f"[pools.db]\n{job}"), read(f"[pools.db]\nslots = 2\n{job}"))

    assert changed == Plan(daemon=("pools.db",))


def test_the_daemons_zone_touches_only_jobs_that_have_a_time(read: Read) -> None:
    old = f'{SERVICE}[jobs.cron]\ncommand = "x"\nschedule = "@daily"\n'

    changed = plan(read(old), read(f'[daemon]\ntimezone = "Asia/Tokyo"\n{old}'))

    assert changed == Plan(live=(("cron", ("timezone",)),), daemon=("daemon.timezone",))
