import os
import socket as sockets
import threading
from pathlib import Path

import pytest

from claw import errors
from claw.client import connection as connections
from claw.client.connection import Connection, LostConnectionError
from claw.kernel import peer
from claw.wire import control
from claw.wire.control import Request
from tests.kit.control_server import ControlServer, Session, answering


def test_a_result_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with ControlServer(path, answering({"job.status": {"jobs": []}})) as server:
        with Connection(str(path)) as connection:
            result = connection.ask("job.status", {"targets": ["web"]})
            pid = connection.pid

        assert result == {"jobs": []}
        assert server.requests[0].params == {"targets": ["web"]}
        assert pid == os.getpid()


def test_an_error_comes_back_as_itself_and_the_connection_lives_on(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    gone = errors.NotFoundError("there is no job 'x'", hint="clawctl status lists them")
    with (
        ControlServer(path, answering({"job.stop": gone, "hello": {}})),
        Connection(str(path)) as connection,
    ):
        with pytest.raises(errors.NotFoundError) as caught:
            connection.ask("job.stop", {})

        assert caught.value.hint == "clawctl status lists them"
        assert connection.ask("hello", {}) == {}


def test_notifications_that_come_before_the_answer_are_kept(tmp_path: Path) -> None:
    def answer(request: Request, session: Session) -> None:
        session.send(
            control.encode_notification("event", {"cursor": 1}),
            control.encode_result(request.id, {}),
            control.encode_notification("event", {"cursor": 2}),
        )

    path = tmp_path / "control.sock"
    with ControlServer(path, answer), Connection(str(path)) as connection:
        connection.ask("event.subscribe", {})
        told = [connection.next_message(10) for _ in range(2)]

    cursors = [one.params["cursor"] for one in told if isinstance(one, control.Notification)]
    assert cursors == [1, 2]


def test_no_notification_in_time_is_none(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with ControlServer(path, answering({})), Connection(str(path)) as connection:
        assert connection.next_message(0.01) is None


def test_a_path_of_any_length_is_reached(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    path = folder / "control.sock"
    with (
        ControlServer(path, answering({"hello": {"ok": True}})),
        Connection(str(path)) as connection,
    ):
        assert connection.ask("hello", {}) == {"ok": True}


def test_no_socket_says_how_to_start_the_daemon(tmp_path: Path) -> None:
    with pytest.raises(errors.UnreachableError) as caught:
        Connection(str(tmp_path / "control.sock"))

    assert "not running" in caught.value.message
    assert "clawctl daemon start" in caught.value.hint


def test_a_project_that_is_not_up_says_up(tmp_path: Path) -> None:
    with pytest.raises(errors.UnreachableError) as caught:
        Connection(str(tmp_path / ".claw/run/control.sock"))

    assert "clawctl up" in caught.value.hint


def test_a_socket_that_nobody_serves_is_told_apart(tmp_path: Path) -> None:
    path = str(tmp_path / "control.sock")
    with sockets.socket(sockets.AF_UNIX) as left:
        left.bind(path)

    with pytest.raises(errors.UnreachableError, match="nobody listens"):
        Connection(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_socket_is_denied(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with ControlServer(path, answering({})):
        path.chmod(0)
        with pytest.raises(errors.DeniedError):
            Connection(str(path))


def test_a_server_of_another_user_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control.sock"
    monkeypatch.setattr(peer, "credentials", lambda _socket: (1, os.geteuid() + 1, 0))

    with ControlServer(path, answering({})), pytest.raises(errors.DeniedError):
        Connection(str(path))


def test_a_master_that_dies_mid_request_is_said_to_have(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with (
        ControlServer(path, lambda _request, session: session.hang_up()),
        Connection(str(path)) as connection,
        pytest.raises(LostConnectionError) as caught,
    ):
        connection.ask("job.status", {})

    assert "hung up while it was asked for job.status" in caught.value.message
    assert caught.value.exit_status == 7


def test_what_the_master_says_before_it_hangs_up_is_heard(tmp_path: Path) -> None:
    def answer(_request: Request, session: Session) -> None:
        session.send(control.encode_error(None, errors.SaturatedError("256 connections")))
        session.hang_up()

    path = tmp_path / "control.sock"
    with (
        ControlServer(path, answer),
        Connection(str(path)) as connection,
        pytest.raises(errors.SaturatedError),
    ):
        connection.ask("job.status", {})


def test_a_master_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control.sock"
    monkeypatch.setattr(connections, "PATIENCE_S", 0.05)
    with (
        ControlServer(path, lambda _request, _session: None),
        Connection(str(path)) as connection,
        pytest.raises(errors.UnreachableError, match=r"did not answer job\.status"),
    ):
        connection.ask("job.status", {}, 0.05)


def test_a_full_backlog_is_given_up(tmp_path: Path) -> None:
    path = str(tmp_path / "control.sock")
    with sockets.socket(sockets.AF_UNIX) as server:
        server.bind(path)
        server.listen(0)
        held = [Connection(path)]
        with pytest.raises(errors.UnreachableError, match="cannot be reached"):
            held.extend(Connection(path, patience_s=0.05) for _ in range(10))
        for one in held:
            one.close()


def test_an_answer_in_pieces_is_put_together(tmp_path: Path) -> None:
    def answer(request: Request, session: Session) -> None:
        line = control.encode_result(request.id, {"text": "ü" * 1000})
        for at in range(0, len(line), 7):
            session.send(line[at : at + 7])

    path = tmp_path / "control.sock"
    with ControlServer(path, answer), Connection(str(path)) as connection:
        assert connection.ask("hello", {}) == {"text": "ü" * 1000}


def test_garbage_from_the_server_is_a_protocol_error(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with (
        ControlServer(path, lambda _request, session: session.send(b"\xff\n")),
        Connection(str(path)) as connection,
        pytest.raises(errors.ProtocolError),
    ):
        connection.ask("hello", {})


def test_a_request_larger_than_the_socket_buffer_is_sent_whole(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    taken = threading.Event()

    def answer(request: Request, session: Session) -> None:
        taken.set()
        session.reply(request, len(request.params["text"]))

    with ControlServer(path, answer), Connection(str(path)) as connection:
        assert connection.ask("hello", {"text": "x" * 900_000}) == 900_000
    assert taken.is_set()
