"""The audit log: every change that anybody asked for, in lines that vouch for each other.

One JSON object a line: ``at uid user role pid method params outcome prev``, where ``prev`` is
the SHA-256 of the line before, its newline excluded (of nothing, for the first line). So no
line can be changed, taken out or put in without every later one telling, which
`claw.client.auditlog` checks. Lines cut off at the end of the file cannot be seen that way.

A file that has grown beyond `MAX_BYTES` becomes ``audit-TIME.log``, and the first line of the
next one vouches for its last one; claw removes none of them. A file that is moved away by
somebody else is followed by the next one in the same way.

A line that a crash has torn is ended, never removed: the next line vouches for its bytes, and
with ``whole`` for the last whole line before it.

No secret comes here: values of environment variables are masked, as is what is called a token
or the like, what stands in a URL beside its host, and what was said in a file's own words; and
each value that claw knows to be a secret's, wherever somebody has put it.
"""

import contextlib
import json
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

from claw.client import auditlog
from claw.commands.method import ADMIN
from claw.kernel import files
from claw.model import auditchain
from claw.model.auditchain import is_whole
from claw.model.masking import MASK, mask_users

Hide = Callable[[str], str]
"""Returns a text without the secrets that are known (`claw.model.redact`)."""
MAX_BYTES = 10 << 20
ROTATED = "audit.rotated"
"""What stands in the place of a method in the first line of a file that follows another."""
_STAMP = "%Y%m%dT%H%M%S"
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
_compact = json.JSONEncoder(separators=(",", ":")).encode
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

    def __init__(self, path: str, max_bytes: int = MAX_BYTES, hide: Hide = str) -> None:
        """Take where it is, how large a file becomes, and what hides secrets."""
        self._path = path
        self._hide = hide
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._fd = -1
        self._prev = auditchain.START
        self._whole: str | None = None
        self._follows = ""
        self._size = 0

    def append(self, *entries: Entry) -> None:
        """Append some entries, in one piece.

        Raises:
            OSError: They could not be written, or not all; the chain stays whole.
        """
        if not entries:
            return
        with self._lock:
            if self._fd < 0 or not self._is_in_place():
                self._open()
            elif os.fstat(self._fd).st_size != self._size:  # somebody else has been at it
                self._end_line()
            if self._follows:
                self._write([self._first(entries[0])])
                self._follows = ""
            self._write(entries)
            if self._size >= self._max_bytes:
                self._rotate(entries[-1].at)

    def _write(self, entries: Sequence[Entry]) -> None:
        lines, prev, whole = [], self._prev, self._whole
        for entry in entries:
            lines.append(self._line_of(entry, prev, whole))
            prev, whole = auditchain.hash_of(lines[-1]), None
        try:
            files.append(self._fd, b"\n".join([*lines, b""]))
        except OSError:
            self._close()  # part of it may be there: the next one looks
            raise
        self._prev, self._whole = prev, whole
        self._size = os.fstat(self._fd).st_size

    def _end_line(self) -> None:
        """See that what is appended next begins a line."""
        if os.fstat(self._fd).st_size and not _ends_whole(self._path):
            files.append(self._fd, b"\n")

    def _is_in_place(self) -> bool:
        return files.inode_at(self._path) == files.inode_of(self._fd)

    def _rotate(self, at: datetime) -> None:
        """Go on in another file; where that cannot be, this one goes on."""
        folder = os.path.dirname(self._path)  # noqa: PTH120
        stem = f"{folder}/audit-{at.astimezone(UTC).strftime(_STAMP)}"
        names = chain([stem], (f"{stem}-{number}" for number in count(2)))
        path = next(f"{name}.log" for name in names if not os.path.lexists(f"{name}.log"))
        with contextlib.suppress(OSError):
            os.rename(self._path, path)  # noqa: PTH104
            self._close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _first(self, entry: Entry) -> Entry:
        """Return the entry that begins a file by vouching for the one before."""
        own = os.geteuid()
        about = {"from": self._follows}
        return replace(
            entry, uid=own, user=f"uid {own}", role=ADMIN, pid=os.getpid(),
            method=ROTATED, params=about, outcome="ok", left_out=0,
        )  # fmt: skip

    def _line_of(self, entry: Entry, prev: str, whole: str | None) -> bytes:
        body: dict[str, object] = {
            "at": entry.at.isoformat(),
            "uid": entry.uid,
            "user": entry.user,
            "role": entry.role,
            "pid": entry.pid,
            "method": entry.method,
            "params": masked(entry.params, self._hide),
            "outcome": entry.outcome,
            "prev": prev,
        }
        if entry.left_out:
            body["left_out"] = entry.left_out
        if whole is not None:
            body["whole"] = whole
        return _compact(body).encode()

    def _open(self) -> None:
        """Open the file, and see which line the next one follows.

        A file that begins follows what was written here last, or the newest that is there.
        """
        self._close()
        folder = os.path.dirname(self._path)  # noqa: PTH120
        files.make_folder(folder)
        self._fd = files.open_append(self._path)
        tail = _last_lines(self._path)
        if not tail:
            self._begin_file(folder)
            return
        earlier = self._prev
        self._prev, self._whole = auditchain.hash_of(tail[-1]), None
        self._follows = ""
        if not is_whole(tail[-1]):
            whole = (auditchain.hash_of(line) for line in reversed(tail) if is_whole(line))
            found = next(whole, None)
            self._whole = found or self._before_file(folder, earlier)[0]
        self._end_line()

    def _begin_file(self, folder: str) -> None:
        self._whole = None
        self._prev, earlier = self._before_file(folder, self._prev)
        if self._prev != auditchain.START:
            self._follows = earlier or "a file that was moved away"

    def _before_file(self, folder: str, known: str) -> tuple[str, str]:
        """Return the hash of what the file follows, and the name of the newest other one.

        Args:
            folder: Of the files.
            known: The hash of what was written last by this process.
        """
        names = [name for name in auditlog.files_in(folder) if name != auditlog.NAME]
        earlier = max(names, key=lambda name: _changed_at(f"{folder}/{name}"), default="")
        if earlier and known == auditchain.START:
            tail = _last_lines_left(f"{folder}/{earlier}")
            return (auditchain.hash_of(tail[-1]) if tail else known), earlier
        return known, earlier

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def masked(value: object, hide: Hide = str, depth: int = 0) -> object:
    """Return a value fit to be kept: secrets masked, long texts and lists cut short."""
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, str):
        value = _masked_text(hide(value))
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    if isinstance(value, list | tuple):
        kept = [masked(each, hide, depth + 1) for each in value[:_MAX_ITEMS]]
        return kept if len(value) <= _MAX_ITEMS else [*kept, f"… {len(value)} in all"]
    if isinstance(value, Mapping):
        return _masked_items(value, hide, depth)
    return value


def _masked_items(value: Mapping[Any, object], hide: Hide, depth: int) -> dict[str, object]:
    """Return a table; the names of parameters themselves are no one's secret."""
    found: dict[str, object] = {}
    for key, each in list(value.items())[:_MAX_ITEMS]:
        name = hide(str(key)) if depth else str(key)
        found[name[:_MAX_TEXT]] = _masked_item(str(key), each, hide, depth)
    return found


def _masked_text(text: str) -> str:
    """Return a text without what it sets a secret to, and without who a URL says one is."""
    change = _SETTING.fullmatch(text)
    if change and any(_is_secret(step.strip(" \"'")) for step in change[1].split(".")):
        return f"{change[1]}{change[2]}{MASK}"
    return mask_users(text)


def _is_secret(key: str) -> bool:
    return key in _OF_NAMES or key in _UNTOLD or _TELLING.search(key) is not None


def _masked_item(name: str, value: object, hide: Hide, depth: int) -> object:
    if name in _OF_NAMES and isinstance(value, Mapping):
        return {hide(str(one))[:_MAX_TEXT]: MASK for one in list(value)[:_MAX_ITEMS]}
    if name in _UNTOLD or (_is_secret(name) and not isinstance(value, Mapping)):
        return MASK
    return masked(value, hide, depth + 1)


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def _ends_whole(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _last_lines_left(path: str) -> list[bytes]:
    """Return the same of a file that somebody may have packed, and damaged."""
    try:
        return _last_lines(path)
    except auditlog.DAMAGES:  # whoever checks is told
        return []


def _last_lines(path: str) -> list[bytes]:
    """Return the last lines of a file, whole from the first one on; of a packed one, too."""
    with auditlog.opened(path) as file:
        end = file.seek(0, os.SEEK_END)
        size = _TAIL_BYTES
        while True:
            start = max(0, end - size)
            file.seek(start)
            lines = file.read(end - start).removesuffix(b"\n").split(b"\n") if end else []
            if start == 0:
                return lines
            if len(lines) > 1 and any(is_whole(line) for line in lines[1:]):
                return lines[1:]
            size *= 2
