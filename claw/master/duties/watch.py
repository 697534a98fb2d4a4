"""Those who see to it that somebody notices.

The lookout finds what should have happened, the pinger and the outbox tell others.
"""

import os
from collections.abc import Callable

import trio

from claw.delivery.registry import Means
from claw.master.asyncstore import AsyncStore
from claw.master.confidant import Confidant
from claw.master.decider import Decider
from claw.master.duties.lookout import Lookout
from claw.master.duties.outbox import Outbox
from claw.master.duties.pings import Pinger
from claw.master.reaper import Reaper
from claw.model.effect import DutyAt, PingAsked, Posted, Reschedule
from claw.model.home import Home
from claw.model.job import Config


class Watch:
    """See the module."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: AsyncStore,
        decide: Decider,
        means: Means,
        confidant: Confidant,
    ) -> None:
        self._lookout = Lookout(config, store, decide)
        self._pinger = Pinger(config, store, decide, confidant)
        self._outbox = Outbox(store, decide, config, means, confidant)

    def expect(self, effect: DutyAt | PingAsked | Posted | Reschedule) -> None:
        """Take note of what a decision has changed, or asks for."""
        if isinstance(effect, Posted):
            self._outbox.expect(effect)
        elif isinstance(effect, PingAsked):
            self._pinger.ask(effect)
        else:
            self._lookout.expect(effect)

    def reconfigured(self) -> None:
        """Take note that channels may be others now."""
        self._outbox.reconfigured()

    async def serve(self) -> None:
        """Look, call and send until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lookout.serve)
            nursery.start_soon(self._pinger.serve)
            nursery.start_soon(self._outbox.serve)


def means_of(home: Home, reaper: Reaper) -> Means:
    """Return what channels work with; what they start finds this master."""
    of_home = {} if home.folder is None else {"CLAW_HOME": home.folder}
    return Means(children=reaper, environment={**os.environ, **of_home})
