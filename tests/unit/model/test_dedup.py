"""What makes two runs of a job the same."""

import pytest

from claw.model import dedup
from claw.model.dedup import Dedup


def _key(key: str, args: list[str], env: dict[str, str] | None = None) -> str:
    return dedup.key_of(Dedup(60, key), args, env or {}, {"REGION": "eu", "A": "1"})


def test_without_a_key_all_arguments_and_variables_of_the_run_count() -> None:
    assert _key("", ["x"], {"B": "1"}) == _key("", ["x"], {"B": "1"})
    assert _key("", ["x"]) != _key("", ["y"])
    assert _key("", ["x"]) != _key("", ["x"], {"B": "1"})


def test_a_key_names_what_counts() -> None:
    assert _key("${1}", ["x", "1"]) == _key("${1}", ["x", "2"]) != _key("${1}", ["y", "1"])
    assert _key("${*}", ["x", "y"]) != _key("${*}", ["x y"])
    assert _key("${REGION}", []) != _key("${REGION}", [], {"REGION": "us"})
    assert _key("${3}", ["x"]) == _key("${NONE}", [])


@pytest.mark.parametrize("key", ["${}", "${0}", "${a b}", "x${1"])
def test_a_key_that_stands_for_nothing_is_refused(key: str) -> None:
    assert dedup.key_problem(key)
    assert dedup.key_problem("a ${1} ${*} ${NAME} $5 {x}") is None
