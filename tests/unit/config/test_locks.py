"""``[locks]`` and the lock of a job: what they may say, and what would never work."""

from collections.abc import Callable

import pytest

from claw.model.job import Config, Job
from claw.model.lock import Backend

Read = Callable[[str], Config]
ReadJob = Callable[[str], Job]
Refusal = Callable[[str], tuple[str, ...]]


def test_locks_are_kept_here_if_nobody_says_otherwise(read: Read) -> None:
    config = read('[jobs.a]\ncommand = "x"\nlock = "only"\n')

    assert (config.locks.backend, config.locks.lease_s) == (Backend.DATABASE, 30.0)
    assert not config.locks.is_shared
    assert config.jobs[0].lock == "only"


def test_all_of_the_table_is_read(read: Read) -> None:
    locks = read("""
        [locks]
        backend = "etcd"
        lease = "1m"
        endpoints = ["https://a:2379", "http://127.0.0.1:2379/"]
        prefix = "x/"
        ca = "/ca.pem"
        cert = "/c.pem"
        key = "/k.pem"
    """).locks

    assert locks.is_shared
    assert (locks.lease_s, locks.endpoints[0], locks.key) == (60, "https://a:2379", "/k.pem")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('backend = "folder"', 'backend = "folder" needs folder'),
        ('backend = "etcd"', "needs endpoints"),
        ('backend = "postgres"', "needs dsn"),
        ('backend = "redis"', "redis"),
        ('folder = "here"', "absolute"),
        ('endpoints = ["10.0.0.1:2379"]', "http://HOST:2379"),
        ('dsn = "host=db password=x"', "pgpass"),
        ('dsn = "postgresql://me:x@db/claw"', "pgpass"),
        ('table = "a; drop"', "no name for a table"),
        ('cert = "/c.pem"', "go together"),
        ('lease = "10ms"', "no good lease"),
        ('leese = "1m"', "unknown key"),
    ],
)
def test_what_could_not_work_is_refused(refusal: Refusal, text: str, said: str) -> None:
    [line] = refusal(f"[locks]\n{text}\n")

    assert "locks" in line
    assert said in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('lock = "../x"', "no name for a lock"),
        ('type = "continuous"\ninstances = 2\nlock = "l"', "only one could ever hold it"),
    ],
)
def test_a_lock_that_could_not_be_had_is_refused(
    refusal: Refusal, text: str, said: str
) -> None:
    [line] = refusal(f'[jobs.a]\ncommand = "x"\n{text}\n')

    assert said in line
