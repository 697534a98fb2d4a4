"""``event.*``: what has happened, stored and live.

One query serves both: rows after a cursor. It reads at most `BATCH` rows at a time, wanted
or not, so that a filter that fits few of a million rows holds up no other reader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from claw.errors import StoreError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.control.streams import LaggedError, Stream
from claw.master.forgetting import told_of_gap
from claw.master.wiring import Json, Services
from claw.model.event import Event, wire_of
from claw.store.records import Tx

BATCH = 500
DEFAULT_LIMIT = 100
MAX_BATCHES = 20
"""Batches that one ``event.list`` reads before it hands back ``next``."""

_PATTERN = frozenset("*?[")
_MAX_CURSOR = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are wanted; names may be shell-style patterns."""

    job: str | None = None
    type: str | None = None
    run: str | None = None

    @property
    def plain_job(self) -> str | None:
        """The one job that is wanted, when it is named and not described."""
        return None if self.job is None or _PATTERN & set(self.job) else self.job

    def wants(self, event: Event) -> bool:
        """Tell whether an event fits."""
        return (
            _fits(event.job, self.job)
            and _fits(event.type, self.type)
            and self.run in (None, event.run)
        )


def _fits(value: str | None, pattern: str | None) -> bool:
    return pattern is None or (value is not None and fnmatchcase(value, pattern))


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in order, and the cursor up to which all that are wanted are known."""

    events: Sequence[Event]
    cursor: int
    is_last: bool


def reader_of(wanted: Filter, after: int) -> Callable[[Tx], Page]:
    """Return what reads the next page in a transaction."""

    def read(tx: Tx) -> Page:
        rows = tx.events(after=after, limit=BATCH, job=wanted.plain_job, run=wanted.run)
        if len(rows) < BATCH:
            cursor, is_last = max(after, tx.last_cursor()), True
        else:
            cursor, is_last = rows[-1].cursor, False
        return Page([row for row in rows if wanted.wants(row)], cursor, is_last)

    return read


async def list_(call: Call, params: Params) -> Json:
    """Read stored events, oldest first."""
    await _see_that_it_is_one(call, _filter_of(params).plain_job)
    wanted, cursor = _filter_of(params), min(params.get("from", 0), _MAX_CURSOR)
    limit = params.get("limit", DEFAULT_LIMIT)
    found: list[Event] = []
    gap = await told_of_gap(call.services.store, params.get("from"))
    for _ in range(MAX_BATCHES):
        page = await call.services.store.read(reader_of(wanted, cursor))
        found += page.events
        cursor = page.cursor
        if len(found) > limit:
            return {
                "events": list(map(wire_of, found[:limit])),
                "next": found[limit - 1].cursor,
                **gap,
            }
        if page.is_last:
            return {"events": list(map(wire_of, found)), "next": None, **gap}
    return {"events": list(map(wire_of, found)), "next": cursor, **gap}


async def _see_that_it_is_one(call: Call, job: str | None) -> None:
    """Refuse a name that no job has, nor any that is gone and has left an event.

    Raises:
        NotFoundError: It is misspelt, most likely.
    """
    config = call.services.config.current
    if job is None or config.job(job) is not None:
        return
    if not await call.services.store.read(lambda tx: tx.events(limit=1, job=job)):
        raise targets.no_job(config, job)


async def subscribe(call: Call, params: Params) -> Json:
    """Begin a stream of events: from the database up to now, then live."""
    wanted, services = _filter_of(params), call.services
    start = params.get("from")
    newest = await services.store.read(Tx.last_cursor)
    # A cursor of a database that was set aside since may lie ahead of this one's.
    cursor = newest if start is None else min(start, newest)

    gap = await told_of_gap(services.store, start)

    async def serve(stream: Stream) -> None:
        await _deliver(services, stream, wanted, cursor)

    return {"subscription": call.connection.open_stream(serve), "cursor": cursor, **gap}


async def unsubscribe(call: Call, params: Params) -> Json:
    """End a stream of this connection, of events or of output."""
    call.connection.close_stream(params["subscription"])
    return {}


async def _deliver(services: Services, stream: Stream, wanted: Filter, cursor: int) -> None:
    runs = frozenset([wanted.run] if wanted.run else [])
    jobs = frozenset([wanted.plain_job] if wanted.plain_job and not runs else [])
    with services.bus.interest(jobs=jobs, runs=runs) as interest:
        try:
            while True:
                page = await services.store.read(reader_of(wanted, cursor))
                for event in page.events:
                    await stream.send("event", wire_of(event))
                    cursor = event.cursor
                cursor = page.cursor
                if page.is_last:
                    await interest.wait()
        except LaggedError:
            stream.send_last("lagged", {"resume_from": cursor})
        except StoreError as error:
            stream.send_last("end", {"reason": f"{error}", "resume_from": cursor})


def _filter_of(params: Params) -> Filter:
    return Filter(**params.get("filter", {}))
