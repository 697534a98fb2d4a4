"""The configuration in force, and the one way to another: reload, all or nothing."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import trio

from claw.config.load import digest_now, load
from claw.config.managed import Managed
from claw.config.plan import Plan, plan
from claw.config.source import MANAGED
from claw.errors import RequestError
from claw.master.control import targets
from claw.master.control.reloads import Reloads
from claw.master.decider import Decider
from claw.master.engine.sync import sync
from claw.master.engine.turn import Turn
from claw.model.job import Config

Edit = Callable[[Managed], None]
"""Changes what managed.toml is going to say; raises a ClawError to refuse."""
Check = Callable[[Config], None]
"""Looks at a configuration before it is taken over; raises a ClawError to refuse it."""


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
        self._reloads = Reloads()
        self._transients = self.current.transients

    @property
    def place(self) -> str:
        """The folder of the files, or the one file."""
        return self._place

    @property
    def reloads(self) -> Reloads:
        """Told of each time that `current` becomes another."""
        return self._reloads

    def draft(self) -> Managed:
        """Return managed.toml, to be changed.

        Raises:
            ConfigError, UnsupportedError: As for `Managed`.
        """
        is_home = self._project_dir is None
        return Managed(self._place, as_root=is_home and os.geteuid() == 0)

    def load(self, managed: Managed | None = None) -> Config:
        """Read the files.

        Args:
            managed: managed.toml as it is going to be; None: as it is.

        Raises:
            ConfigError: With every mistake in them.
            NotFoundError: One of the targets means no job.
        """
        instead = None if managed is None else {MANAGED: managed.raw()}
        config = load(self._place, project_dir=self._project_dir, instead=instead)
        config = replace(config, transients=self._transients)
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

    async def __call__(
        self,
        *,
        dry_run: bool = False,
        restart: bool = True,
        edit: Edit | None = None,
        check: Check | None = None,
        by: str = "reload",
    ) -> dict[str, Any]:
        """Load the files anew; return what changes, done unless ``dry_run``.

        Args:
            dry_run: Only say what would change.
            restart: Whether services are restarted that must be, to take it in.
            edit: Changes managed.toml first; what it says then is in the answer.
            check: Looks at what was loaded; raises a ClawError to refuse.
            by: Who wants it, for the events.

        Raises:
            ConfigError: They are refused; nothing has changed.
            ClawError: As ``edit`` does; nothing has changed.
        """
        async with self._one_at_a_time:
            draft, new = await trio.to_thread.run_sync(self._load, edit, check)
            old = self._configuration.current
            changes = plan(old, new)
            if not restart:
                changes = replace(changes, live=(*changes.live, *changes.restart), restart=())
            if not dry_run:
                with trio.CancelScope(shield=True):  # a file in place is taken over, too
                    await self._carry_out(draft, old, new, changes, by)
        answer = as_json(changes)
        if draft is None:
            return answer
        return {
            "jobs": list(draft.touched),
            "file": draft.file,
            "toml": draft.shown(),
            "dry_run": dry_run,
            "plan": answer,
        }

    def _load(self, edit: Edit | None, check: Check | None) -> tuple[Managed | None, Config]:
        draft = None
        if edit is not None:
            draft = self._configuration.draft()
            edit(draft)
        new = self._configuration.load(draft)
        if check is not None:
            check(new)
        return draft, new

    async def _carry_out(
        self, draft: Managed | None, old: Config, new: Config, changes: Plan, by: str
    ) -> None:
        """Put the file in place, then take it over; take it back if that fails."""
        if draft is None:
            await self._take_over(old, new, changes, by)
            return
        try:
            await trio.to_thread.run_sync(draft.install)
        except OSError as error:
            why = error.strerror or error
            raise RequestError(f"{draft.file} cannot be written: {why}") from error
        try:
            await self._take_over(old, new, changes, by)
        except BaseException:
            if self._configuration.current is old:
                await trio.to_thread.run_sync(draft.take_back)
            raise

    async def _take_over(self, old: Config, new: Config, changes: Plan, by: str) -> None:
        restart = [name for name, _ in changes.restart]

        def take_over(turn: Turn) -> None:
            # Here, in the order of the decisions: those that wait for the store were asked
            # for earlier, and must not meet the new jobs with the old standings.
            self._configuration.current = new
            sync(turn, old=old, restart=restart, by=by)

        def undo() -> None:
            self._configuration.current = old

        await self._decide(take_over, config=new, undo=undo)
        self._on_change(new)
        self._configuration.reloads.announce()


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
