"""What a job that is there for one run only has beside what any job has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Transient:
    """Who asked for the run, and when it may begin."""

    groups: tuple[int, ...] | None = None  # of who asked; None: those of the user it runs as
    after: str = ""  # a run that has to end well first
