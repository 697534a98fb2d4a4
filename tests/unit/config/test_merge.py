"""Keys of managed.toml over the jobs of other files: a drop-in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from claw.config.load import load
from claw.errors import ConfigError
from claw.model.job import Job, RestartPolicy

Write = Callable[..., Path]

WEB = """\
[jobs.web]
type = "continuous"
command = "serve"
env = { A = "1", B = "2" }
tags = ["x"]
restart.preset = "fixed"
"""


def _web(write: Write, tmp_path: Path, over: str, web: str = WEB) -> Job:
    write(web, "jobs.d/web.toml")
    write(over, "managed.toml")
    (job,) = load(str(tmp_path), env={}).jobs
    return job


def _refused(write: Write, tmp_path: Path, over: str, web: str = WEB) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        _web(write, tmp_path, over, web)
    return [line.replace(f"{tmp_path}/", "") for line in caught.value.diagnostics]


def test_a_key_of_managed_toml_goes_over_that_of_the_file(write: Write, tmp_path: Path) -> None:
    job = _web(write, tmp_path, '[jobs.web]\ntags = ["y"]\ngrace_period = "7s"\n')

    assert (job.tags, job.grace_period_s, job.command) == (("y",), 7, "serve")
    assert job.file == f"{tmp_path}/jobs.d/web.toml"


def test_tables_are_merged_key_by_key(write: Write, tmp_path: Path) -> None:
    over = '[jobs.web]\nenv.B = "3"\nenv.C = "4"\nrestart.policy = "never"\n'
    job = _web(write, tmp_path, over)

    assert dict(job.env) == {"A": "1", "B": "3", "C": "4"}
    assert (job.restart.policy, job.restart.delays_s) == (RestartPolicy.NEVER, (30,))


@pytest.mark.parametrize(
    ("over", "attr", "value"),
    [
        ('argv = ["other", "a b"]', "argv", ("other", "a b")),
        ('restart.delays = ["9s"]', "restart.delays_s", (9,)),
    ],
)
def test_one_of_two_keys_that_exclude_each_other_takes_the_others_place(
    over: str, attr: str, value: object, write: Write, tmp_path: Path
) -> None:
    found: object = _web(write, tmp_path, f"[jobs.web]\n{over}\n")
    for step in attr.split("."):
        found = getattr(found, step)

    assert found == value


def test_a_time_takes_the_place_of_a_schedule(write: Write, tmp_path: Path) -> None:
    job = _web(
        write,
        tmp_path,
        '[jobs.web]\nrun_at = "2030-01-01T00:00:00"\n',
        '[jobs.web]\ncommand = "x"\nschedule = "@daily"\n',
    )

    assert (job.type, job.schedule) == ("oneshot", ())


def test_a_mistake_is_told_of_the_file_that_makes_it(write: Write, tmp_path: Path) -> None:
    web = WEB + 'umask = "9"\n'
    told = _refused(write, tmp_path, '[jobs.web]\n\nstop_signal = "NO"\ncolour = 1\n', web)

    assert [line.split(": ")[:2] for line in told] == [
        ["jobs.d/web.toml:7", "jobs.web.umask"],
        ["managed.toml:3", "jobs.web.stop_signal"],
        ["managed.toml:4", "jobs.web.colour"],
    ]


def test_what_contradicts_the_file_is_told_of_the_override(
    write: Write, tmp_path: Path
) -> None:
    (told,) = _refused(write, tmp_path, '[jobs.web]\nschedule = "@daily"\n')

    assert told.startswith("managed.toml:2: jobs.web.schedule: only for scheduled jobs")


def test_a_dependency_of_an_override_is_told_with_its_line(
    write: Write, tmp_path: Path
) -> None:
    (told,) = _refused(write, tmp_path, '[jobs.web]\n\ndepends_on = ["db"]\n')

    assert told.startswith("managed.toml:3: jobs.web.depends_on")


def test_an_override_of_no_job_says_what_to_do(write: Write, tmp_path: Path) -> None:
    write('[jobs.gone]\ntags = ["a"]\n', "managed.toml")
    with pytest.raises(ConfigError, match=r"a job that no file defines: remove this table"):
        load(str(tmp_path), env={})


def test_a_relative_folder_starts_from_the_file_that_names_it(
    write: Write, tmp_path: Path
) -> None:
    assert _web(write, tmp_path, '[jobs.web]\ncwd = "a"\n').cwd == f"{tmp_path}/a"
    web = WEB.replace("tags", 'cwd = "b"\ntags')
    assert _web(write, tmp_path, "", web).cwd == f"{tmp_path}/jobs.d/b"


def test_what_is_no_table_is_refused(write: Write, tmp_path: Path) -> None:
    (told,) = _refused(write, tmp_path, "jobs.web = 3\n")

    assert told.startswith("managed.toml:1: jobs.web: a table is expected")
