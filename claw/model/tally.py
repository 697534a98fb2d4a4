"""How often what happened to which jobs: counts that outlive the events they are of."""

from dataclasses import dataclass
from datetime import datetime

OTHERS = "(others)"
"""Stands for jobs that the configuration does not have, and for none; no job has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The events of one type that a job has had."""

    job: str
    type: str
    count: int
    last_at: datetime
    timed: int = 0  # so many of them are ends of runs that had begun
    seconds: float = 0.0  # which took so long, all together
