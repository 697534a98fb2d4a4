"""What is looked for in the output of a run that has ended, and what is done about it."""

from dataclasses import dataclass
from enum import StrEnum

BOTH = "both"


class Then(StrEnum):
    """What becomes of a run in whose output something is found."""

    FAIL = "fail"
    WARN = "warn"
    ALERT = "alert"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is looked for."""

    match: str  # a regular expression; ^ and $ are the ends of lines
    stream: str = BOTH  # or stdout, stderr
    then: Then = Then.FAIL
