"""The lines of the audit log: what was changed is told, whatever is put in to clear it."""

import json
from collections.abc import Iterator, Sequence

from claw.model import auditchain
from claw.model.auditchain import SEEN, START, Wrong, hash_of

Files = dict[str, list[bytes]]
NEWEST = "audit.log"


def _line(prev: str, **body: object) -> bytes:
    return json.dumps({"prev": prev, "method": "run.submit", "outcome": "ok", **body}).encode()


def _seen(prev: str, marks: Sequence[str]) -> bytes:
    return _line(prev, method=SEEN, params={"marks": list(marks)})


def _verify(files: Files) -> list[Wrong]:
    links = [auditchain.read(name, lines) for name, lines in files.items()]
    return list(auditchain.verify(links, NEWEST))


def _chain() -> Files:
    """Return three files; of the middle one a line was lost, and that was seen to since."""
    files: Files = {}
    last = START
    for name in ("audit-1.log", "audit-2.log", NEWEST):
        lines = files[name] = []
        for no in range(5):
            lines.append(_line(last, no=no))
            last = hash_of(lines[-1])
    del files["audit-2.log"][2]
    newest = files[NEWEST]
    newest.append(_seen(last, [one.mark for one in _verify(files)]))
    newest.append(_line(hash_of(newest[-1])))
    assert _verify(files) == []
    return files


def _changed(files: Files, name: str, at: int, put: list[bytes], away: int) -> Files:
    lines = files[name]
    return {**files, name: [*lines[:at], *put, *lines[at + away :]]}


def _places(files: Files) -> Iterator[tuple[str, int]]:
    """Yield each line but the last of all, after which nothing comes that could tell."""
    for name, lines in files.items():
        yield from ((name, at) for at in range(len(lines) - (name == NEWEST)))


def test_no_line_can_be_taken_away_or_replaced_whatever_says_that_it_was_seen_to() -> None:
    files = _chain()
    known = [hash_of(line)[:12] for lines in files.values() for line in lines]
    for name, at in _places(files):
        taken = _verify(_changed(files, name, at, [], 1))
        assert taken, (name, at)
        prev = files[name][at - 1] if at else b""
        marks = [*known, *(one.mark for one in taken)]
        for before in (hash_of(prev), json.loads(files[name][at])["prev"]):
            for away in (0, 1):
                forged = _changed(files, name, at, [_seen(before, marks)], away)
                assert _verify(forged), (name, at, away)
                more = [*marks, *(one.mark for one in _verify(forged))]
                forged = _changed(files, name, at, [_seen(before, more)], away)
                assert _verify(forged), (name, at, away)


def test_what_was_seen_to_is_said_by_a_line_that_comes_later() -> None:
    lines = [_line(START, no=0)]
    lines.append(_line(hash_of(lines[0]), no=1))
    [wrong] = _verify({NEWEST: lines[1:]})
    early = _seen(START, [wrong.mark])
    assert _verify({"audit-1.log": [early], NEWEST: lines[1:]})
    late = _seen(hash_of(lines[1]), [wrong.mark])
    assert _verify({NEWEST: [lines[1], late]}) == []


def test_what_stands_before_a_loss_that_was_seen_to_cannot_be_changed_either() -> None:
    files = _chain()
    for at in (0, 1):
        assert _verify(_changed(files, "audit-2.log", at, [], 1))


def test_a_file_of_which_the_next_one_is_gone_is_looked_through_too() -> None:
    files = _chain()
    del files["audit-2.log"]
    wrong = _verify(files)
    assert [one.text.split(":")[0] for one in wrong] == [NEWEST, "audit-1.log"]
    newest = files[NEWEST]
    newest.append(_seen(hash_of(newest[-1]), [one.mark for one in wrong]))
    assert _verify(files) == []
    assert _verify(_changed(files, "audit-1.log", 2, [], 1))
