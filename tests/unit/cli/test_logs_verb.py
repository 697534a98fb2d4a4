"""`logs` asks for what its options mean, and shows lines as they are wanted."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from claw.wire import control
from claw.wire.control import Request
from tests.kit.control_server import Session
from tests.unit.cli.conftest import Serve, Typed

NINE = "2026-11-21T09:00:00+00:00"
AT = "2026-11-21T09:00:00.000+00:00"


def answering(*logs: dict[str, Any]) -> Any:
    def answer(request: Request, session: Session) -> None:
        session.reply(request, {"subscription": 1})
        for log in logs:
            body = {"job": "web", "run": None, "stream": "stdout", "cursor": "c", **log}
            session.send(control.encode_notification("log", body))
        session.send(control.encode_notification("end", {"reason": "read"}))

    return answer


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (["--timestamps"], {"lines": 100, "times": True, "stop": True}),
        (["--since", "2026-11-21T10:00+01:00"], {"since": NINE, "stop": True}),
        (
            ["--until", "2026-11-21T09:00Z", "-n", "7"],
            {"lines": 7, "until": NINE, "stop": True},
        ),
        (["-f", "--since", "2026-11-21T09:00Z"], {"since": NINE}),
        (["--grep", "x"], {"since": "1970-01-01T00:00:00+00:00", "stop": True}),
        (["--grep", "x", "-f"], {"lines": 10}),
    ],
)
def test_options_are_asked_for(
    clawctl: Typed, serve: Serve, words: Sequence[str], asked: dict[str, Any]
) -> None:
    server = serve(answering({"text": "x\n"}))

    status, out, _err = clawctl("logs", "web", *words)

    assert (status, out) == (0, f"{'- ' * ('--timestamps' in words)}x\n")
    assert server.requests[0].params == {"targets": ["web"], "stream": "both", **asked}


def test_only_lines_that_fit_are_shown_whatever_their_pieces(
    clawctl: Typed, serve: Serve
) -> None:
    pieces = ("an er", "ror\nfine\nanother err", "or\nerror at the end")
    serve(answering(*({"text": text} for text in pieces)))

    assert clawctl("logs", "web", "--grep", "err")[1] == (
        "an error\nanother error\nerror at the end\n"
    )
    assert clawctl("logs", "web", "--grep", "err", "-n", "1")[1] == "error at the end\n"
    assert clawctl("logs", "*", "--grep", "fine")[1] == "web | fine\n"
    [shown] = clawctl("logs", "web", "--grep", "fine", "--json")[1].splitlines()
    assert json.loads(shown)["text"] == "fine"


def test_half_a_line_of_one_stream_takes_in_nothing_of_the_other(
    clawctl: Typed, serve: Serve
) -> None:
    pieces = (("stdout", "no "), ("stdout", "end"), ("stderr", "e1\n"), ("stdout", "o2\n"))
    serve(answering(*({"stream": name, "text": text} for name, text in pieces)))

    since = ("--since", "2026-11-21T09:00Z")
    assert clawctl("logs", "web", *since)[1] == "no end\ne1\no2\n"


def test_a_job_says_how_its_lines_are_shown(clawctl: Typed, serve: Serve) -> None:
    serve(
        answering(
            {"text": "a\n", "at": AT, "timestamps": True},
            {"text": "b\n", "at": AT, "job": "api", "format": "json"},
            {"text": "c\n", "job": "plain"},
        )
    )

    stamped, shaped, plain = clawctl("logs", "-f")[1].splitlines()

    assert stamped == f"web | {AT} a"
    assert json.loads(shaped) == {
        "at": AT, "job": "api", "run": None, "stream": "stdout", "text": "b",
    }  # fmt: skip
    assert plain.endswith("| c")


def test_files_that_were_missed_are_told_beside_the_output(
    clawctl: Typed, serve: Serve
) -> None:
    serve(answering({"text": "a\n"}, {"text": "b\n", "missed": 3}))

    _status, out, err = clawctl("logs", "web", "-f")

    assert out == "a\nb\n"
    assert "3 files of 'web' were removed" in err
