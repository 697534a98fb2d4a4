"""The gate of operating hours: who would begin outside them is skipped, waits, or is told of.

What has begun within its hours goes on beyond them. A further attempt of a run waits for
them to begin again, whatever is said of others: it has begun, and cannot be skipped.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from claw.errors import ConflictError
from claw.master.engine import alerts
from claw.master.engine.turn import Turn
from claw.model import gates as of_gates
from claw.model import ids, machine
from claw.model.effect import Dispatch
from claw.model.job import Job
from claw.model.run import Run
from claw.model.timing import Hours, Outside
from claw.schedule import hours
from claw.store.records import Tx

OUTSIDE = "outside_hours"
"""Kind of the alert, and of the event, of a run that began outside its hours."""


class OpenHours:
    """One look at the hours of jobs; each job is looked at once."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._opens: dict[str, datetime | None] = {}
        self.next_opening: datetime | None = None

    def turn_away(self, job: Job, run: Run) -> bool:
        """Skip a run that has come outside its hours, if it is to be."""
        closed = self._closed(job, run)
        if closed is None or closed.outside is not Outside.SKIP or run.attempt:
            return False
        why = f"hours: outside {closed.label}"
        self._turn.take(run, machine.turn_away(run, why=why, at=self._turn.now))
        return True

    def held(self, job: Job, due: Sequence[Run]) -> dict[str, str]:
        """Return why runs wait for the hours of their job, by run."""
        found = {}
        for run in due:
            closed = self._closed(job, run)
            if closed is None or closed.outside is Outside.ALERT:
                continue
            opens = self._opens[job.name]
            found[run.id] = f"hours: outside {closed.label}"
            if opens is not None:
                found[run.id] += f", waits until {clock_text(opens)}"
                self.next_opening = min(opens, self.next_opening or opens)
        return found

    def gates(self, job: Job, runs: Iterable[str]) -> dict[str, str]:
        """Return at which gate runs wait for the hours of their job, by run.

        Those of a job that needs others are looked at in each pass, and so are those whose
        hours do not come.
        """
        opens = self._opens.get(job.name)
        if opens is None or self._turn.config.graph.needs(job.name):
            return {}
        return dict.fromkeys(runs, of_gates.until(opens))

    def tell(self, job: Job, run: Run) -> None:
        """Say that a run begins outside its hours, if that is so."""
        closed = self._closed(job, run)
        if closed is None or closed.outside is not Outside.ALERT:
            return
        text = f"run {ids.short(run.id)} of {job.name} begins outside its hours, {closed.label}"
        self._turn.note(f"run.{OUTSIDE}", job=job.name, run=run.id, why=closed.label)
        alerts.raise_alert(self._turn, OUTSIDE, job.name, run.id, text)

    def _closed(self, job: Job, run: Run) -> Hours | None:
        """Return the hours of a job when a run of it may not begin now."""
        if job.hours is None or run.forced:
            return None
        if job.name not in self._opens:
            self._opens[job.name] = hours.opens_at(job.hours, self._turn.now)
        return None if self._opens[job.name] == self._turn.now else job.hours


def resume(turn: Turn) -> datetime | None:
    """Look at those whose hours have begun; return when the next ones' will."""
    following = _next_opening(turn.tx)
    if following is not None and following <= turn.now:
        turn.tx.look_until(of_gates.until(turn.now))
        following = _next_opening(turn.tx)
    return following


def _next_opening(tx: Tx) -> datetime | None:
    """Return when the first of the gates opens that open at a time."""
    gate = tx.first_gate(_FIRST, _LAST)
    return None if gate is None else of_gates.opens_at(gate)


def look_again(turn: Turn) -> None:
    """Look at all who wait for their hours: the clock may have been set."""
    if turn.tx.look_until(_LAST):
        turn.emit(Dispatch())


_FIRST = of_gates.until(datetime.min.replace(tzinfo=UTC))
_LAST = of_gates.until(datetime.max.replace(tzinfo=UTC))


def check(job: Job, at: datetime) -> None:
    """Refuse what a person asks for that would only be skipped.

    Raises:
        ConflictError: It is outside the job's hours then.
    """
    if job.hours is None or job.hours.outside is not Outside.SKIP:
        return
    opens = hours.opens_at(job.hours, at)
    if opens != at:
        when = "" if opens is None else f", which begin {clock_text(opens)}"
        raise ConflictError(
            f"job {job.name!r} runs {job.hours.label} only{when}", hint="or use --force"
        )


def clock_text(at: datetime) -> str:
    """Return a time as people read it, on the daemon's clock."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
