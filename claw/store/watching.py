"""Alerts and pings in the store; a part of `claw.store.records.Tx`."""

import sqlite3
from datetime import datetime

from claw.model.alerts import Alert
from claw.model.effect import PingAsked
from claw.model.pings import Ping, PingKind
from claw.model.run import Run
from claw.store import rows
from claw.store.layout import Row, Value
from claw.store.statements import Statements


class WatchRows(Statements):
    """What is stored of what goes wrong, or does not happen."""

    def insert_alert(self, alert: Alert) -> None:
        """Store an alert."""
        self._do("insert_alert", **_row_of(alert))

    def repeat_alert(self, alert_id: int, text: str, run: str | None, at: datetime) -> None:
        """Note that what an alert is about has happened again."""
        self._do("repeat_alert", id=alert_id, text=text, run=run, at=rows.micros(at))

    def standing_alerts(self, job: str | None) -> tuple[Alert, ...]:
        """Return the alerts of a job, or of the daemon (None), that are not over."""
        return tuple(map(_alert_of, self._ask("standing_alerts", job=job)))

    def all_standing_alerts(self) -> tuple[Alert, ...]:
        """Return the alerts that are not over, noted or not, oldest first."""
        return self._alerts("all_standing_alerts")

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return those that are not over and that nobody has noted, oldest first."""
        return self._alerts("open_alerts")

    def alerts(self, limit: int = 100) -> tuple[Alert, ...]:
        """Return all alerts, newest first."""
        return self._alerts("alerts", limit=limit)

    def alert(self, alert_id: int) -> Alert | None:
        """Return the alert of that number."""
        return next(iter(self._alerts("alert", id=alert_id)), None)

    def ack_alert(self, alert_id: int, at: datetime) -> None:
        """Note that somebody has taken note of an alert."""
        self._do("ack_alert", id=alert_id, at=rows.micros(at))

    def resolve_alert(self, alert_id: int, at: datetime) -> None:
        """Note that an alert is over."""
        self._do("resolve_alert", id=alert_id, at=rows.micros(at))

    def prune_alerts(self, before: datetime, limit: int) -> int:
        """Forget alerts that were over before a time, and return how many."""
        return self._do("prune_alerts", before=rows.micros(before), limit=limit).rowcount

    def oldest_waiting_slot(self, job: str) -> Run | None:
        """Return the run of a slot that was due first and has not begun; not for its hours."""
        row = self._one("oldest_waiting_slot", job=job)
        return None if row is None else rows.RUNS.value(row)

    def ask_ping(self, asked: PingAsked, at: datetime) -> None:
        """Note that a job's switch is to be told something; it was the last thing so far."""
        self._do("ask_ping", job=asked.job, run=asked.run, kind=asked.kind, at=rows.micros(at))

    def put_ping_made(self, asked: PingAsked, at: datetime, problem: str | None) -> None:
        """Note how a call went, unless another one has been asked for since."""
        self._do(
            "put_ping_made",
            job=asked.job,
            run=asked.run,
            kind=asked.kind,
            at=rows.micros(at),
            problem=problem,
        )

    def unmade_pings(self) -> tuple[Ping, ...]:
        """Return the calls that are still to be made."""
        return tuple(_ping_of(row) for row in self._do("unmade_pings"))

    def pings(self, job: str | None = None) -> dict[str, Ping]:
        """Return the last call of one job or all, by job."""
        found = self._do("pings") if job is None else self._do("ping", job=job)
        return {row["job"]: _ping_of(row) for row in found}

    def delete_ping(self, job: str) -> None:
        """Forget the calls of a job that is no longer defined."""
        self._do("delete_ping", job=job)

    def _alerts(self, name: str, /, **values: Value) -> tuple[Alert, ...]:
        return tuple(_alert_of(row) for row in self._do(name, **values))


def _row_of(alert: Alert) -> Row:
    return {
        "kind": alert.kind,
        "job": alert.job,
        "run": alert.run,
        "about": alert.about,
        "text": alert.text,
        "at": rows.micros(alert.at),
    }


def _alert_of(row: sqlite3.Row) -> Alert:
    return Alert(
        id=row["id"],
        kind=row["kind"],
        job=row["job"],
        run=row["run"],
        about=row["about"],
        text=row["text"],
        at=rows.instant(row["at"]),
        last_at=rows.instant_or_none(row["last_at"]),
        times=row["times"],
        acked_at=rows.instant_or_none(row["acked_at"]),
        resolved_at=rows.instant_or_none(row["resolved_at"]),
    )


def _ping_of(row: sqlite3.Row) -> Ping:
    return Ping(
        job=row["job"],
        run=row["run"],
        kind=PingKind(row["kind"]),
        asked_at=rows.instant(row["asked_at"]),
        done_at=rows.instant_or_none(row["done_at"]),
        problem=row["problem"],
    )
