"""Pings: calls to an outside dead-man's switch, as healthchecks.io has them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit


class PingKind(StrEnum):
    """What has become of a run."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


_SUFFIXES = {PingKind.START: "/start", PingKind.SUCCESS: "", PingKind.FAIL: "/fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """The last call for a job; a row of the store."""

    job: str
    run: str
    kind: PingKind
    asked_at: datetime
    done_at: datetime | None = None  # None: it is still to be made
    problem: str | None = None  # why it could not be made


def url_of(base: str, kind: PingKind) -> str:
    """Return what to GET: the URL itself for a success, ``/start`` or ``/fail`` beneath it.

    https://healthchecks.io/docs/http_api/ names them; a query stays behind the path.
    """
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + _SUFFIXES[kind]))
