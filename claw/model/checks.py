"""Checks: how a child is known to be ready, and how a service is known to be well.

Readiness is learnt once for each attempt; health is asked for again and again from then on.
Both may look at the child from outside, by the same `Probe`.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class ReadyType(StrEnum):
    """What tells that a child is ready."""

    NONE = "none"
    NOTIFY = "notify"
    FD = "fd"
    LOG = "log"
    TCP = "tcp"
    HTTP = "http"
    FILE = "file"
    EXEC = "exec"
    DELAY = "delay"


class HealthType(StrEnum):
    """What tells that a service is well."""

    PROCESS = "process"
    HTTP = "http"
    TCP = "tcp"
    FILE = "file"
    EXEC = "exec"


class HealthAction(StrEnum):
    """What is done about a service that is not well."""

    RESTART = "restart"
    ALERT = "alert"


HEALTHY, UNHEALTHY = "healthy", "unhealthy"
"""What a check says of a service, stored and sent by name."""

ALIVE_S = 1.0
"""With no readiness of its own, a child that has lived so long counts as ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One look at a child from outside; of the fields, those of its kind count."""

    url: str = ""
    expected_status: int = 200
    expected_body: str = ""  # a part of the answer; empty: any
    address: str = ""  # HOST:PORT, or the absolute path of a Unix socket
    path: str = ""
    max_age_s: float | None = None  # None: written since the child was started
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """How a child is known to be ready."""

    type: ReadyType = ReadyType.NONE
    timeout_s: float = 30.0  # 0: none
    interval_s: float = 1.0
    probe: Probe = field(default_factory=Probe)
    pattern: str = ""
    fd: int = 3
    delay_s: float = ALIVE_S  # with none and delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a service is known to be well, and what is done when it is not."""

    type: HealthType = HealthType.PROCESS
    interval_s: float = 30.0
    timeout_s: float = 10.0
    start_period_s: float = 20.0
    failures: int = 3  # in a row
    action: HealthAction = HealthAction.RESTART
    watchdog_s: float = 0.0  # sd_notify(3), WATCHDOG=1; 0: none
    probe: Probe = field(default_factory=Probe)


def is_same_for_child(old: Health | None, new: Health | None) -> bool:
    """Tell whether a running child need not be made anew for another way to check it."""
    return _of_child(old) == _of_child(new)


def _of_child(health: Health | None) -> tuple[float, tuple[str, ...]]:
    """Return what of a check a child is launched with: its watchdog, its command."""
    return (0.0, ()) if health is None else (health.watchdog_s, health.probe.argv)
