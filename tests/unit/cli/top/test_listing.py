"""Tables: what a filter lets through, in which order, and who is selected."""

from typing import Any

import pytest

from claw.cli.top import listing
from claw.cli.top.listing import Column, Listing

COLUMNS = (
    Column("name", lambda row, _: row["name"], key=lambda row: row["name"], width=20),
    Column("size", lambda row, _: str(row["size"] or ""), key=lambda row: row["size"], rank=2),
    Column("why", lambda _row, _: "because", width=-1, rank=1),
    Column("more", lambda _row, _: "", is_chosen=False),
)


def row(name: str, size: int | None = None) -> dict[str, Any]:
    return {"name": name, "size": size}


@pytest.fixture(name="table")
def _table() -> Listing:
    table = Listing(
        COLUMNS,
        lambda row: str(row["name"]),
        lambda row: [("name", row["name"]), ("size", str(row["size"]))],
        "none",
    )
    table.replace([row("a", 3), row("b"), row("c", 1), row("d", 2)])
    return table


def names(table: Listing) -> list[str]:
    return [one["name"] for one in table.view]


def selected(table: Listing) -> str | None:
    return None if table.selected is None else str(table.selected["name"])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", True), ("web", True), ("WEB", True), ("web prod", True), ("web test", False),
        ("state:run", True), ("name:run", False), ("!stopped", True), ("!web", False),
        ("!state:running", False), ("tag:prod", True), ("tag:pro tag:eu", True), ("!", False),
        ("nofield:web", False), ("http://x", False),
    ],
)  # fmt: skip
def test_all_words_of_a_filter_have_to_fit(wanted: str, found: bool) -> None:
    fields = [("name", "Web-1"), ("state", "running"), ("tag", "prod"), ("tag", "eu")]

    assert listing.matches(wanted, fields) is found


def test_rows_are_sorted_and_what_is_not_known_comes_last(table: Listing) -> None:
    table.sort_by("size")
    assert names(table) == ["c", "d", "a", "b"]

    table.sort_by("size", is_descending=True)
    assert names(table) == ["a", "d", "c", "b"]


def test_the_column_beside_is_one_that_is_shown_and_can_be_sorted_by(table: Listing) -> None:
    assert [table.sort_beside(1) for _ in range(3)] == ["name", "size", "name"]
    assert table.sort_beside(-1) == "size"


def test_who_is_selected_stays_so_whatever_comes_and_however_it_is_sorted(
    table: Listing,
) -> None:
    table.move(2)
    assert selected(table) == "c"

    table.replace([row("x"), row("c", 9), row("a", 1)])
    assert selected(table) == "c"
    table.sort_by("size", is_descending=True)
    assert selected(table) == "c"
    table.narrow("a")
    assert selected(table) == "a"


def test_a_filter_that_nothing_passes_moves_nobody(table: Listing) -> None:
    table.move(2)

    table.narrow("zzz")
    assert selected(table) is None
    table.narrow("")

    assert selected(table) == "c"


def test_when_the_selected_row_goes_its_place_stays(table: Listing) -> None:
    table.move(1)

    table.replace([row("a"), row("c"), row("d")])

    assert selected(table) == "c"


def test_whoever_is_at_the_newest_stays_at_the_newest() -> None:
    table = Listing(
        COLUMNS, lambda row: str(row["name"]), lambda _: [], "", is_newest_first=True
    )
    table.replace([row("b"), row("a")])
    assert selected(table) == "b"

    table.replace([row("c"), row("b"), row("a")])
    assert selected(table) == "c"
    table.move(1)
    table.replace([row("d"), row("c"), row("b"), row("a")])
    assert selected(table) == "b"


def test_a_move_ends_at_the_first_and_at_the_last(table: Listing) -> None:
    table.move(-5)
    assert selected(table) == "a"
    table.move(1 << 30)
    assert selected(table) == "d"


def test_the_selected_row_is_always_among_the_visible(table: Listing) -> None:
    for step in (1, 1, 1, -1, -1, -1, 3):
        table.move(step)
        assert table.selected in table.visible(2)


def test_a_screen_that_grows_is_filled(table: Listing) -> None:
    table.move(3)
    assert len(table.visible(2)) == 2

    assert len(table.visible(4)) == 4


def test_a_command_is_for_what_is_marked_or_else_for_the_selected(table: Listing) -> None:
    assert [one["name"] for one in table.aimed] == ["a"]

    table.mark()
    table.move(1)
    table.mark()

    assert [one["name"] for one in table.aimed] == ["a", "c"]
    table.replace([row("c")])
    assert [one["name"] for one in table.aimed] == ["c"]


def test_an_update_changes_what_is_there_and_adds_nothing(table: Listing) -> None:
    table.update([{"name": "a", "size": 7}, row("new")])

    assert table.row("a") == {"name": "a", "size": 7}
    assert table.row("new") is None


def test_columns_that_give_way_leave_room_for_those_that_do_not() -> None:
    columns = COLUMNS[:3]

    assert listing.widths(columns, [10, 5, 30], 60) == [10, 5, 30]
    assert listing.widths(columns, [10, 5, 30], 40) == [10, 5, 21]
    assert listing.widths(columns, [10, 5, 30], 20) == [10, 0, 8]
    assert listing.widths(columns, [10, 5, 30], 12) == [10, 0, 0]
    assert listing.widths(columns, [10, 5, 30], 9) == [9, 0, 0]
