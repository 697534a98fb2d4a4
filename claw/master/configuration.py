"""The configuration in force, and the one way to another: reload, all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import trio

from claw.config.load import digest_now, load
from claw.config.plan import Plan, plan
from claw.master.control import targets
from claw.master.decider import Decider
from claw.master.engine.sync import sync
from claw.master.engine.turn import Turn
from claw.model.job import Config


class Configuration:
    """Loads and holds the configuration of one master.

    Args:
        place: A home's configuration folder, or one file.
        project_dir: The folder of an ``up`` project; None for a home.
        only: Targets: jobs of the files that are neither among them nor needed by them are
            left out; empty: none is.
    """

    def __init__(
        self, place: str, project_dir: str | None = None, only: Sequence[str] = ()
    ) -> None:
        self._place = place
        self._project_dir = project_dir
        self._only = tuple(only)
        self.current = Config()

    def load(self) -> Config:
        """Read the files.

        Raises:
            ConfigError: With every mistake in them.
            NotFoundError: One of the targets means no job.
        """
        config = load(self._place, project_dir=self._project_dir)
        if not self._only:
            return config
        chosen = config.graph.with_needs(targets.choose_jobs(config, self._only))
        return replace(config, jobs=tuple(job for job in config.jobs if job.name in chosen))

    def get(self) -> Config:
        """Return the configuration in force."""
        return self.current

    def config_changed(self) -> bool:
        """Tell whether the files on disk differ from what is loaded."""
        return digest_now(self._place) != self.current.digest


class Reloader:
    """Carries out ``reload``, one at a time."""

    def __init__(
        self,
        configuration: Configuration,
        decide: Decider,
        on_change: Callable[[Config], None],
    ) -> None:
        self._configuration = configuration
        self._decide = decide
        self._on_change = on_change
        self._one_at_a_time = trio.Lock()

    async def __call__(self, *, dry_run: bool = False, restart: bool = True) -> dict[str, Any]:
        """Load the files anew; return what changes, done unless ``dry_run``.

        Raises:
            ConfigError: They are refused; nothing has changed.
        """
        async with self._one_at_a_time:
            new = await trio.to_thread.run_sync(self._configuration.load)
            old = self._configuration.current
            changes = plan(old, new)
            if not restart:
                changes = replace(changes, live=(*changes.live, *changes.restart), restart=())
            if not dry_run:
                await self._take_over(old, new, changes)
            return as_json(changes)

    async def _take_over(self, old: Config, new: Config, changes: Plan) -> None:
        restart = [name for name, _ in changes.restart]

        def take_over(turn: Turn) -> None:
            # Here, in the order of the decisions: those that wait for the store were asked
            # for earlier, and must not meet the new jobs with the old standings.
            self._configuration.current = new
            sync(turn, old=old, restart=restart)

        def undo() -> None:
            self._configuration.current = old

        await self._decide(take_over, config=new, undo=undo)
        self._on_change(new)


def as_json(changes: Plan) -> dict[str, Any]:
    """Return a plan as ``config.reload`` answers it."""
    return {
        "changed": not changes.is_empty,
        "add": list(changes.add),
        "live": [{"job": name, "fields": list(keys)} for name, keys in changes.live],
        "restart": [
            {"job": name, "why": ", ".join(keys) + " changed"} for name, keys in changes.restart
        ],
        "remove": list(changes.remove),
        "daemon": list(changes.daemon),
    }
