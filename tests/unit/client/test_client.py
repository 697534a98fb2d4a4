import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw import errors
from claw.client import client as clients
from claw.client.client import Client
from claw.client.connection import LostConnectionError
from claw.model import home
from claw.wire.control import Request
from tests.kit.control_server import PATIENCE_S, Answer, ControlServer, Session, answering


@contextlib.contextmanager
def serving(folder: Path, answer: Answer) -> Iterator[ControlServer]:
    (folder / "run").mkdir(exist_ok=True)
    with ControlServer(folder / "run/control.sock", answer) as server:
        yield server


class DiesOnce:
    """Hangs up at the first request of each method named, and answers the next."""

    def __init__(self, *methods: str) -> None:
        self._methods = set(methods)

    def __call__(self, request: Request, session: Session) -> None:
        if request.method in self._methods:
            self._methods.discard(request.method)
            session.hang_up()
        else:
            session.reply(request, {"done": request.method})


def test_what_changes_something_carries_a_request_id(tmp_path: Path) -> None:
    with serving(tmp_path, answering({"job.start": {}})) as server:
        with Client.connect(home.at_folder(str(tmp_path))) as client:
            client.call("job.start", targets=["web"])
            client.call("job.start", targets=["web"])
            client.call("job.start", targets=["web"], request_id="mine")

        ids = [request.params["request_id"] for request in server.requests]
        assert len(set(ids)) == 3
        assert ids[2] == "mine"


def test_what_only_reads_carries_none(tmp_path: Path) -> None:
    with serving(tmp_path, answering({"job.status": {}})) as server:
        with Client(home.at_folder(str(tmp_path))) as client:
            client.call("job.status", targets=None)

        assert server.requests[0].params == {}


def test_a_change_is_repeated_once_with_the_same_id_after_a_lost_connection(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, DiesOnce("job.start")) as server:
        with Client(home.at_folder(str(tmp_path))) as client:
            result = client.call("job.start", targets=["web"])

        first, second = server.requests
        assert result == {"done": "job.start"}
        assert first.params == second.params


def test_a_change_that_is_lost_twice_is_given_up(tmp_path: Path) -> None:
    with serving(tmp_path, lambda _request, session: session.hang_up()) as server:
        with (
            Client(home.at_folder(str(tmp_path))) as client,
            pytest.raises(LostConnectionError),
        ):
            client.call("job.start", targets=["web"])

        assert len(server.requests) == 2


def test_the_end_of_the_master_is_asked_for_only_once(tmp_path: Path) -> None:
    with serving(tmp_path, lambda _request, session: session.hang_up()) as server:
        with (
            Client(home.at_folder(str(tmp_path))) as client,
            pytest.raises(LostConnectionError),
        ):
            client.call("daemon.stop")

        assert len(server.requests) == 1


def test_a_lost_read_is_an_error_and_the_next_call_connects_anew(tmp_path: Path) -> None:
    with (
        serving(tmp_path, DiesOnce("job.status")),
        Client(home.at_folder(str(tmp_path))) as client,
    ):
        with pytest.raises(LostConnectionError):
            client.call("job.status")

        assert client.call("job.status") == {"done": "job.status"}


def test_a_change_outlives_a_master_that_is_replaced(tmp_path: Path) -> None:
    old = contextlib.ExitStack()
    stopper: list[threading.Thread] = []

    def die(_request: Request, _session: Session) -> None:
        stopper.append(threading.Thread(target=replace))
        stopper[0].start()

    def replace() -> None:
        old.close()
        new.enter_context(serving(tmp_path, answering({"job.stop": {"results": []}})))

    with contextlib.ExitStack() as new:
        old.enter_context(serving(tmp_path, die))
        with Client(home.at_folder(str(tmp_path))) as client:
            assert client.call("job.stop", targets=["web"]) == {"results": []}
        stopper[0].join(PATIENCE_S)


def test_a_master_that_stays_away_is_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "RECONNECT_S", 0.05)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(tmp_path, lambda _request, _session: None))
        client = stack.enter_context(Client(home.at_folder(str(tmp_path))))

        def die() -> None:
            server.arrived.get(timeout=PATIENCE_S)
            server.stop()

        thread = threading.Thread(target=die)
        thread.start()
        with pytest.raises(errors.UnreachableError, match="none has come in its place"):
            client.call("job.stop", targets=["web"])
        thread.join(PATIENCE_S)


def test_a_wait_goes_on_under_the_next_master(tmp_path: Path) -> None:
    with serving(tmp_path, DiesOnce("run.wait")) as server:
        with Client(home.at_folder(str(tmp_path))) as client:
            result = client.wait("web", "running", 60)

        first, second = server.requests
        assert result == {"done": "run.wait"}
        assert first.params["for"] == second.params["for"] == "running"
        assert second.params["timeout_s"] <= first.params["timeout_s"] <= 60


def test_a_stream_has_a_connection_of_its_own(tmp_path: Path) -> None:
    results = {"event.subscribe": {"subscription": 1, "cursor": 9}, "hello": {}}
    with (
        serving(tmp_path, answering(results)),
        Client(home.at_folder(str(tmp_path))) as client,
        client.stream("event.subscribe") as stream,
    ):
        assert stream.reply["cursor"] == 9
        assert client.call("hello") == {}
        assert stream.next(0.01) is None
