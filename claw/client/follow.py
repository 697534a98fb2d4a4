"""Following events and output over restarts of the master, without a gap or a repeat."""

from __future__ import annotations

import time

from claw.client.client import await_master
from claw.client.connection import Connection, LostConnectionError
from claw.client.stream import Stream
from claw.errors import InternalError
from claw.kernel import clock
from claw.wire.control import Notification, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from claw.model.home import Home

    Note = Callable[[str], None]

GONE = "the daemon has gone: waiting for it to come back"
BACK = "the daemon is back"
_FOR_EVER_S = float("inf")
_PAUSE_S = 1.0


def notifications(
    home: Home, subscribe: Callable[[Stream], None], note: Note
) -> Generator[Notification | Reply]:
    """Yield what subscriptions send, over restarts of the master, until the caller stops.

    Args:
        home: Whose master.
        subscribe: Subscribes from where reading stands: at first, after each restart of
            the master, and when the master says that the reader lags.
        note: Told when the master goes away and comes back.

    Raises:
        UnreachableError: No master answers at first.
    """
    stream = Stream(Connection(home.control_socket))
    was_lost = False
    try:
        while True:
            try:
                subscribe(stream)
                if was_lost:
                    note(BACK)
                for told in stream:
                    if isinstance(told, Reply) or not _goes_on(told):
                        yield told
                        continue
                    if told.method == "end":  # the store may be read again in a moment
                        note(f"{told.params['reason']}: trying again")
                        time.sleep(_PAUSE_S)
                    subscribe(stream)
            except LostConnectionError:
                stream.close()
                note(GONE)
                was_lost = True
                stream = Stream(await_master(home.control_socket, _FOR_EVER_S))
    finally:
        stream.close()


def _goes_on(told: Notification) -> bool:
    """Tell whether a stream has ended from which it can be gone on."""
    return told.method in {"lagged", "end"} and "resume_from" in told.params


def follow_events(
    home: Home,
    cursor: int | None,
    chosen: dict[str, str],
    note: Note,
    *,
    on_start: Callable[[int], None] = lambda _cursor: None,
) -> Generator[dict[str, Any]]:
    """Yield events after a cursor and then as they happen, until the caller stops.

    Args:
        home: Whose events.
        cursor: Begin after this one; None: with what happens from now on.
        chosen: The ``filter`` of ``event.subscribe``.
        note: Told when the master goes away and comes back.
        on_start: Told the cursor after which the stream begins, when none was given.

    Raises:
        UnreachableError: No master answers at first.
    """

    def subscribe(stream: Stream) -> None:
        nonlocal cursor
        start = {"from": cursor, "filter": chosen or None}
        reply = stream.subscribe("event.subscribe", **start)
        if reply.get("forgotten_through"):
            note(f"events up to {reply['forgotten_through']} are not kept any more")
        if cursor is None:
            cursor = begins_after = reply["cursor"]
            on_start(begins_after)

    for told in notifications(home, subscribe, note):
        if isinstance(told, Reply):
            continue
        if told.method == "end":
            raise InternalError(f"the stream of events ended: {told.params.get('reason')}")
        if told.method == "event":
            cursor = told.params["cursor"]
            yield {name: told.params[name] for name in told.params if name != "subscription"}


class Marks:
    """How far the output of each file has been read.

    Args:
        begun: Cursors from which reading begins.
    """

    __slots__ = ("_begun", "_by_file")

    def __init__(self, begun: Iterable[str] = ()) -> None:
        self._begun = tuple(begun)
        self._by_file: dict[tuple[str, str | None, str], str] = {}

    def note(self, log: dict[str, Any]) -> None:
        """Take in a ``log`` notification that has been shown."""
        if "cursor" in log:
            self._by_file[log["job"], log.get("run"), log.get("stream", "")] = log["cursor"]

    def since(self) -> list[str] | None:
        """Return what ``log.follow`` takes to go on from here; None when nothing came."""
        return [*self._begun, *self._by_file.values()] or None


def follow_logs(home: Home, asked: dict[str, Any], note: Note) -> Generator[dict[str, Any]]:
    """Yield ``log`` notifications until the one run that is followed has ended.

    Args:
        home: Whose output.
        asked: Parameters of ``log.follow``.
        note: Told when the master goes away and comes back.

    Raises:
        UnreachableError: No master answers at first.
    """
    marks = Marks()

    def subscribe(stream: Stream) -> None:
        stream.subscribe("log.follow", **{**asked, "from": marks.since()})

    for told in notifications(home, subscribe, note):
        if isinstance(told, Reply):
            continue
        if told.method == "end":
            return
        if told.method == "log":
            marks.note(told.params)
            yield told.params


def wait_following(
    home: Home,
    awaited: dict[str, Any],
    *,
    lines: int,
    show: Callable[[dict[str, Any]], None],
    note: Note,
) -> dict[str, Any]:
    """Wait until a job or run is so far, and show its output meanwhile.

    Args:
        home: Whose master.
        awaited: Parameters of ``run.wait``.
        lines: So many lines from before to begin with.
        show: Given each ``log`` notification.
        note: Told when the master goes away and comes back.

    Returns:
        What ``run.wait`` answers; of a run that has ended, once its output was shown.

    Raises:
        TimedOutError: It did not happen in time.
        UnreachableError: No master answers at first.
    """
    marks = Marks()
    target, timeout_s = awaited["target"], awaited.get("timeout_s")
    deadline = None if timeout_s is None else clock.monotonic() + timeout_s
    reply: dict[str, Any] | None = None

    def subscribe(stream: Stream) -> None:
        asked = {"targets": [target], "lines": lines, "from": marks.since()}
        stream.subscribe("log.follow", **asked)
        left_s = None if deadline is None else max(0.0, deadline - clock.monotonic())
        stream.begin("run.wait", **{**awaited, "timeout_s": left_s})

    is_over = False
    for told in notifications(home, subscribe, note):
        if isinstance(told, Reply):
            reply = told.result
            # Output of a run that goes on, or of a job, has no end to wait for.
            is_over = is_over or awaited["for"] != "ended" or "id" not in told.result
        elif told.method == "log":
            show(told.params)
            marks.note(told.params)
        is_over = is_over or (isinstance(told, Notification) and told.method == "end")
        if is_over and reply is not None:
            return reply
    raise InternalError("the notifications of a connection have no end of their own")
