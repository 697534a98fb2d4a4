"""The lines of the audit log, which vouch for each other; see `claw.master.control.audit`.

A line has in ``prev`` the hash of the line before. What a crash has torn stays, as a line that
is none; the next one vouches for its bytes, and with ``whole`` for the last whole line before.
The first line of a file that follows another one has the hash of that one's last line.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

START = hashlib.sha256(b"").hexdigest()
"""What the first line of all has as the hash of the line before it."""


def hash_of(line: bytes) -> str:
    """Return the hash of a line, its newline excluded."""
    return hashlib.sha256(line).hexdigest()


def is_whole(line: bytes) -> bool:
    """Tell whether a line is an entry, and not what a crash has left of one."""
    return _parse(line) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One file of the chain.

    Attributes:
        name: The file.
        after: The hash of what it follows.
        last: The hash of its last line.
        wrong: What is wrong within it, one text for each place.
        end: What is wrong with its last line, for which the next one is still to vouch.
    """

    name: str
    after: str
    last: str
    wrong: tuple[str, ...]
    end: str = ""


def read(name: str, lines: Iterable[bytes]) -> Link:
    """Return what the lines of one file say; newlines at their ends do not count."""
    after: str | None = None
    before, whole, is_torn = START, START, False
    wrong, end = [], ""
    for number, raw in enumerate(lines, 1):
        line = raw.removesuffix(b"\n")
        body = _parse(line)
        if body is not None:
            if after is None:
                # The first whole line says what the file follows; torn ones may be before it.
                after = whole = str(body["prev"] if number == 1 else body.get("whole", START))
                before = after if number == 1 else before
            if body["prev"] != before:
                wrong.append(f"line {number}: it does not follow the line before it")
            elif is_torn and body.get("whole") != whole:
                wrong.append(f"line {number}: lines before the torn one were changed")
            whole = hash_of(line)
        before, is_torn = hash_of(line), body is None
        end = "" if body is not None else f"line {number}: {_no_entry(raw)}"
    after = START if after is None else after
    return Link(name=name, after=after, last=before, wrong=tuple(wrong), end=end)


def verify(links: Sequence[Link], newest: str) -> Iterator[str]:
    """Yield what is wrong with a chain of files, one text for each place.

    Args:
        links: Its files, in any order.
        newest: The one that is written to now.
    """
    by_last = {one.last: one for one in links if one.name != newest}
    at = next((one for one in links if one.name == newest), None)
    left = {one.name for one in links}
    while at is not None:
        left.discard(at.name)
        yield from (f"{at.name}: {text}" for text in at.wrong)
        if at.name == newest and at.end:
            yield f"{at.name}: {at.end}"
        if at.after == START:
            break
        earlier = by_last.get(at.after)
        if earlier is None or earlier.name not in left:
            yield f"{at.name}: the file that it follows is gone, or its end was changed"
            break
        at = earlier
    for name in sorted(left):
        yield f"{name}: no file follows it: a later one is gone, or its beginning was changed"


def _no_entry(raw: bytes) -> str:
    """Return what is to be said of a last line that is none: a crash leaves it no end."""
    if raw.endswith(b"\n"):
        return "it is no entry"
    return "it has no end: a crash has torn it, or somebody has cut it off"


def _parse(line: bytes) -> dict[str, object] | None:
    try:
        body = json.loads(line)
    except ValueError:
        return None
    return body if isinstance(body, dict) and "prev" in body else None
