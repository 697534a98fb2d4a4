"""What keeps a home in order, beside the work: one object for `claw.master.app`.

Output is compressed and bounded, what is old is forgotten, old spools go, metrics are written
to their file, backups are made.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from claw.errors import StoreError
from claw.master.asyncstore import AsyncStore
from claw.master.backup.backups import Backups
from claw.master.confidant import Confidant
from claw.master.decider import Decider
from claw.master.engine import alerts
from claw.master.engine.turn import Turn
from claw.master.forgetting import Forgetting
from claw.master.metrics.textfile import MetricsFile
from claw.master.output.keeper import Keeper
from claw.master.supervision.spools import serve_pruning
from claw.master.wiring import ConfigHolder, Services
from claw.model.alerts import BACKUP
from claw.model.effect import Settled
from claw.model.home import Home


class Upkeep:
    """See the module."""

    def __init__(
        self,
        home: Home,
        store: AsyncStore,
        decide: Decider,
        config: ConfigHolder,
        confidant: Confidant,
    ) -> None:
        self._home = home
        self._store = store
        self._decide = decide
        self.keeper = Keeper(home, store, lambda: config.current)
        self.backups = Backups(home, config, confidant)
        self._forgetting = Forgetting(home, store, decide, lambda: config.current)
        self._metrics = MetricsFile(lambda: config.current)

    def duties(self) -> Iterator[Callable[[], Awaitable[None]]]:
        """Yield what runs beside the rest from the start to the end."""
        yield self.keeper.serve
        yield partial(serve_pruning, self._home, self._store)
        yield self._forgetting.serve
        yield partial(self.backups.serve, self._tell_of_backup)

    def metrics_trouble(self) -> str | None:
        """Return why the file of metrics could not be written; None: it was."""
        return self._metrics.trouble

    async def serve_metrics(self, services: Services) -> None:
        """Write the file of metrics, until cancelled."""
        await self._metrics.serve(services)

    def on_settled(self, effect: Settled) -> None:
        """A supervisor is done with a run."""
        self.keeper.wake()
        self._forgetting.on_settled(effect)

    def reconfigured(self) -> None:
        """The configuration is another one."""
        self._metrics.reconfigured()
        self.keeper.wake()
        self.backups.reconfigured()

    async def _tell_of_backup(self, why: str | None) -> None:
        """Raise the alert, or resolve it; that may fail as the backup did."""

        def decide(turn: Turn) -> None:
            if why is None:
                alerts.resolve(turn, BACKUP, None, "none is overdue")
            else:
                text = f"backups: {why}; see `clawctl backup create`"
                alerts.raise_alert(turn, BACKUP, None, None, text)

        try:
            await self._decide(decide)
        except StoreError:
            return  # it is in the log, and told after the next one
