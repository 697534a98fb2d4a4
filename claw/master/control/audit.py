"""The audit log: every change that anybody asked for, in lines that vouch for each other.

One JSON object a line: ``at uid user role pid method params outcome prev``, where ``prev`` is
the SHA-256 of the line before, its newline excluded (of nothing, for the first line). So no
line can be changed, taken out or put in without every later one telling; `verify` checks it.
Lines cut off at the end of the file cannot be seen by the file alone.

A line that a crash has torn is ended, never removed: the next line vouches for its bytes, and
with ``whole`` for the last whole line before it.

No secret comes here: values of environment variables are masked, as is what is called a token
or the like, what stands in a URL beside its host, and what was said in a file's own words.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from claw.kernel import files
from claw.model.masking import mask_users

START = hashlib.sha256(b"").hexdigest()
"""What the first line has as the hash of the line before it."""

MASK = "****"
_MAX_TEXT = 300
_MAX_ITEMS = 100
_MAX_DEPTH = 6
_TAIL_BYTES = 1 << 16
_SETTING = re.compile(r"([^=]*?)([+-]?=).*", re.DOTALL)
"""A change of a job: ``env.NAME=value``."""
_OF_NAMES = frozenset({"env", "headers"})
"""Tables of which only the names are told."""
_UNTOLD = frozenset({"dsn", "ping", "url", "value", "was"})
"""``value``: of a key that a change names, which may be a variable; ``was``: TOML."""
_TELLING = re.compile(r"token|password|passwd|secret|credential|cookie|auth", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: who asked for what, and what came of it.

    ``left_out``: so many refusals of the same user were not written down before this.
    """

    at: datetime
    uid: int
    user: str
    role: str
    pid: int
    method: str
    params: Mapping[str, object]
    outcome: str
    left_out: int = 0


class AuditLog:
    """Appends to the audit log; safe to use from several threads.

    Opened at the first entry, so that a home that is not written to has none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._fd = -1
        self._prev = START
        self._whole: str | None = None

    def append(self, entry: Entry) -> None:
        """Append one entry.

        Raises:
            OSError: It could not be written; the chain stays whole.
        """
        with self._lock:
            if self._fd < 0:
                self._open()
            line = self._line_of(entry)
            try:
                files.append(self._fd, line + b"\n")
            except OSError:
                self._close()  # part of the line may be there: the next one looks
                raise
            self._prev, self._whole = _hash(line), None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _line_of(self, entry: Entry) -> bytes:
        body: dict[str, object] = {
            "at": entry.at.isoformat(),
            "uid": entry.uid,
            "user": entry.user,
            "role": entry.role,
            "pid": entry.pid,
            "method": entry.method,
            "params": masked(entry.params),
            "outcome": entry.outcome,
            "prev": self._prev,
        }
        if entry.left_out:
            body["left_out"] = entry.left_out
        if self._whole is not None:
            body["whole"] = self._whole
        return json.dumps(body, separators=(",", ":")).encode()

    def _open(self) -> None:
        files.make_folder(os.path.dirname(self._path))  # noqa: PTH120
        self._fd = files.open_append(self._path)
        tail = _last_lines(self._path)
        self._prev, self._whole = START, None
        if not tail:
            return
        self._prev = _hash(tail[-1])
        if not _is_whole(tail[-1]):
            self._whole = next(
                (_hash(line) for line in reversed(tail) if _is_whole(line)), START
            )
        if not _ends_whole(self._path):
            files.append(self._fd, b"\n")

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def masked(value: object, depth: int = 0) -> object:
    """Return a value fit to be kept: secrets masked, long texts and lists cut short."""
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, str):
        value = _masked_text(value)
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, list | tuple):
        kept = [masked(each, depth + 1) for each in value[:_MAX_ITEMS]]
        return kept if len(value) <= _MAX_ITEMS else [*kept, f"… {len(value)} in all"]
    if isinstance(value, Mapping):
        shown = list(value.items())[:_MAX_ITEMS]
        return {str(key)[:_MAX_TEXT]: _masked_item(key, each, depth) for key, each in shown}
    return value


def _masked_text(text: str) -> str:
    """Return a text without what it sets a secret to, and without who a URL says one is."""
    change = _SETTING.fullmatch(text)
    if change and any(_is_secret(step.strip(" \"'")) for step in change[1].split(".")):
        return f"{change[1]}{change[2]}{MASK}"
    return mask_users(text)


def _is_secret(key: str) -> bool:
    return key in _OF_NAMES or key in _UNTOLD or _TELLING.search(key) is not None


def _masked_item(key: object, value: object, depth: int) -> object:
    name = str(key)
    if name in _OF_NAMES and isinstance(value, Mapping):
        return {str(one)[:_MAX_TEXT]: MASK for one in list(value)[:_MAX_ITEMS]}
    if name in _UNTOLD or (_is_secret(name) and not isinstance(value, Mapping)):
        return MASK
    return masked(value, depth + 1)


def verify(path: str) -> Iterator[str]:
    """Yield what is wrong with an audit log, one text for each place; nothing when whole.

    Raises:
        OSError: It cannot be read.
    """
    before, whole, is_torn = START, START, False
    with open(path, "rb") as file:  # noqa: PTH123
        for number, raw in enumerate(file, 1):
            line = raw.removesuffix(b"\n")
            body = _parse(line)
            if body is not None:
                if body["prev"] != before:
                    yield f"line {number}: it does not follow the line before it"
                elif is_torn and body.get("whole") != whole:
                    yield f"line {number}: lines before the torn one were changed"
                whole = _hash(line)
            before, is_torn = _hash(line), body is None


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) and "prev" in body else None


def _is_whole(line: bytes) -> bool:
    return _parse(line) is not None


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _ends_whole(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _last_lines(path: str) -> list[bytes]:
    """Return the last lines of a file, whole from the first one on."""
    with open(path, "rb") as file:  # noqa: PTH123
        end = file.seek(0, os.SEEK_END)
        size = _TAIL_BYTES
        while True:
            start = max(0, end - size)
            file.seek(start)
            lines = file.read(end - start).removesuffix(b"\n").split(b"\n") if end else []
            if start == 0:
                return lines
            if len(lines) > 1 and any(_is_whole(line) for line in lines[1:]):
                return lines[1:]
            size *= 2
