"""The line of every key path is found, without a parser that tells it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from claw.config.locate import Path as KeyPath
from claw.config.locate import locate

ROOT = Path(__file__).parents[3]
NASTY = ROOT / "tests/data/config/toml/nasty.toml"
REAL = [ROOT / "pyproject.toml", *sorted((ROOT / "tests/data/config").rglob("*.toml"))]


def _paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, (*path, index))


@pytest.mark.parametrize("file", REAL, ids=lambda file: file.name)
def test_the_paths_found_are_those_that_are_there(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert locate(text).paths() == set(_paths(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("path", "start"),
    [
        (("top",), "\ttop ="),
        (("quoted key",), '"quoted key"'),
        (('literal "key"',), "'literal"),
        (("escaped", "dotted", "bare"), '"esc'),
        (("",), '"" ='),
        (("multi",), "multi ="),
        (("literal",), "literal ="),
        (("after",), "after ="),
        (("numbers", 0), "  1, 2,"),
        (("numbers", 2), "  3, #"),
        (("nested", 1, 1), "nested ="),
        (("nested", 2), "''' ], []]"),
        (("inline", "b c", 1, "d"), "inline ="),
        (("table",), "[ table ]"),
        (("table", "sub table", "x"), '[table."sub table"'),
        (("table", "sub table", "x", "y", "w"), "  y.w"),
        (("array",), "[[array]]"),
        (("array", 2, "name"), 'name = "third"'),
        (("array", 0, "nested", 1, "deep"), "deep = 2"),
        (("array", 0, "nested", 1, "table", "deep"), "deep = 3"),
        (("array", 2, "other", "x"), "x = 1"),
        (("implied",), "[implied.by.name]"),
        (("implied", "later"), "later ="),
    ],
)
def test_a_path_stands_where_it_is_first_named(path: KeyPath, start: str) -> None:
    text = NASTY.read_text(encoding="utf-8")

    line = locate(text).of(path)

    assert text.splitlines()[line - 1].startswith(start)


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    lines = locate("\n[jobs.web]\ncommand = 1\n")

    assert lines.of(("jobs", "web", "log", "mode")) == 2
    assert lines.of(("pools",)) == 1


_KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5)
_SCALARS = st.one_of(
    st.booleans(), st.integers(-(2**63), 2**63), st.text(max_size=12), st.floats(), st.dates()
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5), st.booleans())
def test_whatever_is_written_is_found(tables: dict[str, object], multiline: bool) -> None:
    text = tomli_w.dumps(tables, multiline_strings=multiline).replace("\r", "")

    assert locate(text).paths() == set(_paths(tomllib.loads(text)))


@given(st.text(alphabet='ab.=[]{}",\'\n\\ #"1', max_size=60))
def test_no_text_makes_it_fail_or_hang(text: str) -> None:
    lines = locate(text)

    assert all(1 <= lines.of(path) <= text.count("\n") + 1 for path in lines.paths())
