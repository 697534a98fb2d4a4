"""The lines of the audit log, which vouch for each other; see `claw.master.control.audit`.

A line has in ``prev`` the hash of the line before. What a crash has torn stays, as a line that
is none; the next one vouches for its bytes, and with ``whole`` for the last whole line before.
The first line of a file that follows another one has the hash of that one's last line.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

START = hashlib.sha256(b"").hexdigest()
"""What the first line of all has as the hash of the line before it."""


def hash_of(line: bytes) -> str:
    """Return the hash of a line, its newline excluded."""
    return hashlib.sha256(line).hexdigest()


def is_whole(line: bytes) -> bool:
    """Tell whether a line is an entry, and not what a crash has left of one."""
    return _parse(line) is not None


SEEN = "audit.seen"
"""The method by which an admin says that something that is wrong has been seen to."""
_MARK = 12


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong with the chain.

    Attributes:
        text: Where and what.
        mark: Names it for good, whatever its file is called later, and what is on both sides of
            it: with another line before or after it, it is something else that is wrong.
        line: Where in its file; 0: before it, `BEHIND`: after it.
    """

    text: str
    mark: str
    line: int


BEHIND = sys.maxsize


def _wrong(text: str, line: int, *about: str) -> Wrong:
    return Wrong(text, hash_of(" ".join(about).encode())[:_MARK], line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One file of the chain.

    Attributes:
        name: The file.
        after: The hash of what it follows.
        last: The hash of its last line.
        wrong: What is wrong within it.
        end: What is wrong with its last line, for which the next one is still to vouch.
        seen: The marks of what has been seen to, as entries of this file say, each with the
            last line that says so.
        is_damaged: No line of it can be read; ``last`` is the hash of what is there.
    """

    name: str
    after: str
    last: str
    wrong: tuple[Wrong, ...]
    end: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)
    is_damaged: bool = False


def damaged(name: str, digest: str) -> Link:
    """Return what is known of a file that cannot be read: its bytes' hash names the damage."""
    return Link(name=name, after=START, last=digest, wrong=(), is_damaged=True)


def read(name: str, lines: Iterable[bytes]) -> Link:
    """Return what the lines of one file say; newlines at their ends do not count."""
    after: str | None = None
    before, whole, is_torn = START, START, False
    wrong, end, seen = list[Wrong](), "", dict[str, int]()
    for number, raw in enumerate(lines, 1):
        line = raw.removesuffix(b"\n")
        body = _parse(line)
        if body is not None:
            if after is None:
                # The first whole line says what the file follows; torn ones may be before it.
                after = whole = str(body["prev"] if number == 1 else body.get("whole", START))
                before = after if number == 1 else before
            if body["prev"] != before:
                text = f"line {number}: it does not follow the line before it"
                wrong.append(_wrong(text, number, before, hash_of(line)))
            elif is_torn and body.get("whole") != whole:
                text = f"line {number}: lines before the torn one were changed"
                wrong.append(_wrong(text, number, whole, hash_of(line)))
            whole = hash_of(line)
            seen.update(dict.fromkeys(_seen_in(body), number))
        before, is_torn = hash_of(line), body is None
        end = "" if body is not None else f"line {number}: {_no_entry(raw)}"
    after = START if after is None else after
    return Link(name=name, after=after, last=before, wrong=tuple(wrong), end=end, seen=seen)


def _seen_in(body: Mapping[str, object]) -> Iterable[str]:
    params = body.get("params")
    if (
        body.get("method") != SEEN
        or body.get("outcome") != "ok"
        or not isinstance(params, dict)
    ):
        return ()
    marks = params.get("marks")
    return frozenset(map(str, marks)) if isinstance(marks, list) else ()


def verify(links: Sequence[Link], newest: str) -> Iterator[Wrong]:
    """Yield what is wrong with a chain of files and has not been seen to.

    That something was seen to is said by a later line of the same file, or of a file that
    follows it, by others or at once, up to the newest: what is put in to say so is itself
    followed by a line that does not vouch for it, for which nothing speaks that comes later.

    Args:
        links: Its files, in any order.
        newest: The one that is written to now.
    """
    chain = list(_back_from(newest, links))
    seen = set[str]()
    for one in [*chain, *(one for one in links if one not in chain)]:
        for each in (*one.wrong, *_wrong_around(one, links, newest)):
            if each.mark not in seen and one.seen.get(each.mark, 0) <= each.line:
                yield replace(each, text=f"{one.name}: {each.text}")
        if one in chain:
            seen.update(one.seen)


def _back_from(newest: str, links: Sequence[Link]) -> Iterator[Link]:
    """Yield the newest file, the one that it follows, and so on, as far as they are there."""
    by_last = {one.last: one for one in links if one.name != newest and one.last != START}
    at = next((one for one in links if one.name == newest), None)
    while at is not None:
        yield at
        at = by_last.pop(at.after, None)


def _wrong_around(one: Link, links: Sequence[Link], newest: str) -> Iterator[Wrong]:
    """Yield what is wrong with the place of a file among the others."""
    if one.is_damaged:
        yield _wrong("damaged since it was packed", BEHIND, "damaged", one.last)
        return
    others = [other for other in links if other is not one]
    if one.after != START and all(one.after != other.last for other in others):
        text = "the file that it follows is gone, or its end was changed"
        yield _wrong(text, 0, one.after)
    if one.name == newest and one.end:
        yield _wrong(one.end, BEHIND, one.last)
    if one.name != newest and all(one.last != other.after for other in others):
        text = "no file follows it: a later one is gone, or its beginning was changed"
        yield _wrong(text, BEHIND, one.last)


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
