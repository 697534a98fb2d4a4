"""Zones: names, the system's own, windows of one offset."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from claw.schedule.zone import LAST_S, choose_local_zone, load_zone, read_local_zone, windows

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert load_zone(name).key == name


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Belrin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("Germany/Berlin", "Europe/Berlin"),
        ("America/New York", "America/New_York"),
        ("New_Yrok", "America/New_York"),
        ("utc ", "UTC"),
    ],
)
def test_an_unknown_zone_is_refused_with_the_nearest_name(name: str, near: str) -> None:
    with pytest.raises(ValueError, match="no time zone") as caught:
        load_zone(name)

    assert f"{name!r}: did you mean {near!r}?" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "", "/etc/passwd", "../../etc/passwd", "Europe", "posix/Europe/Berlin", "localtime",
        "right/Europe/Berlin", "Europe/Berlin\0", "Europe/\udcff", "zone.tab", "Qwxzy",
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        load_zone(name)


@pytest.mark.parametrize(
    ("tz", "localtime", "timezone", "name"),
    [
        (None, None, None, "UTC"),
        (None, "/usr/share/zoneinfo/Europe/Berlin", None, "Europe/Berlin"),
        (None, "../usr/share/zoneinfo/posix/Asia/Kolkata", "UTC", "Asia/Kolkata"),
        (None, "/etc/localtime", "America/Sao_Paulo\n", "America/Sao_Paulo"),
        (None, "/data/zone", "Asia/Tokyo", "Asia/Tokyo"),
        ("", "/usr/share/zoneinfo/Europe/Berlin", None, "UTC"),
        ("America/New_York", "/usr/share/zoneinfo/Europe/Berlin", "UTC", "America/New_York"),
        (":Europe/Paris", None, None, "Europe/Paris"),
        (":/usr/share/zoneinfo/Europe/Paris", None, None, "Europe/Paris"),
    ],
)
def test_the_local_zone_is_tz_else_the_link_else_the_file_else_utc(
    tz: str | None, localtime: str | None, timezone: str | None, name: str
) -> None:
    assert choose_local_zone(tz, localtime, timezone) == name


@pytest.mark.parametrize(
    ("tz", "localtime", "timezone", "says"),
    [
        ("CET-1CEST", None, None, "TZ=CET-1CEST"),
        (None, "/usr/share/zoneinfo/Mars/Olympus", None, "/etc/localtime -> "),
        (None, "/etc/localtime", None, "is no link into /usr/share/zoneinfo: set `timezone`"),
        (None, None, "Mars/Olympus", "/etc/timezone"),
    ],
)
def test_a_local_zone_without_a_name_is_said_and_never_guessed(
    tz: str | None, localtime: str | None, timezone: str | None, says: str
) -> None:
    with pytest.raises(ValueError, match="set `timezone`") as caught:
        choose_local_zone(tz, localtime, timezone)

    assert says in str(caught.value)


def test_the_local_zone_is_read_from_the_link_in_etc(tmp_path: Path) -> None:
    (tmp_path / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Berlin")
    (tmp_path / "timezone").write_text("Asia/Tokyo\n")

    assert read_local_zone({}, str(tmp_path)) == "Europe/Berlin"
    assert read_local_zone({"TZ": "UTC"}, str(tmp_path)) == "UTC"


def test_a_copied_localtime_is_named_by_the_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")

    with pytest.raises(ValueError, match="is no link"):
        read_local_zone({}, str(tmp_path))

    (tmp_path / "timezone").write_text("Asia/Tokyo\n")
    assert read_local_zone({}, str(tmp_path)) == "Asia/Tokyo"


def test_without_any_of_them_the_local_zone_is_utc(tmp_path: Path) -> None:
    assert read_local_zone({}, str(tmp_path)) == "UTC"


def test_without_a_change_there_is_one_window() -> None:
    after, until = utc("2026-01-01 00:00"), utc("2026-01-02 00:00")

    assert list(windows(BERLIN, after, until, fixed=True)) == [
        (after + 1 + HOUR, after + 1 + HOUR, until + 1 + HOUR, HOUR)
    ]


def test_a_fixed_schedule_gets_the_skipped_hour_with_the_window_after_it() -> None:
    change = utc("2026-03-29 01:00")

    _, second = windows(BERLIN, change - 60, change + 60, fixed=True)

    assert second == (change + HOUR, change + 2 * HOUR, change + 61 + 2 * HOUR, 2 * HOUR)


def test_a_fixed_schedule_does_not_look_at_the_repeated_hour_again() -> None:
    change = utc("2026-10-25 01:00")

    first, second = windows(BERLIN, change - 60, change + 2 * HOUR, fixed=True)

    assert first.high == change + 2 * HOUR
    assert second.skipped == second.low == change + 2 * HOUR
    assert second.low - second.offset == change + HOUR


def test_a_look_from_within_the_repeated_hour_still_knows_that_it_is_one() -> None:
    change = utc("2026-10-25 01:00")

    (only,) = windows(BERLIN, change + 600, change + 2 * HOUR, fixed=True)

    assert only.skipped == only.low == change + 2 * HOUR


def test_by_elapsed_time_the_windows_follow_the_clock() -> None:
    change = utc("2026-10-25 01:00")

    first, second = windows(BERLIN, change - 60, change + 60, fixed=False)

    assert first.high == change + 2 * HOUR
    assert second.skipped == second.low == change + HOUR


def test_beyond_the_last_instant_there_is_no_window() -> None:
    assert list(windows(BERLIN, LAST_S, LAST_S + 10, fixed=True)) == []
