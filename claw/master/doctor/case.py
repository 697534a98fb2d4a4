"""What checks are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from claw.master.wiring import ConfigHolder
from claw.model.alerts import Alert
from claw.model.backups import Standing
from claw.model.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What only a running daemon knows."""

    pid: int
    started_at: datetime
    version: str
    is_changed: bool  # the configuration's files
    trouble: str | None  # of the store
    fork_server_pid: int | None
    supervisors: Sequence[tuple[str, str, str]]  # sid, job and version of those at work
    silent: Sequence[str]  # the jobs of those that do not answer
    strange: Sequence[str]  # sids that have a journal, and that the store does not know
    open_runs: frozenset[str]
    secrets: Sequence[tuple[str, str, str | None]]  # name, who refers to it, what is wrong
    alerts: Sequence[Alert]
    log_total: int
    backups: Standing
    metrics_trouble: str | None  # of the file of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A home, and who looks at it."""

    home: Home
    configuration: ConfigHolder
    now: datetime
    known: Known | None  # None: no daemon runs
