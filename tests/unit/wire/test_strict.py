import pytest

from claw.wire import strict


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', "1e999", "-1e999"])
def test_what_only_python_reads_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no number of JSON|too large"):
        strict.parse(text)


def test_other_numbers_are_what_they_say() -> None:
    assert strict.parse("[1, -2.5, 1e3, 0.1]") == [1, -2.5, 1000.0, 0.1]
