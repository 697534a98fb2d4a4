"""The chain of dependencies that holds a run: what it waits for, and what that waits for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from claw.master.engine import needs
from claw.model.graph import Need
from claw.model.job import Config
from claw.model.needs import Provider
from claw.model.run import Run, State
from claw.model.units import format_duration
from claw.store.records import Tx


def chain(tx: Tx, config: Config, run: Run, now: datetime) -> list[str]:
    """Return what a queued run waits for of other jobs, and these of others, step by step."""
    if run.state is not State.QUEUED or run.due_at > now:
        return []
    return list(_Chain(tx, config, now).steps(run, 1, frozenset({run.job})))


class _Chain:
    def __init__(self, tx: Tx, config: Config, now: datetime) -> None:
        self._tx = tx
        self._config = config
        self._now = now

    def steps(self, run: Run, depth: int, seen: frozenset[str]) -> Iterator[str]:
        """Yield what a run waits for, each with what that waits for."""
        for need, why in needs.unmet(self._config.graph.needs(run.job), run, self._look):
            yield f"{'  ' * depth}{run.job} {why}{_until(need, run, self._now)}"
            if need.job not in seen:
                for other in self._look(need.job).open_runs.values():
                    if other.state is State.QUEUED:
                        yield from self.steps(other, depth + 1, seen | {need.job})

    def _look(self, name: str) -> Provider:
        job = self._config.job(name)
        if job is None:
            raise LookupError(name)
        return needs.provider(self._tx, job, self._now)


def _until(need: Need, run: Run, now: datetime) -> str:
    if not need.timeout_s:
        return ""
    left = run.due_at + timedelta(seconds=need.timeout_s) - now
    return f" (for {format_duration(max(left.total_seconds(), 0.0))} more)"
