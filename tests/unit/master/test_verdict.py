"""What becomes of a supervisor without a link, and journals that are read in pieces."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import trio

from claw.master.supervision import journals
from claw.master.supervision.verdict import Verdict, judge
from claw.wire import supervision


@pytest.mark.parametrize(
    ("is_held", "is_known", "is_unlaunched"), [*itertools.product((False, True), repeat=3)]
)
def test_who_lives_or_is_replaced_is_adopted_and_only_what_has_not_begun_is_queued(
    is_held: bool, is_known: bool, is_unlaunched: bool
) -> None:
    verdict = judge(is_held=is_held, is_known=is_known, is_unlaunched=is_unlaunched)

    assert (verdict is Verdict.ADOPT) == (is_held or is_known)
    assert (verdict is Verdict.REQUEUE) == (is_unlaunched and not is_held and not is_known)


def read(path: Path, pieces: list[int], offset: int = 0) -> tuple[bytes, int]:
    """Read a journal to its end, noting the size of each piece."""
    taken = bytearray()

    async def apply(_sid: str, data: bytes, start: int) -> int:
        pieces.append(len(data))
        assert start == offset + len(taken)
        whole = data[: data.rfind(b"\n") + 1]
        taken.extend(whole)
        return start + len(whole)

    end = trio.run(journals.apply_from, str(path), "s1", offset, apply)
    return bytes(taken), end


@pytest.mark.parametrize("size", [10, 1 << 16, (1 << 16) + 1, (1 << 20) * 2 + 7])
def test_a_journal_is_applied_whole_in_pieces_of_a_mebibyte_at_most(
    tmp_path: Path, size: int
) -> None:
    lines = b"".join(b"%d\n" % number for number in range(size // 3))[:size]
    text = lines + b"\n"
    (tmp_path / "journal").write_bytes(text + b"torn")
    pieces: list[int] = []

    assert read(tmp_path / "journal", pieces) == (text, len(text))
    assert max(pieces) <= journals.PIECE_BYTES


def test_a_line_longer_than_a_piece_is_applied_too(tmp_path: Path) -> None:
    text = b"x" * 3 * journals.PIECE_BYTES + b"\ny\n"
    (tmp_path / "journal").write_bytes(text)

    assert read(tmp_path / "journal", []) == (text, len(text))


def test_a_journal_that_is_not_there_has_nothing_to_apply(tmp_path: Path) -> None:
    assert read(tmp_path / "journal", []) == (b"", 0)


def test_the_gist_of_a_journal_is_its_boot_its_last_child_and_its_end(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = [
        {"ev": "launch", "boot": "b1"},
        {"ev": "started", "pid": 7, "start": 70},
        {"ev": "started", "pid": 8, "start": 80},
    ]
    path = tmp_path / "journal"
    path.write_bytes(b"".join(supervision.encode(one) for one in messages) + b'{"ev": "en')

    gist = journals.read_gist(str(path))
    assert (gist.boot, gist.child, gist.is_ended) == ("b1", (8, 80), False)

    path.write_bytes(supervision.encode({"ev": "ended"}))
    assert journals.read_gist(str(path)).is_ended
