"""The two that see to it that somebody notices: the lookout inside, the pinger outside."""

from collections.abc import Callable

import trio

from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.duties.lookout import Lookout
from claw.master.duties.pings import Pinger
from claw.model.effect import DutyAt, PingAsked, Reschedule
from claw.model.job import Config


class Watch:
    """See the module."""

    def __init__(
        self, config: Callable[[], Config], store: AsyncStore, decide: Decider
    ) -> None:
        self._lookout = Lookout(config, store, decide)
        self._pinger = Pinger(config, store, decide)

    def expect(self, effect: DutyAt | PingAsked | Reschedule) -> None:
        """Take note of what a decision has changed, or asks for."""
        if isinstance(effect, PingAsked):
            self._pinger.ask(effect)
        else:
            self._lookout.expect(effect)

    async def serve(self) -> None:
        """Look and call until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._lookout.serve)
            nursery.start_soon(self._pinger.serve)
