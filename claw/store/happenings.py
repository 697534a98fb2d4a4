"""The rows of events that came in, and of watched files; part of `claw.store.records.Tx`."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from claw.model import ids
from claw.model.happening import Bridge, Happening, Source
from claw.model.watching import Known, Version
from claw.store import rows
from claw.store.statements import Statements


class HappeningRows(Statements):
    """See the module."""

    def add_happening(self, one: Happening, key: str | None = None) -> bool:
        """Store an event; False when one of the same key is there."""
        made = self._do(
            "add_happening",
            id=one.id,
            name=one.name,
            data=one.data,
            at=rows.micros(one.at),
            by=one.by,
            source=one.source,
            run=one.run,
            key=key,
        )
        return made.rowcount == 1

    def happening(self, event: str) -> Happening | None:
        """Return the event of that id."""
        row = self._one("happening", id=event)
        return None if row is None else _happening(row)

    def has_happening(self, key: str) -> bool:
        """Tell whether an event of that key is there."""
        return self._one("happening_of_key", key=key) is not None

    def count_happenings(self, by: str, since: datetime, limit: int) -> int:
        """Return how many events somebody has told of since a time, or `limit`."""
        first = ids.event_id(int(since.timestamp() * 1000), bytes(10))
        return self._number("count_happenings", by=by, since=first, limit=limit) or 0

    def prune_happenings(self, before: datetime, limit: int) -> int:
        """Forget events from before a time that no run answers to; return how many."""
        first = ids.event_id(int(before.timestamp() * 1000), bytes(10))
        return self._do("prune_happenings", before=first, limit=limit).rowcount

    def put_bridge(self, one: Bridge) -> None:
        """Store a token for events."""
        self._do(
            "put_bridge",
            id=one.id,
            patterns=json.dumps(one.patterns),
            by=one.by,
            at=rows.micros(one.at),
            expires_at=rows.micros(one.expires_at),
        )

    def bridge(self, token_id: str) -> Bridge | None:
        """Return the token for events of that id."""
        row = self._one("bridge", id=token_id)
        return None if row is None else _bridge(row)

    def bridges(self) -> tuple[Bridge, ...]:
        """Return all tokens for events, oldest first."""
        return tuple(_bridge(row) for row in self._do("bridges"))

    def delete_bridge(self, token_id: str) -> bool:
        """Forget a token for events; False when there is none of that id."""
        return self._do("delete_bridge", id=token_id).rowcount == 1


class WatchedRows(Statements):
    """See the module."""

    def put_watched(self, job: str, known: Known, at: datetime) -> None:
        """Store what is known of a file that a job watches."""
        self._do(
            "put_watched",
            job=job,
            path=known.path,
            inode=known.version.inode,
            mtime_ns=known.version.mtime_ns,
            size=known.version.size,
            ctime_ns=known.version.ctime_ns,
            seen_at=rows.micros(at),
            gone_at=rows.micros(at) if known.is_gone else None,
            waiting=known.waiting or None,
        )

    def watched(self, job: str, path: str) -> Known | None:
        """Return what is known of one file."""
        row = self._one("watched", job=job, path=path)
        return None if row is None else _known(row)

    def watched_page(self, job: str, after: str, limit: int) -> Sequence[Known]:
        """Return what is known of a job's files, in the order of their paths."""
        return [
            _known(row) for row in self._do("watched_page", job=job, after=after, limit=limit)
        ]

    def watched_waiting(self, limit: int) -> Sequence[tuple[str, Known]]:
        """Return files that have no run yet, each with its job, the longest seen first."""
        found = self._ask("watched_waiting", limit=limit)
        return [(row["job"], _known(row)) for row in found]

    def done_watched(self, job: str, path: str) -> None:
        """Note that a file has its run."""
        self._do("done_watched", job=job, path=path)

    def delete_watched(self, job: str, path: str) -> None:
        """Forget a file."""
        self._do("delete_watched", job=job, path=path)

    def forget_watched(self, job: str) -> None:
        """Forget all files of a job, and since when it watched them."""
        self._do("delete_all_watched", job=job)
        self._do("delete_watches", job=job)

    def prune_watched(self, before: datetime, limit: int) -> int:
        """Forget files that are gone since before a time; return how many."""
        return self._do("prune_watched", before=rows.micros(before), limit=limit).rowcount

    def put_watch(self, job: str, path: str, since: datetime) -> None:
        """Note since when a job watches a path, unless that is known."""
        self._do("put_watch", job=job, path=path, since=rows.micros(since))

    def watches(self, job: str) -> dict[str, datetime]:
        """Return since when a job watches its paths."""
        found = self._do("watches", job=job)
        return {row["path"]: rows.instant(row["since"]) for row in found}

    def jobs_with_watches(self) -> tuple[str, ...]:
        """Return the jobs that watch something, or did until now."""
        return tuple(row["job"] for row in self._do("jobs_with_watches"))

    def delete_watch(self, job: str, path: str) -> None:
        """Forget that a job watched a path."""
        self._do("delete_watch", job=job, path=path)


def _happening(row: sqlite3.Row) -> Happening:
    return Happening(
        id=row["id"],
        name=row["name"],
        data=row["data"],
        at=rows.instant(row["at"]),
        by=row["by"],
        source=Source(row["source"]),
        run=row["run"],
    )


def _bridge(row: sqlite3.Row) -> Bridge:
    return Bridge(
        id=row["id"],
        patterns=tuple(json.loads(row["patterns"])),
        by=row["by"],
        at=rows.instant(row["at"]),
        expires_at=rows.instant(row["expires_at"]),
    )


def _known(row: sqlite3.Row) -> Known:
    return Known(
        path=row["path"],
        version=Version(row["inode"], row["mtime_ns"], row["size"], row["ctime_ns"]),
        is_gone=row["gone_at"] is not None,
        waiting=row["waiting"] or "",
    )
