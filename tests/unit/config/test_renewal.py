"""An import that is done again: what is there is found, and what a person made is left."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.config import provenance, renewal
from claw.config.importers import crontab
from claw.config.importers.imported import Options
from claw.config.importers.sources import Source
from claw.config.managed import Managed
from claw.config.setting import Change, Op

Write = Callable[..., Path]

FIVE, FOUR = "0 5 * * * echo five", "0 4 * * * echo four"
FILE = "import:/tab"
LINES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["echo", "echo x", "echo y", "true; echo z"]))
    .map(lambda one: f"{one[0]} * * * * {one[1]}"),
    min_size=1,
    max_size=5,
)  # fmt: skip


@pytest.fixture
def managed(tmp_path: Path) -> Managed:
    """A file that is not there yet."""
    return Managed(str(tmp_path), as_root=False)


def import_tab(managed: Managed, *lines: str) -> dict[str, str]:
    source = Source("tab", "".join(f"{line}\n" for line in lines).encode(), "/")
    found = crontab.read([source], Options()).jobs
    tables = {job.name: {**job.table, "origin": FILE} for job in found}
    unnamed = [job.name for job in found if job.is_unnamed]
    names = renewal.placed(managed, tables, unnamed)
    return renewal.renew(managed, {names[name]: tables[name] for name in tables}, "cli:0")


def lines_of(managed: Managed) -> dict[str, str]:
    return {name: f"{one['schedule']} {one['command']}" for name, one in managed.jobs.items()}


def test_a_line_stays_one_job_when_the_lines_beside_it_go(managed: Managed) -> None:
    import_tab(managed, FIVE, FOUR)
    left = import_tab(managed, FIVE)

    assert lines_of(managed) == {"echo-five": FIVE, "echo-four": FOUR}
    assert left == {"echo-four": "it is in the file no longer: clawctl job remove echo-four"}


def test_a_line_stays_one_job_when_others_come_beside_it(managed: Managed) -> None:
    import_tab(managed, FIVE)
    left = import_tab(managed, FOUR, FIVE)

    assert (lines_of(managed), left) == ({"echo": FIVE, "echo-four": FOUR}, {})


def test_a_new_line_takes_no_name_that_a_line_has_already(managed: Managed) -> None:
    import_tab(managed, FIVE)
    import_tab(managed, FIVE, "0 4 * * * echo")

    assert lines_of(managed) == {"echo": FIVE, "echo-2": "0 4 * * * echo"}


def test_a_job_that_somebody_changed_is_found_and_left(managed: Managed) -> None:
    import_tab(managed, FIVE, FOUR)
    managed.change("echo-five", [Change(("timeout",), Op.SET, "30s")])
    left = import_tab(managed, FIVE)

    assert left["echo-five"] == "it was changed since it was imported: left as it is"
    assert list(managed.jobs) == ["echo-five", "echo-four"]


@given(first=LINES, then=LINES)
def test_after_an_update_each_line_of_the_file_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], then: list[str]
) -> None:
    managed = Managed(str(tmp_path_factory.getbasetemp() / "none"), as_root=False)
    import_tab(managed, *first)
    left = import_tab(managed, *then)

    kept = [line for name, line in lines_of(managed).items() if name not in left]
    assert sorted(kept) == sorted(then)
    before = lines_of(managed)
    assert import_tab(managed, *then) == left
    assert lines_of(managed) == before


def test_a_name_that_the_file_gives_is_that_job(managed: Managed) -> None:
    one, two = ({"command": word, "origin": FILE} for word in ("one", "two"))
    for tables in ({"a": one, "b": two}, {"a": two, "b": one}):
        assert renewal.placed(managed, tables, ()) == {"a": "a", "b": "b"}
        renewal.renew(managed, tables, "")

    assert [managed.jobs[name]["command"] for name in "ab"] == ["two", "one"]


def test_what_an_older_claw_imported_is_marked_when_the_file_says_the_same(
    managed: Managed,
) -> None:
    managed.jobs["a"] = {"origin": FILE, "command": "one"}
    managed.jobs["b"] = {"origin": FILE, "command": "one"}
    words = {"a": "one", "b": "two"}
    tables = {name: {"command": word, "origin": FILE} for name, word in words.items()}
    left = renewal.renew(managed, tables, "")

    assert list(left) == ["b"]
    assert "an older claw imported it" in left["b"]
    assert "clawctl job remove b" in left["b"]
    assert [provenance.is_untouched(managed.jobs[name]) for name in "ab"] == [True, False]
    assert (
        renewal.renew(managed, {**tables, "a": {"command": "new", "origin": FILE}}, "") == left
    )
    assert managed.jobs["a"]["command"] == "new"


def test_a_job_made_by_hand_that_says_the_same_stays_its_makers(managed: Managed) -> None:
    managed.add("a", {"command": "one"}, origin="cli:7")
    assert renewal.renew(managed, {"a": {"command": "one", "origin": FILE}}, "") == {}

    assert managed.jobs["a"] == {"origin": "cli:7", "command": "one"}
    left = renewal.renew(managed, {"a": {"command": "two", "origin": FILE}}, "")
    assert left == {"a": "it did not come from that file: left as it is"}


def test_an_update_with_jobs_of_no_file_adds_and_says_what_is_there(managed: Managed) -> None:
    assert renewal.renew(managed, {"a": {"command": "one"}}, "cli:7") == {}
    assert managed.jobs["a"] == {"origin": "cli:7", "command": "one"}

    left = renewal.renew(managed, {"a": {"command": "two"}}, "cli:7")
    assert left["a"].startswith("it is there already: left as it is")
