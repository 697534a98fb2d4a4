"""Whether what a job waits for is there, and if not, why not, in words.

``ready``: every instance of a service has a child that is ready; of another job one run
is, or has ended well since. ``to complete``: a run of it has ended well since the waiting
run was asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from claw.model import instances, machine, outcome
from claw.model.gates import Standing
from claw.model.graph import Need
from claw.model.job import Job, JobType
from claw.model.run import Phase, Run, State
from claw.model.units import format_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How a job is doing that others wait for."""

    job: Job
    standing: Standing
    closed: str | None  # why nothing of it begins: see `gates.closed`
    open_runs: Mapping[int, Run]  # those that serve, or will, by instance
    stopped: frozenset[int] = frozenset()  # instances that are stopped alone
    ready: frozenset[str] = frozenset()  # ids of those of them whose child is ready
    last: Run | None = None  # the last run that is over
    succeeded_at: datetime | None = None  # when the newest run that ended well did

    @property
    def is_service(self) -> bool:
        """Whether it is to run all the time."""
        return self.job.type is JobType.CONTINUOUS

    @property
    def wanted(self) -> list[int]:
        """The instances that have to be ready; those that are stopped alone are passed over."""
        numbers = instances.numbers(self.job, self.standing)
        return [no for no in numbers if no not in self.stopped]

    @property
    def absent(self) -> list[int]:
        """The instances that nobody has begun."""
        return [no for no in self.wanted if no not in self.open_runs]


def unmet(need: Need, provider: Provider, since: datetime) -> str | None:
    """Return why a need is not met, in words, or None when it is.

    Args:
        need: What is waited for.
        provider: The job that it is waited for of.
        since: When the waiting run was asked for.
    """
    if _has_succeeded(provider, since) and (need.to_complete or not provider.is_service):
        return None
    name = provider.job.name
    if need.to_complete:
        return f"waits for {name} to end well: {_how(provider, provider.wanted)}"
    late = [no for no in provider.wanted if not _is_ready(provider, no)]
    if late or not provider.wanted:
        return f"waits for {name} to be ready: {_how(provider, late)}"
    return None


def turned_away(need: Need, provider: Provider) -> str:
    """Return why a run is given up that has waited too long."""
    what = "had not ended well" if need.to_complete else "was not ready"
    waited = format_duration(need.timeout_s)
    how = _how(provider, [no for no in provider.wanted if not _is_ready(provider, no)])
    return f"depends_on: {provider.job.name} {what} within {waited}: {how}"


def _has_succeeded(provider: Provider, since: datetime) -> bool:
    if provider.job.type is JobType.ONESHOT and provider.standing.done_at is not None:
        return True  # it runs but once
    return provider.succeeded_at is not None and provider.succeeded_at >= since


def _is_ready(provider: Provider, no: int) -> bool:
    run = provider.open_runs.get(no)
    return run is not None and run.id in provider.ready


def _how(provider: Provider, numbers: list[int]) -> str:
    """Return how the first of some instances is doing."""
    name, several = provider.job.name, instances.wanted(provider.job, provider.standing) > 1
    if not numbers:
        return f"every instance of {name} is stopped: clawctl start {name}"
    label = instances.label(name, numbers[0] if several else None)
    run = provider.open_runs.get(numbers[0])
    if run is None:
        return f"{label} is {_absence(provider)}"
    return f"{label} {_presence(run)}"


def _absence(provider: Provider) -> str:
    """Return why a job has no run, and what to type."""
    name = provider.job.name
    if provider.closed is not None:
        return provider.closed
    if provider.job.type is JobType.ONESHOT:
        return "planned for its own time"
    if provider.last is None:
        return f"not running: clawctl start {name}"
    return f"not running, its last run {_end(provider.last)}: clawctl start {name}"


def _end(run: Run) -> str:
    if run.exit_code is None and run.signal is None:
        return f"{run.state}, {run.reason}" if run.reason else str(run.state)
    return f"{run.state}, {machine.exit_text(run.exit_code, run.signal)}"


def _presence(run: Run) -> str:
    """Return what keeps an open run from being ready."""
    if run.state is State.RETRY_WAIT:
        return f"waits for its next attempt ({run.waiting_for})"
    if run.state is State.QUEUED:
        return f"waits itself ({run.waiting_for})" if run.waiting_for else "is about to start"
    if run.stop_why == outcome.RESTART:
        return "is being restarted"
    if run.stop_why is not None or run.phase is Phase.STOPPING:
        return "is being stopped"
    if run.phase is Phase.BACKOFF:
        ended = machine.exit_text(run.exit_code, run.signal)
        return f"waits to be restarted, its last child ended: {ended}"
    return "is running" if run.phase is Phase.UP else "is starting"
