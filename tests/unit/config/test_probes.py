"""The tables [jobs.X.ready] and [jobs.X.health]: what is written becomes what is meant."""

import pytest

from claw.config.plan import plan
from claw.errors import ConfigError
from claw.model.checks import HealthAction, HealthType, Probe, Ready, ReadyType
from tests.unit.config.conftest import Read, ReadJob


def test_a_job_that_says_nothing_is_ready_when_it_runs_and_is_not_asked_how_it_is(
    read_job: ReadJob,
) -> None:
    job = read_job('command = "x"')

    assert job.ready == Ready()
    assert job.health is None


@pytest.mark.parametrize(
    ("table", "meant"),
    [
        ('type = "notify"', Ready(type=ReadyType.NOTIFY)),
        ('type = "fd"\nfd = 7', Ready(type=ReadyType.FD, fd=7)),
        ('type = "delay"\ndelay = "0"', Ready(type=ReadyType.DELAY, delay_s=0.0)),
        (
            'type = "log"\npattern = "^up$"\ninterval = "250ms"\ntimeout = 5',
            Ready(type=ReadyType.LOG, pattern="^up$", interval_s=0.25, timeout_s=5.0),
        ),
        (
            'type = "file"\npath = "x.pid"',
            Ready(type=ReadyType.FILE, probe=Probe(path="x.pid")),
        ),
        (
            'type = "exec"\ncommand = "test -f x && true"',
            Ready(
                type=ReadyType.EXEC,
                probe=Probe(argv=("/bin/sh", "-c", "test -f x && true", "/bin/sh")),
            ),
        ),
    ],
    ids=str,
)
def test_each_kind_of_readiness_is_read(table: str, meant: Ready, read_job: ReadJob) -> None:
    assert read_job(f'command = "x"\n[jobs.web.ready]\n{table}').ready == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("8000", "127.0.0.1:8000"),
        ('":8000"', "127.0.0.1:8000"),
        ('"tcp://localhost:80"', "localhost:80"),
        ('"[::1]:80"', "[::1]:80"),
        ('"unix:/run/x.sock"', "/run/x.sock"),
        ('"/run/x.sock"', "/run/x.sock"),
        ('"127.0.0.1:80${instance}"', "127.0.0.1:80${instance}"),
    ],
)
def test_an_address_is_written_in_many_ways(
    written: str, meant: str, read_job: ReadJob
) -> None:
    job = read_job(f'command = "x"\n[jobs.web.ready]\ntype = "tcp"\naddress = {written}')

    assert job.ready.probe.address == meant


def test_a_health_check_is_read_over_its_defaults(read: Read) -> None:
    config = read("""
[defaults.health]
interval = "5s"
[jobs.asked]
command = "x"
[jobs.asked.health]
type = "http"
url = "https://localhost/health"
expected_body = "ok"
action = "alert"
[jobs.unasked]
command = "x"
""")

    asked, unasked = config.job("asked"), config.job("unasked")
    assert asked is not None
    assert unasked is not None
    assert asked.health is not None
    assert (asked.health.type, asked.health.action) == (HealthType.HTTP, HealthAction.ALERT)
    assert (asked.health.interval_s, asked.health.timeout_s) == (5.0, 10.0)
    assert asked.health.probe.expected_status == 200
    assert unasked.health is None


WATCHED = """
[jobs.web]
command = "x"
type = "continuous"
[jobs.web.health]
watchdog = "9s"
"""


@pytest.mark.parametrize(
    ("old", "new", "restarts"),
    [
        ("", "failures = 7", False),
        ("", 'type = "tcp"\naddress = 80', False),
        ("", 'type = "exec"\ncommand = "true"', True),
        ('watchdog = "9s"', 'watchdog = "8s"', True),
    ],
)
def test_a_check_changes_under_a_running_service_unless_its_process_is_concerned(
    old: str, new: str, restarts: bool, read: Read
) -> None:
    changed = WATCHED.replace(old, new) if old else WATCHED + new

    found = plan(read(WATCHED), read(changed))

    assert bool(found.restart) is restarts
    assert bool(found.live) is not restarts


@pytest.mark.parametrize(
    "url",
    [
        "https://1.2.3.999/x",
        "https://[::1::2]/x",
        "https://a..example/x",
        f"https://{'a' * 64}.example/x",
        "https://example/x\\u0001y",
        "https://example:99999/x",
    ],
)
def test_a_url_that_nobody_can_get_is_refused_where_it_is_written(
    url: str, read_job: ReadJob
) -> None:
    with pytest.raises(ConfigError, match="is no URL"):
        read_job(f'command = "x"\nping = "{url}"')


@pytest.mark.parametrize(
    "url",
    ["http://[::1]:80/x", "https://b\u00fccher.example/", "http://10.0.0.1", "http://a_b/x"],
)
def test_a_url_that_can_be_got_is_taken(url: str, read_job: ReadJob) -> None:
    assert read_job(f'command = "x"\nping = "{url}"').ping == url
