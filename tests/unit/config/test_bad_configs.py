"""Every kind of mistake is told with its file, line, key and what to do about it."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit

import pytest

TABLE = Path(__file__).parents[2] / "data/config/bad.txt"
_REPEATED = re.compile(r'<<("[^"]*")\*(\d+)>>')


def _cases() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    blocks = TABLE.read_text(encoding="utf-8").split("\n=== ")[1:]
    for block in blocks:
        name, _, rest = block.partition("\n")
        text, _, expected = rest.partition("\n---\n")
        text = _REPEATED.sub(lambda m: str(ast.literal_eval(m[1])) * int(m[2]), text)
        expected = expected.replace("@NOFILE@", str(getrlimit(RLIMIT_NOFILE)[1]))
        expected = _REPEATED.sub(lambda m: str(ast.literal_eval(m[1])) * int(m[2]), expected)
        yield name, text + "\n", tuple(expected.strip().splitlines())


CASES = list(_cases())


@pytest.mark.parametrize(
    ("text", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_mistake_is_told_with_its_place(
    text: str, expected: tuple[str, ...], refusal: Callable[[str], tuple[str, ...]]
) -> None:
    assert refusal(text) == expected


def test_the_table_holds_many_kinds_of_mistakes() -> None:
    assert len(CASES) > 120
    assert len({name for name, _text, _expected in CASES}) == len(CASES)


def test_every_message_has_a_line_a_key_and_words() -> None:
    for name, _text, expected in CASES:
        for line in expected:
            number, key, words = re.fullmatch(r"(\d+): (?:(\S.*?): )?(.+)", line).groups()  # type: ignore[union-attr]
            assert int(number) > 0, name
            assert key or "unclosed" in words, name
            assert len(words.split()) > 3, name


def test_all_mistakes_come_at_once(refusal: Callable[[str], tuple[str, ...]]) -> None:
    jobs = [text for _name, text, _expected in CASES if _is_one_job(text)]
    parts = [text.replace("jobs.web", f"jobs.j{index}") for index, text in enumerate(jobs)]

    told = refusal("".join(parts))

    assert len(told) >= len(jobs) > 50
    named = {re.search(r"jobs\.(j\d+)", line)[1] for line in told}  # type: ignore[index]
    assert named == {f"j{index}" for index in range(len(jobs))}
    numbers = [int(line.partition(":")[0]) for line in told]
    assert numbers == sorted(numbers)


def _is_one_job(text: str) -> bool:
    try:
        tables = tomllib.loads(text) if len(text) < 200 else {}
    except tomllib.TOMLDecodeError:
        return False
    return text.startswith("[jobs.web]") and list(tables.get("jobs", {})) == ["web"]
