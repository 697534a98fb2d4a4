"""What is heard from the master, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Linked:
    """A master answers.

    Attributes:
        hello: What ``hello`` was answered.
    """

    hello: Json


@dataclass(frozen=True, slots=True)
class Away:
    """No master answers.

    Attributes:
        why: What is wrong, and what to do.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Jobs:
    """How jobs are.

    Attributes:
        reply: What ``job.status`` was answered.
        is_all: Whether these are all.
        at: When, in monotonic seconds.
    """

    reply: Json
    is_all: bool
    at: float


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of another tab.

    Attributes:
        tab: Which.
        rows: All of them.
        is_more: Whether there are older ones.
    """

    tab: str
    rows: list[Json]
    is_more: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What the head of the screen shows.

    Attributes:
        daemon: What ``daemon.status`` was answered.
        alerts: What ``alert.list`` was.
    """

    daemon: Json
    alerts: list[Json]


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of one thing.

    Attributes:
        about: Its kind and name.
        parts: Answers by method; or ``error``.
    """

    about: tuple[str, str]
    parts: Json


@dataclass(frozen=True, slots=True)
class Output:
    """Output that has come.

    Attributes:
        asked: What was followed; see `LogPane.asked`.
        text: The lines; '': none.
        note: What is to be said beside; None: nothing new.
    """

    asked: tuple[str, str, bool]
    text: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of something that was asked for.

    Attributes:
        text: In words, on one line.
        is_error: Whether it was refused.
    """

    text: str
    is_error: bool = False


News = Linked | Away | Jobs | Table | Figures | Detail | Output | Done


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the screen needs to know just now.

    Attributes:
        tab: The tab that is shown.
        names: The jobs that are on the screen.
        about: Of what all is to be known.
        runs_of: Only runs of this job; '': of all.
        runs: How many runs.
        again: Changes when all is to be asked anew.
    """

    tab: str = "jobs"
    names: tuple[str, ...] = ()
    about: tuple[str, str] | None = None
    runs_of: str = ""
    runs: int = 200
    again: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that is wanted of the master.

    Attributes:
        method: By which method.
        params: With which parameters.
        says: What it is, in words: ``stop web``.
        reply: Which answer it has; see `replies`.
    """

    method: str
    params: Json = field(default_factory=dict)
    says: str = ""
    reply: str = "acted"


@dataclass(frozen=True, slots=True)
class Edit:
    """A job is to be edited, in an editor that has the screen for itself."""

    job: str


@dataclass(frozen=True, slots=True)
class Remember:
    """The columns and orders are to be kept."""


@dataclass(frozen=True, slots=True)
class Leave:
    """It is over."""


@dataclass(frozen=True, slots=True)
class Suspend:
    """The shell is to have the terminal, until it gives it back."""


@dataclass(frozen=True, slots=True)
class Redraw:
    """Nothing is to be taken for drawn."""


Effect = Ask | Edit | Remember | Leave | Suspend | Redraw
"""What a key has led to that is no matter of the screen's own."""
