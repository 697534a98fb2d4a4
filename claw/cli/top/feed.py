"""A thread with a connection of its own that asks the master what the screen needs to know.

Of a thousand jobs, all are asked for only now and then, those on the screen every second, and
those of which an event tells at once. What takes the master long is asked for less often. No
answer that is late holds up the screen, and a master that goes is waited for.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading

from claw.cli.top import news
from claw.client.connection import Connection
from claw.errors import ClawError, UnreachableError
from claw.kernel import ticks
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from claw.cli.top.news import News, Wishes
    from claw.model.home import Home

    Json = dict[str, Any]

_AGAIN_S = 0.5
_LONG_S = 5.0
_SOON_S = 0.2
_SECOND_S = 1.0
_SLOW_S = 5.0
_SHARE = 20
"""What is asked for again and again takes one part in so many of the master's time at most."""
_SHARE_SOON = 5
"""And one in so many of it what events have hastened."""
_MOST_TOUCHED = 100
_MOST_HEARD = 1000
_LAST_RUNS = 10
_DEAD = 500
_WIDE = ("job.added", "job.removed", "job.changed", "job.scaled", "config.", "daemon.")
"""Events after which there may be other jobs, or other instances."""


class Feed(threading.Thread):
    """Asks until `end`.

    Args:
        home: Whose master.
        tell: Given what is heard, in this thread.
        wishes: What is to be known at first.
    """

    def __init__(self, home: Home, tell: Callable[[News], None], wishes: Wishes) -> None:
        super().__init__(name="top-feed", daemon=True)
        self._path = home.control_socket
        self._tell = tell
        self._wishes = wishes
        self._reads, self._writes = os.pipe()
        self._is_over = False
        self._asked_at: float | None = None
        os.set_blocking(self._writes, False)

    @property
    def silent_s(self) -> float:
        """For how long an answer has been owed."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else ticks.monotonic() - asked_at

    def wish(self, wishes: Wishes) -> None:
        """Ask for other things from now on."""
        if wishes != self._wishes:
            self._wishes = wishes
            self._wake()

    def end(self) -> None:
        """Ask no more; an answer that is awaited is not waited for."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writes, b".")

    def run(self) -> None:
        """Ask, over restarts of the master."""
        while not self._is_over:
            try:
                with Connection(self._path, may_ask=False) as connection:
                    self._serve(connection)
            except ClawError as error:
                self._asked_at = None
                # What to do comes first: a narrow screen cuts off what is wrong.
                self._tell(news.Away("; ".join(filter(None, (error.hint, error.message)))))
                self._pause(_AGAIN_S)
            except Exception as error:  # noqa: BLE001 - else nobody would know that it is over
                self._asked_at = None
                self._tell(news.Away(f"a mistake in claw: {type(error).__name__}: {error}"))
                self._pause(_LONG_S)

    def _pause(self, seconds: float) -> None:
        select.select([self._reads], [], [], seconds)
        self._taken()

    def _taken(self) -> None:
        if select.select([self._reads], [], [], 0)[0]:
            os.read(self._reads, 4096)

    def _serve(self, connection: Connection) -> None:
        """Ask on one connection until it is lost, or nobody wants to know more."""
        asking = _Asking(connection, self._tell, self._note_asked)
        asking.begin()
        while not self._is_over:
            asking.hear()
            asking.ask(self._wishes)
            left_s = asking.left_s(self._wishes)
            if left_s > 0:
                select.select([connection.fileno(), self._reads], [], [], left_s)
            self._taken()

    def _note_asked(self, at: float | None) -> None:
        self._asked_at = at


class _Asking:
    """One connection, and what is to be asked on it when."""

    def __init__(
        self,
        connection: Connection,
        tell: Callable[[News], None],
        note_asked: Callable[[float | None], None],
    ) -> None:
        self._connection = connection
        self._tell = tell
        self._note_asked = note_asked
        self._wishes = news.Wishes()
        self._due: dict[str, float] = dict.fromkeys(self.QUESTIONS, 0.0)
        self._asked: dict[str, float] = {}
        self._cost_s: dict[str, float] = {}
        self._touched: set[str] = set()
        self._known: set[str] | None = None  # names of jobs; None: not asked yet

    def begin(self) -> None:
        """Say hello, and have events told."""
        self._tell(news.Linked(self._call("hello")))
        self._call("event.subscribe")

    def _call(self, method: str, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        self._note_asked(ticks.monotonic())
        try:
            return self._connection.ask(method, given)
        finally:
            self._note_asked(None)

    # -- what is told unasked ------------------------------------------------------------------

    def hear(self) -> None:
        """Take in the events that have come; of what they tell is asked soon."""
        for _ in range(_MOST_HEARD):
            told = self._connection.next_message(0.0)
            if told is None:
                return
            if not isinstance(told, Notification):
                continue
            if told.method == "event":
                self._heard(told.params)
            else:  # too many at once, or the store was away: everything may be otherwise
                self._call("event.subscribe")
                self._hasten(*self.QUESTIONS)

    def _heard(self, event: Json) -> None:
        kind = str(event["type"])
        if kind.startswith(_WIDE):
            self._hasten("all", "config", "figures")
        if event.get("job"):
            self._touched.add(str(event["job"]))
            self._hasten("some" if len(self._touched) < _MOST_TOUCHED else "all")
        if event.get("run"):
            self._hasten("runs", "dlq")
        about = self._wishes.about
        if about is not None and about[1].split("@")[0] in {event.get("job"), event.get("run")}:
            self._hasten("detail")

    def _hasten(self, *names: str) -> None:
        now = ticks.monotonic()
        for name in names:
            gap_s = _SOON_S if name in {"some", "detail"} else _SECOND_S
            gap_s = max(gap_s, _SHARE_SOON * self._cost_s.get(name, 0.0))
            soon = max(now, self._asked.get(name, 0.0) + gap_s)
            self._due[name] = min(self._due[name], soon)

    # -- what is asked -------------------------------------------------------------------------

    def ask(self, wishes: Wishes) -> None:
        """Ask for what is due."""
        self._note_wishes(wishes)
        for name, (question, period_s, tab) in self.QUESTIONS.items():
            if not self._is_wanted(name, tab) or self._due[name] > ticks.monotonic():
                continue
            begun = ticks.monotonic()
            is_first = self._known is None
            self._put(name, question)
            now = ticks.monotonic()
            self._asked[name], self._cost_s[name] = now, now - begun
            cost_s = 0.0 if is_first else _SHARE * (now - begun)
            self._due[name] = now + max(_SECOND_S if is_first else period_s, cost_s)

    def _put(self, name: str, question: Callable[[_Asking], None]) -> None:
        try:
            question(self)
        except UnreachableError:
            raise
        except ClawError as error:
            self._refused(name, error)

    def left_s(self, wishes: Wishes) -> float:
        """Return how long nothing is due."""
        if wishes != self._wishes:
            return 0.0
        due = [
            self._due[name]
            for name in self.QUESTIONS
            if self._is_wanted(name, self.QUESTIONS[name][2])
        ]
        return max(min(due) - ticks.monotonic(), 0.0)

    def _is_wanted(self, name: str, tab: str) -> bool:
        if name == "detail":
            return self._wishes.about is not None
        if name == "some":
            return self._known is not None and bool(self._touched or self._wishes.names)
        return tab in {"", self._wishes.tab}

    def _note_wishes(self, wishes: Wishes) -> None:
        before, self._wishes = self._wishes, wishes
        if wishes.again != before.again:
            self._due = dict.fromkeys(self.QUESTIONS, 0.0)
        if wishes.about != before.about:
            self._due["detail"] = 0.0
        if (wishes.runs_of, wishes.runs) != (before.runs_of, before.runs):
            self._due["runs"] = 0.0
        if wishes.tab != before.tab:
            self._hasten("runs", "dlq", "config")
        if set(wishes.names) - set(before.names):
            self._hasten("some")

    def _refused(self, name: str, error: ClawError) -> None:
        hint = f": {error.hint}" if error.hint else ""
        text = f"{error.message}{hint}"
        if name == "detail" and self._wishes.about is not None:
            self._tell(news.Detail(self._wishes.about, {"error": text}))
        elif name == "some":  # one of them has gone meanwhile
            self._touched.clear()
            self._due["all"] = 0.0
        else:
            self._tell(news.Done(text, is_error=True))

    def _all(self) -> None:
        # First without what they use, which takes longer: something is to be seen soon.
        is_first = self._known is None
        reply = self._call("job.status", verbose=None if is_first else True)
        self._known = {one["job"] for one in reply["jobs"]}
        self._tell(news.Jobs(reply, is_all=True, at=ticks.monotonic()))

    def _some(self) -> None:
        touched = self._touched if len(self._touched) < _MOST_TOUCHED else set()
        names = sorted({*(touched & (self._known or set())), *self._wishes.names})
        self._touched.clear()
        if names:
            reply = self._call("job.status", targets=names, verbose=True)
            self._tell(news.Jobs(reply, is_all=False, at=ticks.monotonic()))

    def _figures(self) -> None:
        daemon = self._call("daemon.status")
        self._tell(news.Figures(daemon, self._call("alert.list")["alerts"]))

    def _runs(self) -> None:
        wishes = self._wishes
        reply = self._call("run.list", job=wishes.runs_of or None, limit=wishes.runs)
        self._tell(news.Table("runs", reply["runs"], reply["next"] is not None))

    def _dead(self) -> None:
        reply = self._call("dlq.list", limit=_DEAD)
        self._tell(news.Table("dlq", reply["runs"], reply["next"] is not None))

    def _config(self) -> None:
        self._tell(news.Table("config", self._call("job.list")["jobs"]))

    def _detail(self) -> None:
        about = self._wishes.about
        if about is None:
            return
        kind, name = about
        parts: Json = {}
        if kind == "job":
            parts["job.why"] = self._call("job.why", target=name)
            parts["job.status"] = self._call("job.status", targets=[name], verbose=True)
            job = name.partition("@")[0]
            parts["run.list"] = self._call("run.list", job=job, limit=_LAST_RUNS)
            parts["job.definition"] = self._call("job.definition", job=job)
        elif kind == "run":
            parts["run.show"] = self._call("run.show", run=name)
        elif kind == "definition":
            parts["job.definition"] = self._call("job.definition", job=name)
        else:
            parts["config.reload"] = self._call("config.reload", dry_run=True)
        self._tell(news.Detail(about, parts))

    QUESTIONS: ClassVar[dict[str, tuple[Callable[[_Asking], None], float, str]]] = {
        "all": (_all, _SLOW_S, ""),
        "detail": (_detail, _SLOW_S, ""),
        "some": (_some, _SECOND_S, ""),
        "runs": (_runs, _SLOW_S, "runs"),
        "figures": (_figures, _SLOW_S, ""),
        "dlq": (_dead, _SLOW_S, ""),
        "config": (_config, _SLOW_S, "config"),
    }
    """What is asked, how often at most, and for which tab; '' for all, in this order."""
