import itertools

from hypothesis import given
from hypothesis import strategies as st

from claw.wire.lines import LineSplitter


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(
    st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"")), max_size=12),
    st.binary(max_size=12),
    st.lists(st.integers(0, 400), max_size=30),
)
def test_any_way_of_cutting_gives_the_same_lines(
    lines: list[bytes], rest: bytes, places: list[int]
) -> None:
    data = b"".join(line + b"\n" for line in lines) + rest.replace(b"\n", b"")
    whole, pieces = LineSplitter(limit=8), LineSplitter(limit=8)

    at_once = whole.feed(data)
    piecewise = [line for part in cut(data, places) for line in pieces.feed(part)]

    assert at_once == piecewise
    assert at_once[: len(lines)] == [line if len(line) <= 8 else None for line in lines]
    assert whole.is_mid_line is pieces.is_mid_line


def test_a_line_of_exactly_the_limit_passes() -> None:
    assert LineSplitter(limit=4).feed(b"abcd\n") == [b"abcd"]


def test_a_line_over_the_limit_is_reported_before_it_ends_and_only_once() -> None:
    splitter = LineSplitter(limit=4)

    assert splitter.feed(b"abcde") == [None]
    assert splitter.feed(b"f" * 100) == []
    assert splitter.feed(b"g\nok\n") == [b"ok"]


def test_an_over_long_line_holds_no_memory() -> None:
    splitter = LineSplitter(limit=4)

    splitter.feed(b"x" * 1_000_000)

    assert len(splitter._held) == 0
    assert splitter.is_mid_line


def test_a_half_line_is_known_as_one() -> None:
    splitter = LineSplitter()
    seen = [splitter.is_mid_line]

    for part in (b"half", b"\n"):
        splitter.feed(part)
        seen.append(splitter.is_mid_line)

    assert seen == [False, True, False]


def test_empty_lines_are_lines() -> None:
    assert LineSplitter().feed(b"\n\na\n") == [b"", b"", b"a"]
