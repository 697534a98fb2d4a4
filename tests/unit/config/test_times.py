"""What a job's keys about time come to mean, and what of them is refused."""

from collections.abc import Callable

import pytest

from claw.model.job import Config, Job
from claw.model.timing import Hours, Outside

ReadJob = Callable[[str], Job]
Read = Callable[[str], Config]
Refusal = Callable[[str], tuple[str, ...]]
CRON = 'command = "x"\nschedule = "0 3 * * *"\n'
ONCE = 'command = "x"\nrun_at = "2030-01-01T00:00:00"\n'


def test_every_key_about_time_reaches_the_model(read_job: ReadJob) -> None:
    job = read_job(
        CRON + 'jitter = "90s"\nerror_backoff = true\ntimezone = "Asia/Tokyo"\n'
        'hours = { days = "mon-fri", from = "22:00", to = "6:30", outside = "wait" }'
    )
    assert (job.jitter_s, job.error_backoff) == (90.0, True)
    assert job.hours == Hours(
        days="mon-fri",
        begin=(22, 0),
        end=(6, 30),
        timezone="Asia/Tokyo",
        outside=Outside.WAIT,
    )
    once = read_job(ONCE + 'ttl = "48h"')
    assert (once.ttl_s, once.delete_after_run) == (172800.0, False)
    assert read_job(ONCE + "delete_after_run = true").delete_after_run


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ('"sat-mon"', "sat-mon"),
        ('"Mon, wed,FRI"', "mon,wed,fri"),
        ('["mon-wed", "sun"]', "mon-wed,sun"),
        ('"*"', "*"),
    ],
)
def test_days_are_a_list_of_days_and_ranges(written: str, days: str, read_job: ReadJob) -> None:
    job = read_job(f'command = "x"\nhours = {{ days = {written}, timezone = "UTC" }}')
    assert job.hours == Hours(days=days)


def test_hours_have_a_zone_of_their_own(read_job: ReadJob) -> None:
    job = read_job(CRON + 'hours = { from = "08:00", to = "24:00", timezone = "Asia/Tokyo" }')
    assert job.hours == Hours(begin=(8, 0), timezone="Asia/Tokyo")
    assert job.timezone == "UTC"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CRON + 'hours = "08:00-18:00"', "a table like { days ="),
        (CRON + "hours = {}", "neither days nor from and to"),
        (CRON + 'hours = { outside = "wait" }', "neither days nor from and to"),
        (CRON + 'hours = { from = "8", to = "18:00" }', "'8' is no time of day"),
        (CRON + 'hours = { from = "08:60" }', "'08:60' is no time of day"),
        (CRON + 'hours = { to = "24:01" }', "'24:01' is no time of day"),
        (CRON + 'hours = { from = "08:00", to = "08:00" }', "the same as from"),
        (CRON + 'hours = { from = "24:00", to = "08:00" }', 'write "00:00"'),
        (CRON + 'hours = { days = "mon-fry" }', 'no day of the week, did you mean "fri"?'),
        (CRON + 'hours = { days = "1-5" }', "'1-5' is no day of the week"),
        (CRON + "hours = { days = [] }", "no day"),
        (CRON + 'hours = { days = "mon", zone = "UTC" }', "unknown key"),
        (CRON + 'hours = { days = "mon", timezone = "Mars" }', "no time zone 'Mars'"),
        (CRON + 'hours = { days = "mon", outside = "pause" }', "none of skip, wait, alert"),
        (CRON + 'catch_up = "none"\ncatch_up_window = "1h"', "nothing is made up for with"),
        (CRON + 'ttl = "1h"', "only for oneshot jobs"),
        (CRON + "delete_after_run = true", "only for oneshot jobs"),
        (ONCE + 'ttl = "1h"\ndelete_after_run = true', "a ttl of nothing"),
        (ONCE + "error_backoff = true", "only for scheduled jobs"),
        ('command = "x"\njitter = "1s"', "only for scheduled and oneshot jobs"),
        (CRON + 'jitter = "25h"', "longer than a day"),
        (CRON + "sla = {}", "nothing is promised"),
        (CRON + 'sla = { period = "7d" }', "nothing is promised"),
        ('command = "x"\ntype = "continuous"\nsla = { success_rate = 99 }', "one run, from"),
        ('command = "x"\ntype = "continuous"\nhours = { days = "mon" }', "one run, from start"),
    ],
)
def test_what_contradicts_or_is_said_in_vain_is_refused(
    text: str, says: str, refusal: Refusal
) -> None:
    (line,) = refusal(f"[jobs.web]\n{text}")
    assert says in line


def test_a_jitter_may_be_longer_than_the_gap_between_two_times(read_job: ReadJob) -> None:
    every = 'command = "x"\nschedule = ["0 9 * * mon-fri", "@every 60s"]\njitter = "90s"'
    assert read_job(every).jitter_s == 90.0


def test_defaults_about_time_reach_the_jobs_that_they_suit(read: Read) -> None:
    config = read(
        "[defaults]\njitter = '5s'\nerror_backoff = true\nttl = '1h'\n"
        "hours = { from = '08:00', to = '18:00' }\n"
        "[jobs.cron]\ncommand = 'x'\nschedule = '@daily'\n"
        "[jobs.web]\ncommand = 'x'\ntype = 'continuous'\n"
        "[jobs.hand]\ncommand = 'x'\n"
    )
    cron, web, hand = (config.job(name) for name in ("cron", "web", "hand"))
    assert cron is not None
    assert web is not None
    assert hand is not None
    assert (cron.jitter_s, cron.error_backoff, cron.ttl_s) == (5.0, True, None)
    assert (web.jitter_s, web.hours) == (0.0, None)
    assert (hand.jitter_s, hand.hours) == (0.0, Hours(begin=(8, 0), end=(18, 0)))
