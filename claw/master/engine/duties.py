"""Duties: what should have happened by now, found in the database and nowhere else.

Nothing here asks the ticker what it knows: a ticker that is stuck, or wrong, is what is
looked for. `look` only reads; `judge` raises and resolves, in a transaction, by what it finds
then. Each job is looked at when something of it can have become late, not before.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from claw.master.engine import alerts, conditions, pools, sla, slots
from claw.master.engine.turn import Turn
from claw.model import gates
from claw.model.alerts import TICKER, Alert, AlertKind
from claw.model.gates import Standing
from claw.model.job import Config, Job, JobType
from claw.model.run import Run
from claw.model.units import format_duration
from claw.store.records import Tx

OVERDUE_AFTER_S = 300.0
"""How late a slot may be whose job says nothing of that."""
ROWLESS_S = 60.0
"""A slot that has no row by then has been forgotten: the ticker writes it within moments."""
AGAIN_S = 15.0
"""How often it is looked at what is late."""
SCORE_S = 60.0
"""How often it is looked at whether a promise is kept again that was broken."""
_TIMED = frozenset({JobType.SCHEDULED, JobType.ONESHOT})
_FOUND_HERE = frozenset({AlertKind.OVERDUE, AlertKind.STALE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look at a job has found.

    Attributes:
        job: Its name.
        late: What is late, in words, by kind of alert.
        rowless: The first slot that should have a row and has none.
        calm: What a service that failed is steady again of, as its alerts say.
        next_at: When to look again; None: nothing of it can become late.
        is_news: Whether alerts have to be raised or resolved.
    """

    job: str
    late: dict[AlertKind, str] = field(default_factory=dict)
    rowless: datetime | None = None
    calm: tuple[str, ...] = ()
    next_at: datetime | None = None
    is_news: bool = False


def look(tx: Tx, config: Config, names: Collection[str], now: datetime) -> list[Finding]:
    """Look at some jobs, without changing anything."""
    began_text = tx.meta(slots.BEGAN)
    began = datetime.fromisoformat(began_text) if began_text else now
    found = []
    for name in names:
        job, standing = config.job(name), tx.standing(name)
        if job is not None and standing is not None:
            found.append(_Look(tx, job, standing, now, began).finding())
    return found


def judge(turn: Turn, names: Collection[str]) -> list[Finding]:
    """Look at some jobs, and raise and resolve their alerts by it."""
    found = look(turn.tx, turn.config, names, turn.now)
    for one in found:
        for kind in _FOUND_HERE:
            if kind in one.late:
                alerts.raise_alert(turn, kind, one.job, None, one.late[kind])
            else:
                alerts.resolve(turn, kind, one.job, "it is late no more")
        sla.tell(turn, turn.job(one.job))
        for about in one.calm:
            why = "it has been up for as long as restart.reset_after"
            alerts.resolve(turn, AlertKind.FAILED, one.job, why, about=about)
    return found


def tell_ticker(turn: Turn, rowless: Sequence[Finding]) -> None:
    """Say of the ticker that it does not do its work, or does it again."""
    if not rowless:
        alerts.resolve(turn, TICKER, None, "every slot has its row again")
        return
    first = rowless[0]
    text = (
        f"The ticker is stuck: {len(rowless)} jobs have a slot that nobody has written a row"
        f" for, as {first.job} that of {first.rowless:%Y-%m-%d %H:%M:%S} UTC. See clawctl"
        " daemon logs, then clawctl daemon restart"
    )
    alerts.raise_alert(turn, TICKER, None, None, text)


class _Look:
    """One look at one job."""

    def __init__(
        self, tx: Tx, job: Job, standing: Standing, now: datetime, began: datetime
    ) -> None:
        self._tx = tx
        self._job = job
        self._standing = standing
        self._now = now
        self._began = began  # what was due before the present master could act is not late
        self._rowless: datetime | None = None
        self._times: list[datetime] = []  # when something may become late

    def finding(self) -> Finding:
        late: dict[AlertKind, str] = {}
        if self._job.type in _TIMED:
            text = self._overdue()
            if text is not None and self._wants_overdue():
                late[AlertKind.OVERDUE] = text
        text = self._stale()
        if text is not None:
            late[AlertKind.STALE] = text
        promise_is_news = self._promise()
        standing = self._tx.standing_alerts(self._job.name)
        calm = tuple(self._calm(standing))
        if late or self._rowless is not None:
            self._times.append(self._now + timedelta(seconds=AGAIN_S))
        told = {one.kind for one in standing if one.kind in _FOUND_HERE}
        return Finding(
            job=self._job.name,
            late=late,
            rowless=self._rowless,
            calm=calm,
            next_at=min(self._times, default=None),
            is_news=promise_is_news or bool(calm) or told != set(late),
        )

    # -- slots --------------------------------------------------------------------------------

    def _wants_overdue(self) -> bool:
        if self._job.overdue_after_s is not None:
            return self._job.overdue_after_s > 0
        return self._job.alerts.wants(AlertKind.OVERDUE)

    def _overdue(self) -> str | None:
        """Return which slot is late: one without a row, or one whose run still waits."""
        after_s = self._job.overdue_after_s
        after = timedelta(seconds=OVERDUE_AFTER_S if after_s is None else after_s)
        again = self._tx.timing(self._job.name).again_through
        slot = slots.next_slot(self._job, self._standing, self._now, again)
        text = None
        if slot is not None:
            since = max(slot, self._began)
            if self._is_past(since + timedelta(seconds=ROWLESS_S)):
                self._rowless = slot
            if self._is_past(since + after):
                text = f"the slot {_clock(slot)} has no row: nobody has looked at it"
        run = self._tx.oldest_waiting_slot(self._job.name)
        if run is not None and self._is_held_back():
            self._times.append(self._now + timedelta(seconds=SCORE_S))
        elif run is not None:
            since = max(run.due_at, run.queued_at)
            if self._is_past(since + after) and text is None:
                text = self._waits(run, since)
        if text is None:
            return None
        return f"{self._job.name} is overdue: {text}: clawctl why {self._job.name}"

    def _is_held_back(self) -> bool:
        """Tell whether an operator wants that nothing of the job begins."""
        is_closed = gates.closed(self._standing) is not None
        return is_closed or bool(pools.of_run(self._tx, self._job))

    def _waits(self, run: Run, since: datetime) -> str:
        span = format_duration(round((self._now - since).total_seconds()))
        slot = _clock(run.slot_at or run.due_at)
        return f"the run of slot {slot} waits for {span}: {run.waiting_for or 'its turn'}"

    def _is_past(self, at: datetime) -> bool:
        """Tell whether a time has come; if not, the job is looked at then."""
        if at <= self._now:
            return True
        self._times.append(at)
        return False

    # -- successes ----------------------------------------------------------------------------

    def _stale(self) -> str | None:
        """Return that a job has not succeeded for too long, whatever keeps it from that."""
        within_s = self._job.success_within_s
        if within_s is None:
            return None
        last = self._tx.last_success(self._job.name)
        since = self._standing.added_at
        if last is not None and last.ended_at is not None:
            since = last.ended_at
        if not self._is_past(since + timedelta(seconds=within_s)):
            return None
        closed = gates.closed(self._standing)
        how = "last" if last else "never since it was added,"
        what_to_do = f"; it is {closed}" if closed else f": clawctl why {self._job.name}"
        return (
            f"{self._job.name} has not succeeded for {format_duration(within_s)}"
            f" (success_within): {how} {_clock(since)}{what_to_do}"
        )

    # -- promises -----------------------------------------------------------------------------

    def _promise(self) -> bool:
        """Tell whether the score of a promise says something else than its alerts do."""
        if self._job.sla is None:
            return False
        if sla.findings(self._tx, self._job, self._now):  # time alone mends it
            self._times.append(self._now + timedelta(seconds=SCORE_S))
        return sla.is_news(self._tx, self._job, self._now)

    # -- services -----------------------------------------------------------------------------

    def _calm(self, standing: Sequence[Alert]) -> Iterator[str]:
        """Yield what alerts of failures are about that are over."""
        if self._job.type is not JobType.CONTINUOUS:
            return
        for alert in standing:
            run = self._tx.run(alert.run) if alert.run else None
            if alert.kind != AlertKind.FAILED or run is None:
                continue
            attempt = self._tx.attempt(run.id, run.attempt)
            calm = timedelta(seconds=self._job.restart.reset_after_s)
            began = attempt.started_at if attempt and conditions.is_up(run, attempt) else None
            if began is None:
                self._times.append(self._now + calm + timedelta(seconds=1))
            elif self._is_past(began + calm):
                yield alert.about


def _clock(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
