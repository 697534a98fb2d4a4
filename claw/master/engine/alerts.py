"""Raising and resolving alerts: the one way in, for whatever notices something.

Both are idempotent: of a kind, a job and what it is about there is at most one alert that
stands, and a second occurrence only counts. Each change appends an event.
"""

from collections.abc import Callable

from claw.errors import NotFoundError
from claw.master.engine.turn import Turn
from claw.model.alerts import CONDITIONS, Alert
from claw.model.event import Event

RAISED, RESOLVED = "alert.raised", "alert.resolved"


def raise_alert(
    turn: Turn, kind: str, job: str | None, run: str | None, text: str, *, about: str = ""
) -> bool:
    """Say something until somebody takes note of it or it is over.

    Whether a job wants to be told of a kind is for the caller to know: `Job.wants`.

    Args:
        turn: The decision.
        kind: What kind of thing: `claw.model.alerts.AlertKind`, or a word of one's own.
        job: Whose; None: of the daemon as a whole.
        run: Of which run, if of one.
        text: What is wrong, and what to type.
        about: Which of several things of the kind: an instance.

    Returns:
        Whether it is news: False when such an alert stands already.
    """
    known = _standing(turn, kind, job, about)
    if known is not None:
        turn.tx.repeat_alert(known.id, text, run, turn.now)
        return False
    alert = Alert(kind=kind, job=job, run=run, about=about, text=text, at=turn.now)
    turn.tx.insert_alert(alert)
    turn.tx.append_event(Event(at=turn.now, type=RAISED, job=job, run=run, new=kind, why=text))
    return True


def resolve(turn: Turn, kind: str, job: str | None, why: str, *, about: str = "") -> bool:
    """Say that a condition is over; False: no such alert stands.

    Args:
        turn: The decision.
        kind: As it was raised.
        job: As it was raised.
        why: What has ended it.
        about: As it was raised.
    """
    known = _standing(turn, kind, job, about)
    if known is not None:
        _resolve(turn, known, why)
    return known is not None


def resolve_those(turn: Turn, job: str, why: str, is_over: Callable[[Alert], bool]) -> int:
    """Say that some conditions of a job are over, and return how many stood."""
    over = [alert for alert in turn.tx.standing_alerts(job) if is_over(alert)]
    for alert in over:
        _resolve(turn, alert, why)
    return len(over)


def resolve_all(turn: Turn, job: str, why: str) -> None:
    """Say that all that is wrong with a job is over: there is no such job any more."""
    resolve_those(turn, job, why, lambda _alert: True)


def ack(turn: Turn, alert_id: int) -> bool:
    """Take note of an alert; False when that was done before, or it is over.

    Raises:
        NotFoundError: There is no alert of that number.
    """
    alert = turn.tx.alert(alert_id) if alert_id <= _MOST else None
    if alert is None:
        raise NotFoundError(
            f"there is no alert {alert_id}", hint="clawctl alerts list lists them"
        )
    if alert.acked_at is not None or alert.resolved_at is not None:
        return False
    turn.tx.ack_alert(alert.id, turn.now)
    if alert.kind not in CONDITIONS:
        _resolve(turn, alert, "noted")
    return True


def _standing(turn: Turn, kind: str, job: str | None, about: str) -> Alert | None:
    found = turn.tx.standing_alerts(job)
    return next((one for one in found if (one.kind, one.about) == (kind, about)), None)


def _resolve(turn: Turn, alert: Alert, why: str) -> None:
    turn.tx.resolve_alert(alert.id, turn.now)
    turn.tx.append_event(
        Event(at=turn.now, type=RESOLVED, job=alert.job, run=alert.run, old=alert.kind, why=why)
    )


_MOST = (1 << 63) - 1
