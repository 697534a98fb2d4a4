"""Deliveries: messages on their way out, each a row of the outbox.

A message is told of in the transaction of what it tells. It waits in the lane of its channel
and address: those of a lane are sent one after the other, in their order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from claw.model import backoff
from claw.model.channels import Channel
from claw.model.values import replace

LONGEST_WAIT = timedelta(days=1)
"""A service that asks to be left alone for longer is asked again after that."""


class DeliveryKind(StrEnum):
    """What a message is about."""

    HOOK = "hook"
    ALERT = "alert"
    OUTPUT = "output"
    TEST = "test"


class DeliveryState(StrEnum):
    """What has become of a message."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"  # given up; it can be asked for again
    DROPPED = "dropped"  # too many waited; only its subject is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for whom messages are to, and by which channel."""

    name: str
    channel: str
    to: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A row of the store."""

    channel: str
    to: str  # '': whoever the channel leads to
    kind: DeliveryKind
    subject: str
    body: str  # JSON; '' once it is sent or dropped
    at: datetime
    next_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    job: str | None = None
    run: str | None = None
    attempts: int = 0
    done_at: datetime | None = None
    problem: str | None = None
    id: int = 0

    @property
    def key(self) -> str:
        """What tells a message that is sent again from another one, also in other stores."""
        return f"claw-{int(self.at.timestamp() * 1_000_000):x}-{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a message was not taken.

    Attributes:
        problem: In words.
        is_final: It would never be.
        after_s: It is not to be tried again before that; None: nobody said.
    """

    problem: str
    is_final: bool = False
    after_s: float | None = None


def sent(delivery: Delivery, at: datetime) -> Delivery:
    """Return a message that was taken."""
    attempts = delivery.attempts + 1
    return replace(
        delivery,
        state=DeliveryState.SENT,
        attempts=attempts,
        done_at=at,
        problem=None,
        body="",
    )


def refused(
    delivery: Delivery, channel: Channel, refusal: Refusal, at: datetime, fraction: float
) -> Delivery:
    """Return a message that was not taken: it waits, or is given up.

    Args:
        delivery: The message.
        channel: Its channel.
        refusal: Why.
        at: When.
        fraction: Random, from 0 to 1, for the ladder's jitter.
    """
    attempts = delivery.attempts + 1
    after = replace(delivery, attempts=attempts, problem=refusal.problem)
    if refusal.is_final or attempts >= channel.max_attempts:
        return given_up(after, refusal.problem, at)
    wait_s = backoff.delay_s(channel.delays_s, channel.jitter, attempts, fraction)
    wait = timedelta(seconds=max(wait_s, refusal.after_s or 0.0))
    return replace(after, next_at=at + min(wait, max(LONGEST_WAIT, timedelta(seconds=wait_s))))


def given_up(delivery: Delivery, problem: str, at: datetime) -> Delivery:
    """Return a message that is not tried again by itself."""
    return replace(delivery, state=DeliveryState.FAILED, done_at=at, problem=problem)


def asked_again(delivery: Delivery, at: datetime) -> Delivery:
    """Return a message that somebody wants to be tried at once, as a new one."""
    return replace(
        delivery,
        state=DeliveryState.PENDING,
        attempts=0,
        next_at=at,
        done_at=None,
    )
