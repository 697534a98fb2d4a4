import contextlib
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.commands.times import parse_future, parse_past

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # 13:00 in Berlin


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("now", "2026-11-21T12:00:00+00:00"),
        (" NOW ", "2026-11-21T12:00:00+00:00"),
        ("2h", "2026-11-21T10:00:00+00:00"),
        ("1h30m", "2026-11-21T10:30:00+00:00"),
        ("2h ago", "2026-11-21T10:00:00+00:00"),
        ("90", "2026-11-21T11:58:30+00:00"),
        ("yesterday 02:30", "2026-11-20T01:30:00+00:00"),
        ("yesterday", "2026-11-19T23:00:00+00:00"),
        ("today", "2026-11-20T23:00:00+00:00"),
        ("12:59", "2026-11-21T11:59:00+00:00"),
        ("13:01", "2026-11-20T12:01:00+00:00"),
        ("2026-11-01", "2026-10-31T23:00:00+00:00"),
        ("2026-07-01T09:00", "2026-07-01T07:00:00+00:00"),
        ("2026-07-01 09:00:30", "2026-07-01T07:00:30+00:00"),
        ("2026-07-01T09:00Z", "2026-07-01T09:00:00+00:00"),
        ("2026-07-01T09:00-03:00", "2026-07-01T12:00:00+00:00"),
    ],
)
def test_a_past_time_is_read_in_the_local_zone(text: str, iso: str) -> None:
    assert parse_past(text, NOW, BERLIN).isoformat() == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("now", "2026-11-21T12:00:00+00:00"),
        ("13:01", "2026-11-21T12:01:00+00:00"),
        ("13:00", "2026-11-22T12:00:00+00:00"),
        ("9:00", "2026-11-22T08:00:00+00:00"),
        ("tomorrow 09:00", "2026-11-22T08:00:00+00:00"),
        ("tomorrow", "2026-11-21T23:00:00+00:00"),
        ("today 23:30", "2026-11-21T22:30:00+00:00"),
        ("2026-12-24T09:00:00", "2026-12-24T08:00:00+00:00"),
        ("2026-12-24T09:00:00+00:00", "2026-12-24T09:00:00+00:00"),
    ],
)
def test_a_future_time_is_read_in_the_local_zone(text: str, iso: str) -> None:
    assert parse_future(text, NOW, BERLIN).isoformat() == iso


@pytest.mark.parametrize(
    "text",
    ["", "soon", "25:00", "12:60", "tomorrow 25:00", "tomorrow at nine", "2026-13-01",
     "2026-02-30T00:00", "12-24", "99999999999w", "-2h", "T",
     "0001-01-01T00:00+14:00", "0001-01-01T00:00"],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="is no time: write "):
        parse_past(text, NOW, BERLIN)
    with pytest.raises(ValueError, match="is no time: write "):
        parse_future(text, NOW, BERLIN)


def test_a_duration_is_no_future_time() -> None:
    with pytest.raises(ValueError, match="write"):
        parse_future("2h", NOW, BERLIN)


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-03-29T02:30", "2026-03-29T01:30:00+00:00"),  # skipped: as far past the jump
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),  # repeated: the first one
    ],
)
def test_a_clock_change_has_a_meaning(text: str, iso: str) -> None:
    assert parse_past(text, NOW, BERLIN).isoformat() == iso


@given(st.text(max_size=30))
def test_any_text_gives_a_time_or_a_value_error(text: str) -> None:
    for parse in (parse_past, parse_future):
        with contextlib.suppress(ValueError):
            assert parse(text, NOW, BERLIN).tzinfo is not None


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_bare_clock_time_is_within_a_day(hour: int, minute: int) -> None:
    text = f"{hour:02}:{minute:02}"

    assert timedelta(0) <= NOW - parse_past(text, NOW, BERLIN) < timedelta(days=1)
    assert timedelta(0) < parse_future(text, NOW, BERLIN) - NOW <= timedelta(days=1)


def test_without_a_zone_the_processs_own_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setenv("TZ", "America/Sao_Paulo")
    time.tzset()
    try:
        assert parse_past("2026-07-01T09:00", NOW).isoformat() == "2026-07-01T12:00:00+00:00"
    finally:
        monkeypatch.undo()
        time.tzset()
