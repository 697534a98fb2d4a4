"""A configuration, however mangled, is either read or refused, and nothing else."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claw.config.load import load
from claw.errors import ConfigError
from claw.model.job import Config
from tests.kit.chance import examples

GOOD = (Path(__file__).parents[2] / "data/config/good.toml").read_bytes()
_LINES = GOOD.splitlines(keepends=True)
_VALUES = sorted(set(re.findall(rb"= (.+)", GOOD)))
_ODD = [
    b"1e999",
    b"-1",
    b"nan",
    b"0x" + b"f" * 400,
    b'""',
    b'"\\u0000"',
    b'"' + b"a" * 3000 + b'"',
    b"[[[]]]",
    b"{}",
    b"{ a = { b = [ 1 ] } }",
    b"0001-01-01T00:00:00+23:59",
    b"07:32:00",
    b'"* * * * *"',
    b'"${secret:X}"',
    b"[1, true, 'x', []]",
]

mangling = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=examples(150),
)


def _survives(raw: bytes, folder: Path) -> None:
    path = folder / "claw.toml"
    path.write_bytes(raw)

    outcome = _outcome(path)

    if isinstance(outcome, ConfigError):
        assert outcome.diagnostics
        for line in outcome.diagnostics:
            assert line.startswith((str(path), "... and "))
            assert line.isprintable()
            assert len(line) < 1000


def _outcome(path: Path) -> Config | ConfigError:
    try:
        return load(str(path), env={"TZ": "UTC"})
    except ConfigError as error:
        return error


def test_the_good_one_is_good(tmp_path: Path) -> None:
    path = tmp_path / "claw.toml"
    path.write_bytes(GOOD)

    assert len(load(str(path), env={"TZ": "UTC"}).jobs) == 6


@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.binary(max_size=12))
@mangling
def test_bytes_that_are_replaced(tmp_path: Path, at: int, count: int, new: bytes) -> None:
    _survives(GOOD[:at] + new + GOOD[at + count :], tmp_path)


@given(st.integers(0, len(GOOD)))
@mangling
def test_a_file_that_is_cut_off(tmp_path: Path, at: int) -> None:
    _survives(GOOD[:at], tmp_path)


@given(st.lists(st.sampled_from(_LINES), max_size=len(_LINES)))
@mangling
def test_lines_that_are_lost_doubled_and_shuffled(tmp_path: Path, lines: list[bytes]) -> None:
    _survives(b"".join(lines), tmp_path)


@given(
    st.lists(
        st.tuples(st.integers(0, len(_LINES) - 1), st.sampled_from(_VALUES + _ODD)),
        min_size=1,
        max_size=4,
    )
)
@mangling
def test_values_that_belong_to_other_keys(
    tmp_path: Path, changes: list[tuple[int, bytes]]
) -> None:
    lines = list(_LINES)
    for index, value in changes:
        key, equals, _old = lines[index].partition(b" = ")
        if equals:
            lines[index] = key + equals + value + b"\n"
    _survives(b"".join(lines), tmp_path)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b"a = " + b"[" * 100_000,
        b"a = " + b"{a=" * 100_000,
        b"a." * 100_000 + b"a = 1",
        b"[" + b"a." * 100_000 + b"a]",
        b'"a".' * 100_000 + b"a = 1",
        b"'a' . " * 100_000 + b"a = 1",
        b"a = {" + b"b." * 100_000 + b"b = 1}",
        b"a = '" + b"b." * 100_000 + b"'",
        b"a" * 1_000_000,
        b'a = "' + b"b" * 1_000_000,
        b'a = """' + b'""b' * 300_000,
        b"\n" * 1_000_000 + b"x",
        b"#" * 1_000_000,
        b"a = " + b"9" * 1_000_000,
        b"a = 0x" + b"f" * 1_000_000,
        b"a = 1" + b"0" * 5000 + b"-01-01",
        b"\xff" * 100_000,
        b"\x00" * 100_000,
        b"[jobs]\n" + b"".join(b"j%d = 1\n" % number for number in range(5_000)),
        b"[jobs.a]\ncommand = 'x'\ntags = [" + b"'a'," * 100_000 + b"]",
    ],
    ids=lambda raw: f"{raw[:12]!r}x{len(raw)}",
)
def test_giant_and_endless_files(tmp_path: Path, raw: bytes) -> None:
    _survives(raw, tmp_path)
