"""Signals, times and filters as requests name them."""

from datetime import UTC, datetime

import pytest

from claw.errors import UsageError
from claw.master.handlers.child import parse_signal
from claw.master.handlers.event import Filter
from claw.master.handlers.replies import parse_time
from claw.model.event import Event

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["HUP", "hup", "SIGHUP", "sighup", "1"])
def test_a_signal_has_many_names(text: str) -> None:
    assert parse_signal(text) == 1


@pytest.mark.parametrize("text", ["", "0", "-1", "999", "NOPE", "SIG", "SIG_DFL", "٣"])
def test_no_signal_is_no_signal(text: str) -> None:
    with pytest.raises(UsageError):
        parse_signal(text)


def test_a_time_needs_its_offset() -> None:
    assert parse_time("2026-03-02T13:00:00+01:00", "at") == AT
    for text in ("2026-03-02T13:00:00", "now", "", "2026-13-02T13:00:00Z"):
        with pytest.raises(UsageError):
            parse_time(text, "at")


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), True),
        (Filter(job="web"), True),
        (Filter(job="w*"), True),
        (Filter(job="api"), False),
        (Filter(type="run.*"), True),
        (Filter(type="job.*"), False),
        (Filter(run="r1"), True),
        (Filter(run="r2"), False),
        (Filter(job="web", run="r2"), False),
    ],
)
def test_a_filter_takes_what_fits_all_of_it(wanted: Filter, *, fits: bool) -> None:
    event = Event(at=AT, type="run.failed", job="web", run="r1")

    assert wanted.wants(event) is fits
