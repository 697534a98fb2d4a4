"""``daemon.metrics_file``: the metrics in a file, for node_exporter's textfile collector.

https://github.com/prometheus/node_exporter#textfile-collector: it reads whole files, so each
is written beside and moved into place. A file that cannot be written is told of once, and
tried again; a daemon that ends leaves the last one, whose time tells its age.
"""

import logging
from collections.abc import Callable
from functools import partial

import trio

from claw.errors import StoreError
from claw.kernel import causes, reading
from claw.master.metrics import counting, report
from claw.master.output import logs
from claw.master.wiring import Services
from claw.model.job import Config

_LOG = logging.getLogger("claw.metrics")
_COUNT_S = 600.0
"""So often events are counted when nobody asks."""
_MODE = 0o644


class MetricsFile:
    """Writes the file as long as the master lives."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._changed = trio.Event()
        self.trouble: str | None = None
        """What went wrong the last time; None: nothing did."""

    def reconfigured(self) -> None:
        """Take note that the file may be another one now."""
        self._changed.set()

    async def serve(self, services: Services) -> None:
        """Write, or only count, until cancelled."""
        while True:
            self._changed = trio.Event()
            daemon = self._config().daemon
            await self._step(services, daemon.metrics_file)
            pause_s = daemon.metrics_interval_s if daemon.metrics_file else _COUNT_S
            with trio.move_on_after(pause_s):
                await self._changed.wait()

    async def _step(self, services: Services, path: str) -> None:
        try:
            if not path:
                await counting.count_events(services.store, self._config())
                return
            text = await report.text(services)
            put = partial(reading.replace, path, text.encode(), _MODE, None, is_durable=False)
            await logs.in_thread(put)
        except (StoreError, OSError) as error:
            self._say(path, causes.reason(error))
        else:
            self._say(path, None)

    def _say(self, path: str, trouble: str | None) -> None:
        if trouble is not None and trouble != self.trouble:
            _LOG.warning("metrics_file %s is not written: %s", path or "(none)", trouble)
        elif trouble is None and self.trouble is not None:
            _LOG.info("metrics_file %s is written again", path)
        self.trouble = trouble
