"""The outbox: what is told to whom, and what becomes of each message.

There is one way in, `tell`, and one look at what has happened, `announce`: at the end of each
decision it goes through the events that were appended, so a message is stored in the
transaction of what it tells, and what is taken back is not told. Where nobody is to be told
anything, that look is one comparison.

What becomes of messages is no event: no hook can go round in a circle.
"""

from collections.abc import Iterator, Sequence

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.engine import alerts, messages
from claw.master.engine.messages import Message
from claw.master.engine.turn import Turn
from claw.model import delivery as of_delivery
from claw.model import hooks, ids, outcome
from claw.model.alerts import CONDITIONS, DELIVERY, DROPPED, AlertKind
from claw.model.channels import AnnounceMode
from claw.model.delivery import Alias, Delivery, DeliveryState, Refusal
from claw.model.effect import Posted
from claw.model.event import Event
from claw.model.job import Job
from claw.model.run import State
from claw.model.values import replace

KEPT = 1000
"""So many messages of a channel are kept that have ended in one way."""
_SAID_AFTER = 3
"""So many tries have failed before anybody is told."""
_BATCH = 100
_OF_DELIVERIES = frozenset({DELIVERY, DROPPED})
_BAD = frozenset({f"run.{one}" for one in (State.FAILED, State.TIMED_OUT, State.CRASHED)})
_ENDS = _BAD | {f"run.{State.SUCCEEDED}", f"run.{State.CANCELED}"}
_SAID_BY_RECOVERED = frozenset(
    {
        AlertKind.FAILED,
        AlertKind.TIMED_OUT,
        AlertKind.CRASHED,
        AlertKind.RETRIES_EXHAUSTED,
    }
)
"""Conditions whose end is an alert of its own."""


# -- what is told ---------------------------------------------------------------------------


def announce(turn: Turn) -> None:
    """Tell those who want to know what has happened in a decision so far."""
    appended = turn.tx.events_appended
    while turn.told < len(appended):  # what is told may drop others, which is told once
        events, turn.told = appended[turn.told :], len(appended)
        if turn.config.outlets.is_used:
            _posted(turn, [one for event in events for one in _announce(turn, event)])


def _announce(turn: Turn, event: Event) -> Iterator[Delivery]:
    """Store what is told of an event, and yield it."""
    job = None if event.job is None else turn.config.job(event.job)
    if job is not None:
        if event.type in {alerts.RAISED, alerts.RESOLVED}:
            yield from _tell_alert(turn, job, event)
        elif event.type in _ENDS:
            yield from _tell_output(turn, job, event)
    if event.old in _OF_DELIVERIES:
        return
    shunned = _troubled(turn) if event.new in _OF_DELIVERIES else frozenset()
    for hook in turn.config.outlets.hooks.of(event.type):
        is_wanted = hooks.wants(hook, event, job.tags if job else ())
        if is_wanted and not (shunned and _way(turn, hook.channel, hook.to)[0] in shunned):
            yield _store(turn, hook.channel, hook.to, messages.of_hook(turn, hook, event))


def _troubled(turn: Turn) -> frozenset[str]:
    """Return the channels that take no messages: none is told that by itself."""
    found = turn.tx.standing_alerts(None)
    return frozenset(one.about.partition(" ")[0] for one in found if one.kind in _OF_DELIVERIES)


def _tell_alert(turn: Turn, job: Job, event: Event) -> Iterator[Delivery]:
    wanted = job.alerts
    if job.step_of and not (wanted.channel or wanted.to):
        workflow = turn.config.job(job.step_of)
        wanted = wanted if workflow is None else workflow.alerts
    if not (wanted.channel or wanted.to):
        return
    is_told = event.type == alerts.RAISED or event.old == AlertKind.APPROVAL
    if not is_told and wanted.wants(AlertKind.RECOVERED):
        is_told = event.old in CONDITIONS and event.old not in _SAID_BY_RECOVERED
    if is_told:
        message = messages.of_alert(turn, event)
        yield _store(turn, wanted.channel, wanted.to, message)


def _tell_output(turn: Turn, job: Job, event: Event) -> Iterator[Delivery]:
    mode = job.delivery.mode
    if mode is AnnounceMode.NONE or (mode is AnnounceMode.ANNOUNCE and event.type not in _BAD):
        return
    run = turn.tx.run(event.run or "")
    if run is None or (run.started_at is None and event.type not in _BAD):
        return
    if run.state is State.SUCCEEDED and run.note == outcome.ALREADY_DONE:
        return
    message = messages.of_output(turn, event, run)
    yield _store(turn, job.delivery.channel, job.delivery.to, message)


def tell(turn: Turn, channel: str, to: str, message: Message) -> int:
    """Store a message to be sent, and return its number.

    Args:
        turn: The decision.
        channel: By which one; '': the alias says so.
        to: Whom: an alias, or what the channel takes; '': whoever it leads to.
        message: What.
    """
    stored = _store(turn, channel, to, message)
    _posted(turn, [stored])
    return stored.id


def _store(turn: Turn, channel: str, to: str, message: Message) -> Delivery:
    delivery = Delivery(
        channel=channel,
        to=to,
        kind=message.kind,
        job=message.event.job,
        run=message.event.run,
        subject=message.subject,
        body=message.body,
        at=turn.now,
        next_at=turn.now,
    )
    delivery = _directed(turn, delivery)
    return replace(delivery, id=turn.tx.insert_delivery(delivery))


def _posted(turn: Turn, told: Sequence[Delivery]) -> None:
    """See to it that messages are sent that were stored, and that there are not too many."""
    for one in told:
        if one.state is not DeliveryState.PENDING:
            _say(turn, one)
            _trim(turn, one)
    waiting = (one.channel for one in told if one.state is DeliveryState.PENDING)
    for channel in dict.fromkeys(waiting):
        _bound(turn, channel)
        turn.emit(Posted(channel))


def _directed(turn: Turn, delivery: Delivery) -> Delivery:
    """Return a message with channel and address for an alias; failed, if there is none."""
    channel, to = _way(turn, delivery.channel, delivery.to)
    if to.startswith("@"):
        problem = f"there is no alias {to}: clawctl alias add {to} CHANNEL --to ADDRESS"
        return of_delivery.given_up(delivery, problem, turn.now)
    if turn.config.outlets.channel(channel) is None:
        return of_delivery.given_up(delivery, _gone(channel), turn.now)
    return replace(delivery, channel=channel, to=to)


def _way(turn: Turn, channel: str, to: str) -> tuple[str, str]:
    """Return the channel and address that an alias stands for; others stay as they are."""
    alias = turn.tx.alias(to.removeprefix("@")) if to else None
    return (channel, to) if alias is None else (alias.channel, alias.to)


def _gone(channel: str) -> str:
    return f"there is no channel {channel!r} any more: define it, then clawctl delivery retry"


def _bound(turn: Turn, name: str) -> None:
    """Drop the oldest messages of a channel, if there are too many, and say so."""
    channel = turn.config.outlets.channel(name)
    if channel is None:
        return
    problem = f"more than {channel.max_pending} messages waited (max_pending)"
    count = turn.tx.drop_deliveries(name, channel.max_pending, turn.now, problem)
    if not count:
        return
    turn.tx.trim_deliveries(name, DeliveryState.DROPPED, KEPT)
    total = turn.tx.dropped()[name]
    text = (
        f"Channel {name} is too slow, or down: {total} messages were dropped so far, since"
        f" {problem}: clawctl delivery list --channel {name}"
    )
    alerts.raise_alert(turn, DROPPED, None, None, text, about=name)


# -- what becomes of it ---------------------------------------------------------------------


def settle(
    turn: Turn, number: int, refusal: Refusal | None, fraction: float = 0.0
) -> Delivery | None:
    """Store how a try has ended, and return the message; None: it was taken back meanwhile.

    Args:
        turn: The decision.
        number: Of the message.
        refusal: Why it was not taken; None: it was.
        fraction: Random, from 0 to 1.
    """
    known = turn.tx.delivery(number)
    if known is None or known.state in {DeliveryState.SENT, DeliveryState.FAILED}:
        return None
    channel = turn.config.outlets.channel(known.channel)
    if refusal is None:
        after = of_delivery.sent(known, turn.now)
        alerts.resolve(turn, DELIVERY, None, "it takes messages again", about=_lane(known))
    elif known.state is DeliveryState.DROPPED:
        return None
    elif channel is None:
        after = of_delivery.given_up(known, refusal.problem, turn.now)
    else:
        after = of_delivery.refused(known, channel, refusal, turn.now, fraction)
    turn.tx.update_delivery(after)
    if after.state is DeliveryState.FAILED or (refusal and after.attempts >= _SAID_AFTER):
        _say(turn, after)
    if after.state is not DeliveryState.PENDING:
        _trim(turn, after)
    return after


def abandon(turn: Turn, name: str) -> bool:
    """Give up what waits for a channel that has gone; tell whether there is more of it."""
    if turn.config.outlets.channel(name) is not None:
        return False
    found = turn.tx.deliveries_in(name, DeliveryState.PENDING, 0, _BATCH)
    given_up = [of_delivery.given_up(one, _gone(name), turn.now) for one in found]
    for one in given_up:
        turn.tx.update_delivery(one)
        _trim(turn, one)
    for one in given_up[-1:]:
        _say(turn, one)
    return len(found) == _BATCH


def _say(turn: Turn, delivery: Delivery) -> None:
    """Raise that messages do not arrive."""
    what = "is given up" if delivery.state is DeliveryState.FAILED else "waits"
    by = f"Channel {delivery.channel}" if delivery.channel else f"Alias {delivery.to}"
    text = (
        f"{by} takes no messages: {delivery.problem}: message {delivery.id or ''}"
        f" {what}: clawctl delivery list"
    )
    alerts.raise_alert(
        turn, DELIVERY, None, None, " ".join(text.split()), about=_lane(delivery)
    )


def _lane(delivery: Delivery) -> str:
    return f"{delivery.channel} {delivery.to}".strip()


def _trim(turn: Turn, delivery: Delivery) -> None:
    turn.tx.trim_deliveries(delivery.channel, delivery.state, KEPT)


# -- what people ask for --------------------------------------------------------------------


def retry(turn: Turn, number: int) -> None:
    """Have a message tried at once that waits or was given up.

    Raises:
        NotFoundError: There is none of that number.
        ConflictError: It was sent, or dropped; or nobody takes it now either.
    """
    known = turn.tx.delivery(number)
    if known is None:
        raise NotFoundError(
            f"there is no message {number}", hint="clawctl delivery list lists them"
        )
    if known.state in {DeliveryState.SENT, DeliveryState.DROPPED}:
        raise ConflictError(
            f"message {number} was {known.state}", hint="what it said is not kept"
        )
    after = _directed(turn, of_delivery.asked_again(known, turn.now))
    if after.state is DeliveryState.FAILED:
        raise ConflictError(f"message {number} cannot be sent: {after.problem}")
    turn.tx.update_delivery(after)
    if _lane(after) != _lane(known):
        alerts.resolve(turn, DELIVERY, None, "it is sent elsewhere", about=_lane(known))
    turn.emit(Posted(after.channel))


def retry_all(turn: Turn, name: str | None) -> int:
    """Have all messages tried at once that wait for a try or were given up; return how many.

    Args:
        turn: The decision.
        name: Only those of this channel.
    """
    counts = turn.tx.delivery_counts()
    count = 0
    for channel in counts if name is None else [name]:
        found = [*turn.tx.lane_heads(channel)]
        found += turn.tx.deliveries_in(channel, DeliveryState.FAILED, 0, KEPT)
        for one in found:
            try:
                retry(turn, one.id)
            except ConflictError:
                continue
            count += 1
    return count


def send_test(turn: Turn, channel: str, to: str, by: str) -> int:
    """Send a message that says nothing but that a channel works, and return its number.

    Raises:
        NotFoundError: There is no such channel.
        UsageError: It has to be said whom it is to.
    """
    _check_channel(turn, channel, to)
    return tell(turn, channel, to, messages.of_test(turn, channel, by))


def add_alias(turn: Turn, name: str, channel: str, to: str, by: str) -> Alias:
    """Have a name stand for a channel and an address, in place of what it stood for.

    Raises:
        UsageError: The name is none.
        NotFoundError: There is no such channel.
    """
    name = name.removeprefix("@")
    problem = ids.name_problem(name)
    if problem:
        raise UsageError(f"{name!r} is no good name: {problem}")
    if to.startswith("@"):
        raise UsageError("an alias does not stand for another one", hint="name the address")
    _check_channel(turn, channel, to)
    alias = Alias(name=name, channel=channel, to=to, at=turn.now, by=by)
    turn.tx.put_alias(alias)
    return alias


def _check_channel(turn: Turn, name: str, to: str) -> None:
    found = turn.config.outlets.channel(name)
    if found is None:
        known = ", ".join(one.name for one in turn.config.channels) or "none is defined"
        raise NotFoundError(f"there is no channel {name!r}", hint=f"claw.toml has: {known}")
    if found.needs_address and not to:
        raise UsageError(f"the URL of channel {name!r} has {{to}}", hint="add --to ADDRESS")


def remove_alias(turn: Turn, name: str) -> None:
    """Have a name stand for nothing any more.

    Raises:
        NotFoundError: There is no such alias.
    """
    if not turn.tx.delete_alias(name.removeprefix("@")):
        raise NotFoundError(f"there is no alias {name!r}", hint="clawctl alias list")
