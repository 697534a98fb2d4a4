"""The outbox in the store: deliveries and aliases; a part of `claw.store.records.Tx`."""

import sqlite3
from datetime import datetime

from claw.model.delivery import Alias, Delivery, DeliveryKind, DeliveryState
from claw.store import rows
from claw.store.layout import Row, Value
from claw.store.statements import Statements

_MOST = (1 << 63) - 1
_SLACK = 100


class OutboxRows(Statements):
    """What is stored of messages on their way out."""

    def insert_delivery(self, delivery: Delivery) -> int:
        """Store a message and return its number."""
        return self._do("insert_delivery", **_row_of(delivery)).lastrowid or 0

    def update_delivery(self, delivery: Delivery) -> None:
        """Store what has become of a message."""
        row = _row_of(delivery)
        for name in ("kind", "job", "run", "subject", "at"):  # these never change
            del row[name]
        self._do("update_delivery", id=delivery.id, **row)

    def delivery(self, number: int) -> Delivery | None:
        """Return the message of that number."""
        row = self._one("delivery", id=number) if number <= _MOST else None
        return None if row is None else _delivery_of(row)

    def channels_waiting(self) -> tuple[str, ...]:
        """Return the channels for which messages wait."""
        return tuple(row["channel"] for row in self._do("channels_waiting"))

    def lane_heads(self, channel: str) -> tuple[Delivery, ...]:
        """Return of each address the message of a channel that is next."""
        return tuple(_delivery_of(row) for row in self._do("lane_heads", channel=channel))

    def drop_deliveries(self, channel: str, keep: int, at: datetime, problem: str) -> int:
        """Drop the oldest messages that wait beyond a number, and return how many.

        A few more of very many go, so that this is seldom done while each new one is too many.
        """
        if (self._number("span_waiting", channel=channel) or 0) <= keep:
            return 0  # nearly always: there cannot be so many between the first and the last
        if self._surplus(channel, DeliveryState.PENDING, keep) is None:
            return 0
        through = self._surplus(channel, DeliveryState.PENDING, keep - keep // _SLACK)
        count = self._do(
            "drop_deliveries",
            channel=channel,
            through=through,
            at=rows.micros(at),
            problem=problem,
        ).rowcount
        self._do("count_dropped", channel=channel, count=count)
        return count

    def trim_deliveries(self, channel: str, state: DeliveryState, keep: int) -> None:
        """Forget all but the newest messages of a channel that have ended in one way."""
        through = self._surplus(channel, state, keep)
        if through is not None:
            self._do("forget_deliveries", channel=channel, state=state, through=through)

    def _surplus(self, channel: str, state: DeliveryState, keep: int) -> int | None:
        row = self._one("surplus_delivery", channel=channel, state=state, keep=keep)
        return None if row is None else int(row["id"])

    def prune_deliveries(self, before: datetime, limit: int) -> int:
        """Forget messages that were over before a time, and return how many."""
        return self._do("prune_deliveries", before=rows.micros(before), limit=limit).rowcount

    def delete_deliveries_of(self, job: str, limit: int) -> int:
        """Forget the messages about a job, and return how many."""
        return self._do("delete_deliveries_of", job=job, limit=limit).rowcount

    def deliveries_in(
        self, channel: str, state: DeliveryState, after: int, limit: int
    ) -> tuple[Delivery, ...]:
        """Return the messages of a channel in a state, in order, after a number."""
        found = self._do(
            "deliveries_in", channel=channel, state=state, after=after, limit=limit
        )
        return tuple(map(_delivery_of, found))

    def deliveries(
        self,
        *,
        channel: str | None = None,
        state: DeliveryState | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Delivery, ...]:
        """Return messages, newest first, before a number."""
        values: dict[str, Value] = {"channel": channel, "state": state, "limit": limit}
        values["before"] = _MOST if before is None else min(before, _MOST)
        return tuple(map(_delivery_of, self._do("deliveries_page", **values)))

    def delivery_counts(self) -> dict[str, dict[str, int]]:
        """Return how many messages there are, by channel and state."""
        found: dict[str, dict[str, int]] = {}
        for row in self._do("delivery_counts"):
            found.setdefault(row["channel"], {})[row["state"]] = row["count"]
        return found

    def dropped(self) -> dict[str, int]:
        """Return how many messages of each channel were ever dropped."""
        return {row["channel"]: row["count"] for row in self._do("dropped")}

    def put_alias(self, alias: Alias) -> None:
        """Store an alias, new or known."""
        self._do(
            "put_alias",
            name=alias.name,
            channel=alias.channel,
            to=alias.to,
            at=rows.micros(alias.at),
            by=alias.by,
        )

    def alias(self, name: str) -> Alias | None:
        """Return the alias of that name."""
        row = self._one("alias", name=name)
        return None if row is None else _alias_of(row)

    def aliases(self) -> tuple[Alias, ...]:
        """Return all aliases, by name."""
        return tuple(map(_alias_of, self._do("aliases")))

    def delete_alias(self, name: str) -> bool:
        """Forget an alias; False when there is none."""
        return self._do("delete_alias", name=name).rowcount == 1


def _row_of(delivery: Delivery) -> Row:
    return {
        "channel": delivery.channel,
        "to": delivery.to,
        "kind": delivery.kind,
        "job": delivery.job,
        "run": delivery.run,
        "subject": delivery.subject,
        "body": delivery.body,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "at": rows.micros(delivery.at),
        "next_at": rows.micros(delivery.next_at),
        "done_at": rows.micros_or_none(delivery.done_at),
        "problem": delivery.problem,
    }


def _delivery_of(row: sqlite3.Row) -> Delivery:
    return Delivery(
        id=row["id"],
        channel=row["channel"],
        to=row["to"],
        kind=DeliveryKind(row["kind"]),
        job=row["job"],
        run=row["run"],
        subject=row["subject"],
        body=row["body"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        at=rows.instant(row["at"]),
        next_at=rows.instant(row["next_at"]),
        done_at=rows.instant_or_none(row["done_at"]),
        problem=row["problem"],
    )


def _alias_of(row: sqlite3.Row) -> Alias:
    return Alias(
        name=row["name"],
        channel=row["channel"],
        to=row["to"],
        at=rows.instant(row["at"]),
        by=row["by"],
    )
