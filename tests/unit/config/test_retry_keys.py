"""What the keys about retries mean."""

from collections.abc import Callable

import pytest

from claw.model.backoff import EXPONENTIAL, WEBHOOK
from claw.model.job import Config, Job
from claw.model.retry import Delivery, Retry

Read = Callable[[str], Config]


def _job(config: Config) -> Job:
    found = config.job("j")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("{}", Retry(delays_s=EXPONENTIAL, max_attempts=11, jitter=0.1)),
        ('{ preset = "none" }', None),
        ('{ preset = "webhook" }', Retry(delays_s=WEBHOOK, max_attempts=6)),
        ("{ max_attempts = 3 }", Retry(delays_s=EXPONENTIAL, max_attempts=3, jitter=0.1)),
        ('{ preset = "fixed" }', Retry(delays_s=(30,), max_attempts=6)),
        ('{ delays = ["1s", 2] }', Retry(delays_s=(1, 2), max_attempts=3)),
        (
            '{ base = "2s", factor = 3, max = "20s", jitter = 0 }',
            Retry(delays_s=(2, 6, 18, 20), max_attempts=5),
        ),
        (
            "{ delays = [1], max_attempts = 9, retry_on = [1, 124], poison_after = 3 }",
            Retry(delays_s=(1,), max_attempts=9, retry_on=(1, 124), poison_after=3),
        ),
    ],
)
def test_a_ladder_is_what_its_table_says(read: Read, text: str, policy: Retry | None) -> None:
    config = read(f'[jobs.j]\ncommand = "x"\nretry = {text}\n')
    assert _job(config).retry == policy


def test_a_rate_limit_applies_where_nothing_else_is_tried_again(read: Read) -> None:
    text = (
        '[jobs.j]\ncommand = "x"\ndelivery_guarantee = "at-least-once"\n'
        'retry = { preset = "none", rate_limit = { match = "429", delays = [60] } }\n'
    )
    found = _job(read(text))
    assert found.retry is not None
    assert found.retry.rate_limit is not None
    assert (found.retry.delays_s, found.retry.rate_limit.delays_s) == ((), (60,))
    assert not found.dead_letter


def test_the_defaults_give_a_ladder_to_runs_and_not_to_services(read: Read) -> None:
    config = read(
        '[defaults]\nretry = { preset = "webhook" }\nrun_timeout = "1h"\n'
        '[jobs.j]\ncommand = "x"\n'
        '[jobs.own]\ncommand = "x"\nretry = { delays = [7], max_attempts = 2 }\n'
        '[jobs.never]\ncommand = "x"\nretry.preset = "none"\n'
        '[jobs.web]\ntype = "continuous"\ncommand = "x"\n'
    )
    ladders = {one.name: one.retry and one.retry.delays_s for one in config.jobs}
    assert ladders == {"j": WEBHOOK, "own": (7,), "never": None, "web": None}
    assert {one.name: one.run_timeout_s for one in config.jobs}["web"] == 0


def test_dead_letters_are_kept_by_default_of_work_that_was_asked_for(read: Read) -> None:
    config = read(
        '[defaults]\nretry = { preset = "webhook" }\n'
        '[jobs.asked]\ncommand = "x"\n'
        '[jobs.timed]\ncommand = "x"\nschedule = "@daily"\n'
        '[jobs.kept]\ncommand = "x"\nschedule = "@daily"\ndead_letter = true\n'
        '[jobs.bare]\ncommand = "x"\nretry.preset = "none"\n'
    )
    marks = {one.name: one.dead_letter for one in config.jobs}
    assert marks == {"asked": True, "timed": False, "kept": True, "bare": False}


def test_a_delivery_is_promised_in_words(read: Read) -> None:
    text = '[jobs.j]\ncommand = "x"\ndelivery_guarantee = "at-least-once"\n'
    assert _job(read(text)).delivery_guarantee is Delivery.AT_LEAST_ONCE
