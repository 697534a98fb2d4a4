"""Events that come in: each is stored, and starts the jobs that name it, in one decision."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from claw.errors import DeniedError, NotFoundError, SaturatedError, UsageError
from claw.master.engine import children, intake
from claw.master.engine.turn import Turn
from claw.model import happening, lineage
from claw.model.handout import Handouts
from claw.model.happening import Bridge, Happening, Source
from claw.model.job import Job
from claw.model.lineage import Lineage
from claw.model.run import Origin, Run
from claw.model.values import replace

NAME = "CLAW_EVENT"
FILE = "CLAW_EVENT_FILE"
PATH = "CLAW_WATCH_PATH"
_FILE_NAME = "event.json"
MOST_BRIDGES = 1000
MOST_OF_GUEST = 3600
"""So many events within an hour may a user tell of by one token, or by children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What somebody tells of.

    Attributes:
        name: Of the event.
        data: JSON, see `happening.text_of`.
        by: Which user tells.
        source: In which way.
        token: The id of the token by which.
        is_guest: It is told by one who may do nothing else, or a child of another user's.
        parent: The run whose child does.
        key: Tells the same event when it comes again; None: it never does.
    """

    name: str
    data: str
    by: str
    source: Source
    token: str | None = None
    is_guest: bool = False
    parent: str | None = None
    key: str | None = None

    @property
    def teller(self) -> str:
        """Who tells, and by what."""
        return self.by if self.token is None else f"{self.by}, token {self.token}"


def emit(turn: Turn, told: Told) -> tuple[Happening, Sequence[Run]]:
    """Store an event, and a run of each job that names it.

    A job that cannot take it now has a skipped run that says why.

    Raises:
        UsageError: No event can have that name.
        SaturatedError: There is no room for the runs; nothing is stored.
        ConflictError: The run whose child tells has made too many runs.
    """
    problem = happening.name_problem(told.name)
    if problem is not None:
        raise UsageError(f"no event can be called {told.name[:60]!r}: {problem}")
    jobs = [job for job in turn.config.listening if happening.matches(job.events, told.name)]
    _check_room(turn, len(jobs))
    if told.is_guest:
        _check_guest(turn, told, len(jobs))
    if told.parent is not None and jobs:
        children.check_fanout(turn, told.parent, len(jobs))
    # What nobody reads is no guest's to fill the disk with.
    one = store(turn, told if jobs or not told.is_guest else replace(told, data="null"))
    turn.note("event.emitted", run=told.parent, why=f"{one.name} ({one.id})", by=told.teller)
    return one, [_follow(turn, told, one, job) for job in jobs]


def _check_guest(turn: Turn, told: Told, count: int) -> None:
    """See that who may tell of events does not fill the queue or the disk with them.

    Raises:
        SaturatedError: It would.
    """
    if count:
        children.check_user(turn, told.by, count)
    since = turn.now - timedelta(hours=1)
    if turn.tx.count_happenings(told.teller, since, MOST_OF_GUEST) >= MOST_OF_GUEST:
        raise SaturatedError(
            f"{told.teller} has told of {MOST_OF_GUEST} events within an hour: no more",
            hint="try again later",
        )


def store(turn: Turn, told: Told) -> Happening:
    """Store an event, and nothing else."""
    one = Happening(
        id=turn.new_event_id(),
        name=told.name,
        data=told.data,
        at=turn.now,
        by=told.teller,
        source=told.source,
        run=told.parent,
    )
    turn.tx.add_happening(one, told.key)
    return one


def _follow(turn: Turn, told: Told, one: Happening, job: Job) -> Run:
    parent = None if one.run is None else turn.tx.run(one.run)
    line = Lineage(event=one.id) if parent is None else lineage.below(parent, event=one.id)
    ask = intake.Ask(
        job=job.name,
        origin=Origin.EMIT,
        key=f"{one.id}:{job.name}",
        by=told.by,
        lineage=line,
    )
    return intake.follow_up(turn, ask)


def _check_room(turn: Turn, count: int) -> None:
    limit = turn.config.daemon.max_queue
    if count and turn.tx.count_open() + count > limit:
        raise SaturatedError(
            f"{limit} runs are open, as many as daemon.max_queue allows",
            hint="try again when some have ended: clawctl status --budgets",
        )


def hand_out(turn: Turn, _job: Job, run: Run, found: Handouts) -> None:
    """Give a run's child the event that the run answers to."""
    one = None if run.lineage.event is None else turn.tx.happening(run.lineage.event)
    if one is None:
        return
    found.tell({NAME: one.name})
    if one.source is Source.WATCH:
        found.tell({PATH: json.loads(one.data)["path"]})
    found.give(FILE, _FILE_NAME, one.document)


# -- tokens for those who have no other way ----------------------------------------------


def issue(turn: Turn, patterns: Sequence[str], ttl_s: float, by: str) -> Bridge:
    """Store a token by which some events may be told of.

    Raises:
        UsageError: A pattern means no event.
        SaturatedError: There are too many.
    """
    for pattern in patterns:
        problem = happening.pattern_problem(pattern)
        if problem is not None:
            raise UsageError(f"{pattern[:60]!r} means no event: {problem}")
    known = turn.tx.bridges()
    for old in known:
        if old.expires_at <= turn.now:
            turn.tx.delete_bridge(old.id)
    if len(known) >= MOST_BRIDGES:
        raise SaturatedError(
            f"there are {len(known)} tokens", hint="clawctl emit --tokens lists them"
        )
    expires_at = turn.now + timedelta(seconds=ttl_s)
    one = Bridge(
        id=turn.new_bridge_id(),
        patterns=tuple(patterns),
        by=by,
        at=turn.now,
        expires_at=expires_at,
    )
    turn.tx.put_bridge(one)
    turn.note("event.token", why=f"{one.id} for {' '.join(patterns)}", by=by)
    return one


def revoke(turn: Turn, token_id: str, by: str) -> Bridge:
    """Have a token be of no use any more.

    Raises:
        NotFoundError: There is none of that id.
    """
    one = turn.tx.bridge(token_id)
    if one is None:
        raise NotFoundError(
            f"no token {token_id[:60]!r}", hint="clawctl emit --tokens lists them"
        )
    turn.tx.delete_bridge(token_id)
    turn.note("event.token_revoked", why=token_id, by=by)
    return one


def check_bridge(turn: Turn, token_id: str, name: str) -> Bridge:
    """See that a token is good for an event.

    Raises:
        DeniedError: It is not.
    """
    one = turn.tx.bridge(token_id)
    if one is None:
        raise DeniedError("that token was revoked, or has expired")
    if one.expires_at <= turn.now:
        raise DeniedError(f"that token has expired at {one.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    if not happening.matches(one.patterns, name):
        raise DeniedError(
            f"that token is not for {name}", hint=f"it is for {' '.join(one.patterns)}"
        )
    return one
