"""Sends what the outbox holds: a task for each channel, so that none holds up another.

What is to be sent is in the store alone. A message that was sent is stored as such before the
next one of its address is: who is killed in between sends one again, under the same key.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

import trio

from claw.delivery import registry
from claw.delivery.registry import Means
from claw.delivery.sending import NotTakenError, Outgoing, Sender
from claw.errors import StoreError
from claw.kernel import clock, host
from claw.master.asyncstore import AsyncStore
from claw.master.confidant import Confidant
from claw.master.decider import Decider
from claw.master.engine import deliveries
from claw.model import reference
from claw.model.channels import Channel, ChannelType
from claw.model.delivery import Delivery, Refusal
from claw.model.effect import Posted
from claw.model.job import Config
from claw.model.units import format_duration
from claw.model.values import replace
from claw.secrets.resolving import UnresolvedError
from claw.store.records import Tx

_LOG = logging.getLogger("claw.outbox")
_LONGEST_S = 30.0
"""No longer is slept at a time: the clock may be set."""
_STORE_PAUSE_S = 5.0


class Outbox:
    """See the module."""

    def __init__(
        self,
        store: AsyncStore,
        decide: Decider,
        config: Callable[[], Config],
        means: Means,
        confidant: Confidant,
    ) -> None:
        self._store = store
        self._decide = decide
        self._config = config
        self._means = means
        self._confidant = confidant
        self._senders: dict[str, tuple[Channel, Sender]] = {}
        self._news: dict[str, trio.Event] = {}  # by channel that has a task
        self._asked: set[str] = set()
        self._failing: set[str] = set()
        self._wake = trio.Event()

    def expect(self, effect: Posted) -> None:
        """Take note that something is to be sent, now or again."""
        news = self._news.get(effect.channel)
        if news is not None:
            news.set()
            return
        self._asked.add(effect.channel)
        self._wake.set()

    def reconfigured(self) -> None:
        """Take note that channels may be others now."""
        for news in self._news.values():
            news.set()

    async def serve(self) -> None:
        """Send until cancelled."""
        await self._take_up()
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                asked, self._asked = self._asked, set()
                for channel in asked - self._news.keys():
                    self._news[channel] = trio.Event()
                    nursery.start_soon(self._serve_channel, channel)
                await self._wake.wait()

    async def _take_up(self) -> None:
        """Go on with what the last master could not send."""
        while True:
            try:
                self._asked.update(await self._store.read(Tx.channels_waiting))
            except StoreError as error:
                _LOG.error("it is not known what is to be sent: %s", error)
                await trio.sleep(_STORE_PAUSE_S)
                continue
            return

    async def _serve_channel(self, name: str) -> None:
        """Send what waits for a channel, until nothing does."""
        while True:
            news = self._news[name] = trio.Event()
            try:
                pause_s = await self._step(name)
            except StoreError as error:
                _LOG.error("nothing is sent by channel %s: %s", name, error)
                pause_s = _STORE_PAUSE_S
            if pause_s is None and not news.is_set():
                break
            if pause_s:
                with trio.move_on_after(pause_s):
                    await news.wait()
        del self._news[name]

    async def _step(self, name: str) -> float | None:
        """Send one message and return how long there is nothing to do; None: for good."""
        heads = await self._store.read(lambda tx: tx.lane_heads(name))
        if not heads:
            return None
        channel = self._config().outlets.channel(name)
        if channel is None:
            await self._forget(name)
            await self._decide(lambda turn: deliveries.abandon(turn, name))
            return 0.0
        now = clock.now()
        for head in heads:
            if head.next_at <= now:
                await self._send(channel, head)
                return 0.0
        return _until(min(head.next_at for head in heads), now)

    async def _send(self, channel: Channel, delivery: Delivery) -> None:
        refusal = await self._try(channel, delivery)
        fraction = clock.random_fraction()
        await self._decide.patiently(
            lambda turn: deliveries.settle(turn, delivery.id, refusal, fraction)
        )
        if refusal is None and channel.name in self._failing:
            self._failing.discard(channel.name)
            _LOG.info("channel %s takes messages again", channel.name)
        elif refusal is not None and channel.name not in self._failing:
            self._failing.add(channel.name)
            _LOG.warning("channel %s took no message: %s", channel.name, refusal.problem)

    async def _try(self, channel: Channel, delivery: Delivery) -> Refusal | None:
        """Hand a message over, and return why it was not taken, or None."""
        outgoing = Outgoing(
            key=delivery.key,
            channel=channel.name,
            to=delivery.to,
            attempt=delivery.attempts + 1,
            host=host.name(),
            message=json.loads(delivery.body),
        )
        with trio.move_on_after(channel.timeout_s):
            try:
                sender = await self._sender(await self._filled(channel))
                await sender.send(outgoing)
            except UnresolvedError as error:
                return Refusal(problem=error.message)
            except NotTakenError as error:
                return Refusal(
                    problem=self._confidant.redactor.mask(error.message),
                    is_final=error.is_final,
                    after_s=error.after_s,
                )
            except Exception as error:  # noqa: BLE001  a channel's mistake ends no master
                _LOG.exception("channel %s failed by mistake", channel.name)
                return Refusal(problem=f"{type(error).__name__}: see the master's log")
            return None
        return Refusal(problem=f"no answer within {format_duration(channel.timeout_s)}")

    async def _filled(self, channel: Channel) -> Channel:
        """Return a channel with what its addresses and headers refer to filled in.

        Raises:
            UnresolvedError: Something is not there.
        """
        names, said = [name for name, _ in channel.headers], [one for _, one in channel.headers]
        if not any(map(reference.stands_in, (*channel.urls, *said))):
            return channel
        fill_all = partial(self._confidant.fill_all, user="")
        # What Apprise calls URLs has parts of its own.
        is_url = channel.type is ChannelType.WEBHOOK
        by = reference.fill_url if is_url else reference.fill
        urls, found = await fill_all(channel.urls, by=by), await fill_all(said)
        return replace(channel, urls=tuple(urls), headers=tuple(zip(names, found, strict=True)))

    async def _sender(self, channel: Channel) -> Sender:
        """Return what sends by a channel as it is configured now."""
        known = self._senders.get(channel.name)
        if known is not None and known[0] == channel:
            return known[1]
        await self._forget(channel.name)
        # Some libraries take long to load.
        sender = await trio.to_thread.run_sync(registry.make, channel, self._means)
        self._senders[channel.name] = channel, sender
        return sender

    async def _forget(self, name: str) -> None:
        known = self._senders.pop(name, None)
        if known is not None:
            await known[1].close()


def _until(at: datetime, now: datetime) -> float:
    return min((at - now).total_seconds(), _LONGEST_S)
