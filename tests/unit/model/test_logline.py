"""Lines that come in pieces are put together, each output for itself, and shaped."""

import json

from hypothesis import given
from hypothesis import strategies as st

from claw.model import logline
from claw.model.logline import LineOfOutput, LineSplitter


def piece(text: str, *, job: str = "web", at: str | None = None) -> dict[str, object]:
    return {"job": job, "run": None, "stream": "stdout", "text": text, "at": at}


@given(pieces=st.lists(st.text(st.sampled_from("ab\n"), max_size=6), max_size=30))
def test_lines_are_those_of_the_whole_text(pieces: list[str]) -> None:
    splitter = LineSplitter()

    lines = [line.text for text in pieces for line in splitter.feed(piece(text))]
    lines += [line.text for line in splitter.rest()]

    assert lines == "".join(pieces).split("\n")[: len(lines)]
    assert "\n".join(lines) == "".join(pieces).removesuffix("\n")


def test_outputs_do_not_break_each_others_lines_and_begin_with_their_first_time() -> None:
    splitter = LineSplitter()

    assert splitter.feed(piece("beg", at="1")) == []
    assert splitter.has_begun(piece(""))
    [other] = splitter.feed(piece("other\n", job="api", at="2"))
    [begun, following] = splitter.feed(piece("un\nmore\n", at="3"))

    assert (other.job, other.text) == ("api", "other")
    assert (begun.text, begun.at) == ("begun", "1")
    assert (following.text, following.at) == ("more", "3")
    assert not splitter.has_begun(piece(""))


def test_a_line_without_an_end_does_not_grow_for_ever() -> None:
    splitter, found = LineSplitter(), 0

    for _ in range(40):
        for line in splitter.feed(piece("x" * 100_000)):
            found += len(line.text)

    held = sum(len(line.text) for line in splitter.rest())
    assert found + held == 4_000_000
    assert held <= logline.LONGEST_LINE


def test_a_line_is_shaped() -> None:
    line = LineOfOutput("a b", job="web", run="r1", stream="stderr")
    line.at = "2026-12-24T09:00:00.000+00:00"

    assert line.shaped(timestamps=False, as_json=False) == "a b"
    assert line.shaped(timestamps=True, as_json=False) == f"{line.at} a b"
    assert json.loads(line.shaped(timestamps=True, as_json=True)) == {
        "at": line.at, "job": "web", "run": "r1", "stream": "stderr", "text": "a b",
    }  # fmt: skip
