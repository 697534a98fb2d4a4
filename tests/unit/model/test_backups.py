"""What backups are called, and which have served."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import backups
from claw.model.backups import Backup, Settings

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def made(*ages: timedelta) -> list[Backup]:
    found = [backups.read_name(backups.name_of(NOW - age, "1.2.3"), 7) for age in ages]
    return [one for one in found if one is not None]


def ages_left(known: list[Backup], settings: Settings) -> list[timedelta]:
    going = backups.surplus(known, NOW, settings)
    return [NOW - one.at for one in sorted(known) if one not in going]


def minutes(*counts: float) -> list[timedelta]:
    return [timedelta(minutes=count) for count in counts]


def test_a_name_tells_when_it_was_made_and_by_whom() -> None:
    at = datetime(2026, 3, 2, 4, 5, 6, 789999, tzinfo=UTC)
    name = backups.name_of(at, "1.2.3rc1-x")

    assert name == "claw-20260302T040506.789Z-1.2.3rc1-x.tar.gz"
    one = backups.read_name(name, 5)
    assert one == Backup("20260302T040506.789Z", name, 5, "1.2.3rc1-x")
    assert one.at == at.replace(microsecond=789000)


@pytest.mark.parametrize(
    "name",
    [
        "claw-20260302T040506000000Z-1.db", ".claw-20260302T040506.789Z-1.tar.gz.new",
        "claw-20261302T040506.789Z-1.tar.gz", "claw-20260302T040506.789Z-.tar.gz", "x.tar.gz",
    ],
)  # fmt: skip
def test_what_is_called_otherwise_is_none(name: str) -> None:
    assert backups.read_name(name, 5) is None


def test_of_each_hour_that_is_over_the_last_stays_and_nothing_beyond_seven_days() -> None:
    young = minutes(5, 20, 35, 50)
    older = minutes(65, 80, 95, 110, 125)  # of 10:55, 10:40, 10:25, 10:10, and 9:55
    known = made(*young, *older, 6 * DAY, 8 * DAY, 9 * DAY)

    assert ages_left(known, Settings()) == [6 * DAY, *minutes(125, 65), *reversed(young)]


def test_the_newest_stays_however_old_it_is() -> None:
    known = made(30 * DAY, 31 * DAY)

    assert ages_left(known, Settings()) == [30 * DAY]


def test_nothing_goes_where_nothing_is_said_to() -> None:
    known = made(*minutes(1, 2, 3), 400 * DAY, 400 * DAY + timedelta(minutes=1))

    assert backups.surplus(known, NOW, Settings(keep_s=0, rollup_s=0)) == []


@given(st.lists(st.integers(0, 20 * 86400), unique=True, max_size=60))
def test_pruning_again_removes_nothing_more(seconds: list[int]) -> None:
    known = made(*(timedelta(seconds=one) for one in seconds))
    going = backups.surplus(known, NOW, Settings())
    left = [one for one in known if one not in going]

    assert backups.surplus(left, NOW, Settings()) == []
    assert not known or max(known) in left


def test_a_word_means_an_id_its_beginning_a_name_or_the_latest() -> None:
    old, new = sorted(made(2 * DAY, DAY))

    assert backups.chosen([new, old], "latest") == [new]
    assert backups.chosen([new, old], old.id[:8]) == [old]
    assert backups.chosen([new, old], old.name) == [old]
    assert backups.chosen([new, old], "2026") == [old, new]
    assert backups.chosen([], "latest") == []
