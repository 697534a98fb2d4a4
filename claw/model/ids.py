"""Names of jobs, runs and supervisors.

A run id is ``r`` and a UUIDv7 (RFC 9562) in lower-case base32hex (RFC 4648), which
sorts as time does; a supervisor id is the same with ``s``.
"""

import base64
import re

JOB_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
RUN_ID = re.compile(r"r[0-9a-v]{26}")
BATCH_ID = re.compile(r"b[0-9a-v]{26}")
BRIDGE_ID = re.compile(r"k[0-9a-v]{26}")
SHORT_LENGTH = 6


_MOST_TOLD_APART = 0xFFF


def _uuid7(at_ms: int, random: bytes) -> int:
    value = int.from_bytes(at_ms.to_bytes(6, "big") + random[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76  # version 7
    return value & ~(0x3 << 62) | 0x2 << 62  # RFC 9562 variant


def _sortable(at_ms: int, random: bytes) -> str:
    value = _uuid7(at_ms, random) << 2  # 128 bits are 26 digits of five, the last one filled up
    return "".join([_PAIRS[value >> shift & 0x3FF] for shift in _SHIFTS])


_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_SHIFTS = range(120, -1, -10)
"""Each run has an id, and `base64` takes twice as long to write one."""


def run_id(at_ms: int, random: bytes, no: int = 0) -> str:
    """Return a new run id.

    Args:
        at_ms: Milliseconds since the epoch, UTC.
        random: Ten or more random bytes.
        no: Of runs that are made at one time the first 4095 are in the order of their numbers,
            in place of random bits (RFC 9562, 6.2, method 1).
    """
    first = min(no, _MOST_TOLD_APART).to_bytes(2, "big")
    return "r" + _sortable(at_ms, first + random[2:])


def batch_id(at_ms: int, random: bytes) -> str:
    """Return a new id of a batch of runs; arguments as for `run_id`."""
    return "b" + _sortable(at_ms, random)


def event_id(at_ms: int, random: bytes) -> str:
    """Return a new id of an event that came in; arguments as for `run_id`."""
    return "e" + _sortable(at_ms, random)


def bridge_id(at_ms: int, random: bytes) -> str:
    """Return a new id of a token for events; arguments as for `run_id`."""
    return "k" + _sortable(at_ms, random)


def millis_of(some_id: str) -> int:
    """Return when a whole id was made, in milliseconds since the epoch."""
    text = some_id[1:].upper()
    return int.from_bytes(base64.b32hexdecode(text + "=" * (-len(text) % 8))[:6], "big")


def is_batch_id(text: str) -> bool:
    """Tell whether a text has the shape of a whole id of a batch."""
    return BATCH_ID.fullmatch(text) is not None


def is_bridge_id(text: str) -> bool:
    """Tell whether a text has the shape of the id of a token for events."""
    return BRIDGE_ID.fullmatch(text) is not None


def supervisor_id(at_ms: int, random: bytes) -> str:
    """Return a new supervisor id; arguments as for `run_id`."""
    return "s" + _sortable(at_ms, random)


def is_run_id(text: str) -> bool:
    """Tell whether a text has the shape of a whole run id."""
    return RUN_ID.fullmatch(text) is not None


def short(run: str) -> str:
    """Return what people see of a run id: its last six characters."""
    return run[-SHORT_LENGTH:]


_OWN_LOGS = ("clawd.log", "audit.log")


def name_problem(name: str) -> str | None:
    """Return what is wrong with a job name, or None when it is a good one."""
    if name == "all":
        return "'all' means every job and cannot be a job's name"
    if RUN_ID.fullmatch(name) or BATCH_ID.fullmatch(name):
        return f"it is shaped like {'a run id' if is_run_id(name) else 'the id of a batch'}"
    if name.startswith(_OWN_LOGS):
        return "claw's own log has that name: choose another one"
    if JOB_NAME.fullmatch(name):
        return None
    if "/" in name or name.startswith("."):
        return "a job's name cannot be a path: letters, digits, '_', '.', '-' only"
    return "letters, digits, '_', '.', '-' only, not starting with '.' or '-', at most 64"
