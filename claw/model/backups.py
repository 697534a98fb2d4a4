"""Backups of a home: what they are called, and which of them have served.

The name of each tells when it was made and by which version, so that a listing of any place
says all that has to be known to choose one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

_NAME = re.compile(r"claw-(?P<id>\d{8}T\d{6}\.\d{3}Z)-(?P<version>[^/]+)\.tar\.gz")
_ID = "%Y%m%dT%H%M%S.%fZ"
LATEST = "latest"
"""In place of an id: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The ``[backup]`` table."""

    every_s: float = 0.0  # 0: only when somebody asks
    to: str = ""  # a folder or s3://BUCKET/PREFIX; empty: the home's own folder
    keep_s: float = 7 * 86400.0
    rollup_s: float = 3600.0
    endpoint: str = ""  # of S3; empty: Amazon's
    region: str = "us-east-1"
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Backup:
    """One backup, as its name and its place tell of it."""

    id: str
    name: str
    size: int
    version: str

    @property
    def at(self) -> datetime:
        """When it was made, UTC."""
        return datetime.strptime(self.id, _ID).replace(tzinfo=UTC)


_GRACE_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with the backups in the configured place, as the daemon saw it last."""

    last_at: datetime | None = None  # None: none is known of
    failure: str | None = None  # what could not be done of what was due, and why
    was_looked_at: bool = False  # whether the place could be looked at since the start
    is_making: bool = False

    def is_late(self, now: datetime, every_s: float) -> bool:
        """Tell whether the newest is older than two turns, and a bit, make it."""
        age_s = float("inf") if self.last_at is None else (now - self.last_at).total_seconds()
        return age_s > 2 * every_s + _GRACE_S


def name_of(at: datetime, version: str) -> str:
    """Return what a backup is called."""
    moment = at.astimezone(UTC)
    return f"claw-{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z-{version}.tar.gz"


def read_name(name: str, size: int) -> Backup | None:
    """Return what a name tells; None: it is no backup's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    backup = Backup(found["id"], name, size, found["version"])
    try:
        _ = backup.at
    except ValueError:
        return None
    return backup


def draft_of(name: str) -> str:
    """Return what a backup is called while it is being made."""
    return f".{name}.new"


def is_draft(name: str) -> bool:
    """Tell whether that is what a backup is called while it is being made."""
    return name.endswith(".new") and read_name(name[1:-4], 0) is not None


def chosen(backups: Iterable[Backup], word: str) -> list[Backup]:
    """Return the backups that a word may mean: an id, its beginning, or ``latest``."""
    known = sorted(backups)
    if word == LATEST:
        return known[-1:]
    return [one for one in known if one.id.startswith(word) or one.name == word]


def surplus(backups: Sequence[Backup], now: datetime, settings: Settings) -> list[Backup]:
    """Return the backups that are to go, oldest first.

    All that are younger than ``rollup_s`` stay; of older ones the last of each such span of
    time (of each hour, by the clock in UTC); none beyond ``keep_s``. The newest always stays.
    """
    going = []
    known = sorted(backups)
    for one, later in pairwise(known):
        age_s = (now - one.at) / timedelta(seconds=1)
        is_old = bool(settings.keep_s) and age_s > settings.keep_s
        if is_old or (age_s > settings.rollup_s and _same_span(one, later, settings)):
            going.append(one)
    return going


def _same_span(one: Backup, later: Backup, settings: Settings) -> bool:
    span_s = settings.rollup_s
    return bool(span_s) and one.at.timestamp() // span_s == later.at.timestamp() // span_s
