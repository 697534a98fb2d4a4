"""What comes in beside requests, as one service of the master."""

from collections.abc import Callable

import trio

from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.inputs.batches import BatchMaker
from claw.master.inputs.files import FileEvents
from claw.master.inputs.spool import EventSpool
from claw.master.output.watch import Watcher
from claw.model.home import Home
from claw.model.job import Config


class Inputs:
    """Files that jobs watch, the spool folder, large batches; with its own inotify instance."""

    def __init__(
        self, home: Home, config: Callable[[], Config], store: AsyncStore, decide: Decider
    ) -> None:
        """Take what both work with."""
        self.files = FileEvents(config, store, decide)
        self.batches = BatchMaker(decide)
        self._spool = EventSpool(home, decide)

    async def serve(self) -> None:
        """Take in what comes, as long as the master lives."""
        watcher = Watcher()
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(watcher.serve)
                nursery.start_soon(self._spool.serve, watcher)
                nursery.start_soon(self.batches.serve)
                await self.files.serve(watcher)
        finally:
            watcher.close()
