import itertools
from pathlib import Path
from typing import Any

import pytest

from claw import errors
from claw.client import follow
from claw.client.follow import follow_events, follow_logs
from claw.model import home
from claw.wire import control
from claw.wire.control import Request
from tests.kit.control_server import ControlServer, Session


class EventLog:
    """Serves events 1 to 9, and misbehaves after each few as the script says."""

    def __init__(self, *mishaps: str) -> None:
        self._mishaps = list(mishaps)

    def __call__(self, request: Request, session: Session) -> None:
        after = request.params.get("from", 4)
        session.reply(request, {"subscription": 1, "cursor": after})
        mishap = self._mishaps.pop(0) if self._mishaps else ""
        for cursor in range(after + 1, after + 3 if mishap else 10):
            session.send(
                control.encode_notification("event", {"subscription": 1, "cursor": cursor})
            )
        if mishap == "hang up":
            session.hang_up()
        elif mishap == "mistake":
            session.send(control.encode_notification("end", {"reason": "internal error"}))
        elif mishap:
            told = {"subscription": 1, "resume_from": 99, "reason": "the disk is full"}
            session.send(control.encode_notification(mishap, told))


def serving(folder: Path, answer: Any) -> ControlServer:
    (folder / "run").mkdir()
    return ControlServer(folder / "run/control.sock", answer)


def test_events_come_without_gap_or_repeat_over_restarts_and_lags(tmp_path: Path) -> None:
    notes: list[str] = []
    with serving(tmp_path, EventLog("hang up", "lagged", "hang up")):
        events = follow_events(home.at_folder(str(tmp_path)), 0, {}, notes.append)
        cursors = [event["cursor"] for event in itertools.islice(events, 9)]
        events.close()

    assert cursors == list(range(1, 10))
    assert notes == [follow.GONE, follow.BACK] * 2


def test_without_a_cursor_the_stream_begins_where_the_master_says(tmp_path: Path) -> None:
    with serving(tmp_path, EventLog("hang up")) as server:
        events = follow_events(
            home.at_folder(str(tmp_path)), None, {"job": "web"}, lambda _: None
        )
        cursors = [event["cursor"] for event in itertools.islice(events, 5)]
        events.close()

        assert cursors == [5, 6, 7, 8, 9]
        assert [request.params.get("from") for request in server.requests] == [None, 6]
        assert server.requests[1].params["filter"] == {"job": "web"}


def test_a_stream_that_ends_since_the_store_could_not_be_read_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_PAUSE_S", 0.0)
    notes: list[str] = []
    with serving(tmp_path, EventLog("end", "end")):
        events = follow_events(home.at_folder(str(tmp_path)), 0, {}, notes.append)
        cursors = [event["cursor"] for event in itertools.islice(events, 9)]
        events.close()

    assert cursors == list(range(1, 10))
    assert notes == ["the disk is full: trying again"] * 2


def test_a_stream_that_the_master_ends_is_an_error(tmp_path: Path) -> None:
    with (
        serving(tmp_path, EventLog("mistake")),
        pytest.raises(errors.InternalError),
    ):
        list(follow_events(home.at_folder(str(tmp_path)), 0, {}, lambda _: None))


def test_no_master_at_first_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.UnreachableError):
        next(follow_events(home.at_folder(str(tmp_path)), 0, {}, lambda _: None))


def test_output_goes_on_from_its_cursors_and_ends_with_its_run(tmp_path: Path) -> None:
    chunks = iter(["a:1", "a:2", "", "a:3", "end"])

    def answer(request: Request, session: Session) -> None:
        session.reply(request, {"subscription": 1})
        for cursor in chunks:
            log = {"job": "a", "stream": "stdout", "text": "x\n", "cursor": cursor}
            if cursor == "end":
                session.send(control.encode_notification("end", {"reason": "succeeded"}))
            elif not cursor:
                session.hang_up()
                return
            else:
                session.send(control.encode_notification("log", log))

    with serving(tmp_path, answer) as server:
        asked = {"targets": ["a"], "lines": 5}
        logs = list(follow_logs(home.at_folder(str(tmp_path)), asked, lambda _: None))

        assert [log["cursor"] for log in logs] == ["a:1", "a:2", "a:3"]
        assert "from" not in server.requests[0].params
        assert server.requests[1].params["from"] == ["a:2"]
