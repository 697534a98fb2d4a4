"""Conditions on what a run prints: looked for in all of it, as it is, before its end."""

from pathlib import Path

import pytest
import trio

from claw.master.engine.histories import Spool
from claw.master.reaper import Reaper
from claw.master.supervision import evidence
from claw.model import condition
from claw.model.condition import SEARCHED_BYTES
from claw.model.evidence import Evidence, Evidences
from claw.model.home import Home, at_folder
from claw.model.job import Config
from claw.model.redact import Redactor
from claw.model.trigger import On, Trigger
from claw.wire import supervision
from tests.kit.desk import job

RUN = "r" + "0" * 26


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "log/a").mkdir(parents=True)
    return at_folder(str(tmp_path))


def _config(*texts: str) -> Config:
    children = (
        job(f"c{no}", trigger=Trigger(after=("a",), on=On.COMPLETE, when=condition.parse(text)))
        for no, text in enumerate(texts)
    )
    return Config(jobs=(job("a"), *children))


def _journal(home: Home, out: bytes, err: bytes = b"") -> bytes:
    for word, data in (("out", out), ("err", err)):
        Path(f"{home.job_log('a')}/{RUN}.{word}").write_bytes(data)
    lines = (
        {"ev": "launch", "run": RUN, "attempt": 1, "job": "a", "kind": "once"},
        {"ev": "exited", "run": RUN, "attempt": 1, "out": [0, len(out)], "err": [0, len(err)]},
        {"ev": "ended", "run": RUN, "attempt": 1, "why": "exit"},
    )
    return b"".join(supervision.encode({**line, "at": 1.0, "b": 1.0}) for line in lines)


async def _found(home: Home, config: Config, data: bytes) -> Evidence:
    """Have a journal applied, and return the evidence that came with it."""
    found: list[Evidence] = []

    async def apply(_sid: str, data: bytes, offset: int, evidences: Evidences) -> int:
        found.extend(evidences.values())
        return offset + len(data)

    reaper = Reaper()
    one = evidence.Evidencing(home, lambda: config, None, apply, reaper, Redactor())  # type: ignore[arg-type]
    await one.apply("s", data, 0)
    with trio.fail_after(30):
        while reaper._own:  # noqa: ASYNC110  its process is reaped
            await trio.sleep(0.01)
    return found[0]


async def test_both_streams_and_their_ends_are_looked_at(home: Home) -> None:
    config = _config("contains:far", "contains:last", "regex:^err \\d$", "regex:^ut", "exit:1")
    out = b"out\n" + b"x" * (SEARCHED_BYTES - 10) + b"far\n"
    out += b"y" * SEARCHED_BYTES + b"\nlast"
    found = await _found(home, config, _journal(home, out, b"so\nerr 1\n"))
    assert found.met == ("contains:far", "contains:last", "regex:^err \\d$")
    assert not found.unsearched


async def test_bytes_that_are_no_text_hide_nothing(home: Home) -> None:
    config = _config("contains:ok", "regex:^ok$")
    found = await _found(home, config, _journal(home, b"\xff\xfe\n\0\nok\n"))
    assert found.met == ("contains:ok", "regex:^ok$")


async def test_an_expression_that_takes_too_long_is_not_met_and_that_is_said(
    home: Home,
) -> None:
    config = _config("regex:(x+x+)+y", "contains:xxx")
    found = await _found(home, config, _journal(home, b"x" * 200))
    assert found.met == ("contains:xxx",)
    assert found.remarks == ["not searched for, it took too long: (x+x+)+y"]


def test_nothing_is_read_for_conditions_of_others() -> None:
    config = Config(jobs=(job("a"), job("b"), *_config("contains:x").jobs[1:]))
    assert config.conditions_on("b") == ()
    assert [one.text for one in config.conditions_on("a")] == ["contains:x"]


async def test_a_journal_that_is_read_whole_tells_what_was_met(home: Home) -> None:
    config = _config("contains:ok")
    data = _journal(home, b"ok\n")
    one = evidence.Evidencing(home, lambda: config, None, None, Reaper(), Redactor())  # type: ignore[arg-type]
    (spool,) = await one.look_into([Spool("s", data)])
    assert spool.evidences(data)[RUN, 1].met == ("contains:ok",)
