"""The keys of a job that say what follows when a run of it has ended badly."""

import re

from claw.config import kinds
from claw.config.keys.outputcheck import CHECK
from claw.config.keys.probe import PATTERN
from claw.config.kinds import Kind, optional, show, unlike
from claw.config.table import Applies, Field
from claw.model import backoff
from claw.model.retry import MAX_ATTEMPTS, Delivery

NONE = "none"
"""The preset of no retry, to take back what ``[defaults]`` says."""


def _number(least: float, most: float, label: str) -> Kind[float]:
    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise unlike(f"{label}, without quotes,", value)
        if not least <= value <= most:
            raise ValueError(f"{label} is expected, not {show(value)}")
        return float(value)

    return Kind("number", parse, {"type": "number", "minimum": least, "maximum": most})


_DELAYS = kinds.list_of(kinds.DURATION, least=1, most=100)
_STATUSES = kinds.list_of(kinds.integer(1, 255), most=255)


def _insensitive(value: object) -> str:
    """Return an expression that can be searched for with upper and lower case alike."""
    text = PATTERN.parse(value)
    try:
        re.compile(f"(?i:{text})")
    except re.error as error:
        raise ValueError(f"{show(text)} cannot be put into (?i:...): {error}") from None
    return text


_INSENSITIVE = Kind(PATTERN.label, _insensitive, PATTERN.schema)


class RateLimitKeys:
    """How a run is tried again whose output says that there were too many requests."""

    match = Field(
        _INSENSITIVE,
        r"429|rate limit|too many requests|quota|throttl|slow down|overloaded",
        "A regular expression, searched for in the last 4 KiB of the output of an attempt that"
        " failed; upper and lower case are the same.",
        applies=Applies.LIVE,
    )
    delays = Field(
        _DELAYS,
        [60, 120, 300, 600, 1800],
        "The ladder then; the last delay repeats.",
        applies=Applies.LIVE,
        attr="delays_s",
    )
    max_attempts = Field(
        kinds.integer(1, MAX_ATTEMPTS),
        5,
        "So many attempts may follow a rate limit; they are not counted as retries.",
        applies=Applies.LIVE,
    )


class RetryKeys:
    """How a run that failed or timed out is tried again. Not for `continuous` jobs."""

    preset = Field(
        optional(kinds.one_of(*backoff.PRESETS, NONE)),
        None,
        "The ladder of delays. `exponential`: 1 s, doubled up to 300 s, each stretched by up to"
        " a tenth at random; `webhook`: 0 s, 30 s, 5 m, 15 m, 1 h; `fixed`: 30 s; `none`: no"
        " retry, whatever `[defaults]` says.",
        applies=Applies.LIVE,
        shown="`exponential`",
    )
    delays = Field(
        optional(_DELAYS),
        None,
        "A ladder of your own instead of a preset; the last delay repeats up to"
        " `max_attempts`.",
        applies=Applies.LIVE,
    )
    base = Field(
        optional(kinds.DURATION),
        None,
        "`exponential` only: the first delay.",
        applies=Applies.LIVE,
        shown="1 s",
    )
    factor = Field(
        optional(_number(1, 100, "a number from 1 to 100")),
        None,
        "`exponential` only: how many times the last delay the next one is.",
        applies=Applies.LIVE,
        shown="2",
    )
    max = Field(
        optional(kinds.DURATION),
        None,
        "`exponential` only: the longest delay.",
        applies=Applies.LIVE,
        shown="300 s",
    )
    jitter = Field(
        optional(_number(0, 1, "a number from 0 to 1")),
        None,
        "By what part of itself a delay is stretched at most, at random.",
        applies=Applies.LIVE,
        shown="0.1 with `exponential`, else 0",
    )
    max_attempts = Field(
        optional(kinds.integer(1, MAX_ATTEMPTS)),
        None,
        "Attempts of one run, the first included.",
        applies=Applies.LIVE,
        shown="one more than the ladder has delays; 6 with `fixed`",
    )
    retry_on = Field(
        _STATUSES,
        [],
        "Only these exit statuses are tried again, 128 and the signal's number, 124 for a"
        " timeout, and 125 for a program that could not be started among them. Empty: all.",
        applies=Applies.LIVE,
    )
    no_retry_on = Field(
        _STATUSES,
        [],
        "All but these exit statuses are tried again.",
        applies=Applies.LIVE,
    )
    poison_after = Field(
        kinds.integer(0, MAX_ATTEMPTS),
        0,
        "So many failures alike in a row (the same exit, and the same last lines of output but"
        " for numbers) end the run at once, with the reason `poison`; 0: never.",
        applies=Applies.LIVE,
    )


class RunKeys:
    """See `claw.config.fields.JobKeys`, which these keys are part of."""

    run_timeout = Field(
        kinds.DURATION,
        "0",
        "Wall-clock time for a run with all its attempts and the waits between, from the start"
        " of the first; no attempt outlasts it, and none begins after it. 0: none.",
        attr="run_timeout_s",
    )
    delivery_guarantee = Field(
        kinds.member_of(Delivery),
        "at-most-once",
        "What becomes of a run that claw or the host has lost: `at-least-once` makes another"
        " attempt, counted with the retries (without `retry`: 5 attempts in all). A stop of"
        " the daemon puts it back into the queue.",
        applies=Applies.LIVE,
    )
    skip_code = Field(
        optional(kinds.integer(1, 255)),
        None,
        "An exit status that means that there was nothing to do: the run has succeeded, with"
        " the note `already done`.",
        applies=Applies.LIVE,
        shown="none",
    )
    checks = Field(
        kinds.list_of(CHECK, most=20),
        [],
        'What is looked for in the output of a run that has ended: `[{ match = "Traceback",'
        ' then = "fail" }]`, with `stream` (`both`, `stdout`, `stderr`). `fail`: the run has'
        " failed, though it exited well; `warn`: a note and an event; `alert`: an alert too."
        " The first and the last 64 KiB are searched; an expression that takes longer than 2 s"
        " decides nothing, and a note says so.",
        applies=Applies.LIVE,
    )
    dead_letter = Field(
        optional(kinds.SWITCH),
        None,
        "A run that has failed for good is kept as a dead letter: `clawctl dlq list`.",
        applies=Applies.LIVE,
        shown="true for `manual` jobs with `retry`, else false",
    )
