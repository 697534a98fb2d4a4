"""The keys about a job's process: what they come to mean, and what cannot be done."""

import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from claw.config.load import load
from claw.errors import ConfigError
from claw.model.job import Job, ResourceAction, Resources, Stdin

Write = Callable[..., Path]
ReadJob = Callable[[str], Job]
COMMAND = 'command = "x"\n'


def test_every_key_reaches_the_model(read_job: ReadJob) -> None:
    job = read_job(
        COMMAND + 'env_file = "e"\nnice = -5\nno_new_privs = true\noom_score_adj = -10\n'
        'stdin = "open"\ntty = true\nreload_signal = "USR2"\n'
        'stop_command = "a $MAINPID"\nshell = "/bin/bash"\n'
        'limits = { nofile = "64:1K", core = "unlimited" }\n'
        'resources = { memory = "2M", cpu = 2, pids = 3, action = "warn" }\n'
    )

    assert (job.env_file, job.nice, job.no_new_privs, job.oom_score_adj) == ("e", -5, True, -10)
    assert (job.stdin, job.tty, job.reload_signal) == (Stdin.OPEN, True, 12)
    assert job.stop_command == ("/bin/bash", "-c", "a $MAINPID", "/bin/bash")
    assert job.limits == (("core", -1, -1), ("nofile", 64, 1024))
    assert job.resources == Resources(
        memory_bytes=2 << 20, cpu=2.0, pids=3, action=ResourceAction.WARN
    )


def test_an_account_is_a_name_or_a_number(write: Write) -> None:
    path = write("[jobs.web]\n" + COMMAND + 'user = "nobody"\ngroup = 65534\n')

    [job] = load(str(path), env={"TZ": "UTC"}, uid=0, project_dir="/").jobs

    assert (job.user, job.group) == ("nobody", "65534")


@pytest.mark.parametrize("key", ["user", "group"])
def test_only_root_can_run_a_job_as_another(write: Write, key: str) -> None:
    path = write("[jobs.web]\n" + COMMAND + f"{key} = 0\n")

    with pytest.raises(ConfigError) as caught:
        load(str(path), env={"TZ": "UTC"}, uid=1000)

    [line] = caught.value.diagnostics
    assert line.startswith(f"{path}:3: jobs.web.{key}: only root can run a job as another")


def test_a_user_may_name_itself(write: Write) -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    path = write("[jobs.web]\n" + COMMAND + 'user = "nobody"\n')

    [job] = load(str(path), env={"TZ": "UTC"}, uid=uid).jobs

    assert job.user == "nobody"


def test_defaults_may_say_what_has_no_effect_on_some_jobs(read_job: ReadJob) -> None:
    job = read_job(
        COMMAND + 'reload_command = "a b"\n[defaults]\nreload_signal = "USR1"\n'
        'on_dependency_failure = "stop"\n[defaults.resources]\naction = "warn"\n'
    )

    assert (job.reload_command, job.reload_signal) == (("a", "b"), 10)
    assert job.resources == Resources(action=ResourceAction.WARN)
