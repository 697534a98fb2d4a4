"""Pools: slots that the runs of several jobs share, ``[pools.NAME]``."""

from dataclasses import dataclass
from enum import StrEnum


class OnPoolBusy(StrEnum):
    """What becomes of a run that finds too few slots of its pool free."""

    QUEUE = "queue"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class PoolUse:
    """What each run of a job takes of a pool."""

    name: str
    slots: int = 1
