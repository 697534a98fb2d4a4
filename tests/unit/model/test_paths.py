"""Patterns of paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model.paths import pattern_of, problem, resolved


@pytest.mark.parametrize(
    ("text", "path", "is_meant"),
    [
        ("/in/*.csv", "/in/a.csv", True),
        ("/in/*.csv", "/in/.a.csv", False),
        ("/in/.*.csv", "/in/.a.csv", True),
        ("/in/*.csv", "/in/sub/a.csv", False),
        ("/in/*.csv", "/inn/a.csv", False),
        ("/in/**/*.csv", "/in/a.csv", True),
        ("/in/**/*.csv", "/in/x/y/a.csv", True),
        ("/in/**/*.csv", "/in/.git/a.csv", False),
        ("/in/**", "/in/x/a", True),
        ("/in", "/in", True),
        ("/in", "/in/a", True),
        ("/in/", "/in/a", True),
        ("/in", "/in/x/a", False),
        ("/in/*/new/m?", "/in/box/new/m1", True),
        ("/in/*/new/m?", "/in/box/old/m1", False),
        ("/in/[ab].x", "/in/b.x", True),
        ("/*", "/a", True),
    ],
)
def test_a_path_is_meant_part_by_part(text: str, path: str, is_meant: bool) -> None:
    assert pattern_of(text).matches(path) is is_meant


@pytest.mark.parametrize(
    ("text", "path"),
    [("/in/*.csv", "/in/x/a.csv"), ("/in", "/in/x/y/a"), ("/in/a/*.c", "/in/a/b/c.c")],
)
def test_recursive_means_all_folders_below(text: str, path: str) -> None:
    assert not pattern_of(text).matches(path)
    assert pattern_of(text, is_recursive=True).matches(path)


@pytest.mark.parametrize("text", ["", "/in/*/../x", "/in/a**b"])
def test_what_leads_nowhere_is_refused(text: str) -> None:
    assert problem(text)


def test_relative_ones_start_from_a_folder() -> None:
    assert resolved("../src/./**/*.py", "/srv/app/etc") == "/srv/app/src/**/*.py"
    assert resolved("//a/b", "/x") == "/a/b"


_NAME = st.sampled_from(["a", "b.c", ".h", "x", "new"])
_PART = st.sampled_from(["*", "**", "?", "a", "b.*", ".h", "new"])


@given(st.lists(_PART, min_size=1, max_size=4), st.lists(_NAME, min_size=1, max_size=5))
def test_every_folder_on_the_way_to_what_is_meant_leads_there(
    parts: list[str], names: list[str]
) -> None:
    pattern = pattern_of("/" + "/".join(parts))
    path = "/" + "/".join(names)
    if pattern.matches(path):
        folder = path
        while len(folder) > max(len(pattern.base), 1):
            folder = folder.rpartition("/")[0] or "/"
            assert pattern.leads(folder), folder
