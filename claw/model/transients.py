"""The jobs that are there for one run only, as a master has them at hand."""

from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """A job, as far as it matters here."""

    @property
    def name(self) -> str:
        """What it is called."""


T = TypeVar("T", bound=Named)
_RECENT = 200


class Transients(Generic[T]):
    """Jobs that are there for one run only, by name.

    The configurations that follow each other share one. It is read from any thread and
    changed by the one that decides.
    """

    __slots__ = ("_open", "_recent")

    def __init__(self) -> None:
        self._open: dict[str, T] = {}
        self._recent: dict[str, T] = {}

    def get(self, name: str) -> T | None:
        """Return the job of that name, if it has an open run or was asked for lately."""
        return self._open.get(name) or self._recent.get(name)

    def add(self, job: T) -> None:
        """Take in a job that has an open run."""
        self._open[job.name] = job

    def is_open(self, name: str) -> bool:
        """Tell whether a job has an open run."""
        return name in self._open

    def keep(self, job: T) -> None:
        """Have a job at hand for a while."""
        self._recent[job.name] = job
        while len(self._recent) > _RECENT:
            self._recent.pop(next(iter(self._recent)), None)

    def retire(self, name: str) -> None:
        """Note that a job has no open run any more."""
        job = self._open.pop(name, None)
        if job is not None:
            self.keep(job)

    @property
    def are_any_open(self) -> bool:
        """Whether there are jobs that have open runs."""
        return bool(self._open)

    @property
    def open(self) -> tuple[T, ...]:
        """Those that have open runs."""
        return tuple(self._open.values())
