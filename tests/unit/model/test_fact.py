"""Journal lines as facts: what is not understood says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import fact

LINES: list[dict[str, object]] = [
    {"ev": "launch", "at": 1.5, "run": "r1", "attempt": 1, "job": "j", "boot": "b", "pid": 1,
     "start": 2, "slot": "2026-01-01T00:00:00+01:00"},
    {"ev": "started", "at": 1, "attempt": 1, "pid": 5, "start": 6},
    {"ev": "spawn_failed", "at": 1, "attempt": 1, "stage": "exec", "error": "no"},
    {"ev": "stopping", "at": 1, "attempt": 1, "why": "stop", "by": "me"},
    {"ev": "exited", "at": 1, "attempt": 1, "code": 0, "signal": None, "cpu_s": 1},
    {"ev": "restarting", "at": 1, "attempt": 2, "until": 3.5, "restarts": 1},
    {"ev": "ended", "at": 1, "attempt": 1, "why": "exit"},
    {"ev": "taken_over", "at": 1, "pid": 1, "start": 2},
]  # fmt: skip


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line["ev"]))
def test_every_kind_of_line_is_understood(line: dict[str, object]) -> None:
    found = fact.parse(line)
    assert found is not None
    assert type(found).__name__.lower() in {
        "launched", "started", "spawnfailed", "stopping", "exited", "restarting", "ended",
        "takenover",
    }  # fmt: skip


@given(st.sampled_from(LINES), st.data())
def test_a_line_with_a_part_missing_or_of_another_type_never_raises(
    line: dict[str, object], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(sorted(line)))
    junk: st.SearchStrategy[object] = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just([])
    )
    changed = {**line, key: data.draw(junk)}
    fact.parse(changed)
    del changed[key]
    fact.parse(changed)


def test_unknown_lines_and_numbers_beyond_the_database_say_nothing() -> None:
    assert fact.parse({"ev": "dancing", "at": 1}) is None
    assert fact.parse({}) is None
    assert (
        fact.parse({"ev": "started", "at": 1, "attempt": 1 << 70, "pid": 1, "start": 1}) is None
    )
    assert (
        fact.parse({"ev": "started", "at": 1e300, "attempt": 1, "pid": 1, "start": 1}) is None
    )


def test_text_that_is_no_utf_8_is_mended() -> None:
    line = {"ev": "spawn_failed", "at": 1, "attempt": 1, "stage": "exec", "error": "x\udcff"}
    found = fact.parse(line)
    assert isinstance(found, fact.SpawnFailed)
    assert found.error.encode() == b"x?"
