"""Files that jobs watch: whatever is noticed, looked at or lost, each version counts once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claw.model.settling import Settling
from claw.model.watching import (
    FileWatch,
    Known,
    Seen,
    Version,
    Word,
    judge,
    key_of,
    storable,
)
from tests.kit.chance import examples

USUAL = FileWatch(paths=("/in/*",)).events
ALL = frozenset(Word)
V1, V2 = Version(1, 10, 5, 10), Version(1, 20, 5, 20)
OTHER = Version(2, 30, 5, 30)


def seen(version: Version | None, *words: Word, is_old: bool = False) -> Seen:
    return Seen(path="/in/a", version=version, words=frozenset(words), is_old=is_old)


def known(version: Version, *, is_gone: bool = False) -> Known:
    return Known(path="/in/a", version=version, is_gone=is_gone)


@pytest.mark.parametrize(
    ("wanted", "before", "now", "word"),
    [
        (USUAL, None, seen(V1, Word.CREATE, Word.MODIFY, Word.CLOSE_WRITE), Word.CLOSE_WRITE),
        (USUAL, None, seen(V1, Word.MOVED_TO), Word.MOVED_TO),
        (USUAL, None, seen(V1), Word.CLOSE_WRITE),
        (USUAL, None, seen(V1, is_old=True), None),
        (USUAL, known(V1), seen(V2, is_old=True), Word.CLOSE_WRITE),
        (USUAL, known(V1), seen(V2), Word.CLOSE_WRITE),
        (USUAL, known(V1), seen(OTHER, Word.MOVED_TO), Word.MOVED_TO),
        (USUAL, known(V1), seen(None, Word.DELETE), None),
        (ALL, known(V1), seen(None), Word.DELETE),
        (ALL, None, seen(V1, Word.CREATE), Word.CREATE),
        (frozenset({Word.CREATE}), known(V1), seen(V2), None),
        (frozenset({Word.CREATE}), None, seen(V1), Word.CREATE),
        (frozenset({Word.MOVED_TO}), None, seen(V1, Word.CLOSE_WRITE), None),
        (frozenset({Word.MODIFY}), known(V1), seen(V2, Word.MODIFY), Word.MODIFY),
    ],
)
def test_what_is_new_is_stored_and_what_is_wanted_has_its_word(
    wanted: frozenset[Word], before: Known | None, now: Seen, word: Word | None
) -> None:
    verdict = judge(wanted, before, now)
    assert (verdict.is_news, verdict.word) == (True, word)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (known(V1), seen(V1, Word.CLOSE_WRITE)),
        (known(V1), seen(V1)),
        (known(V1), seen(Version(1, 10, 5, 99))),  # chmod(1)
        (None, seen(None, Word.DELETE)),
        (known(V1, is_gone=True), seen(None)),
        (None, seen(V1, Word.CREATE)),  # it is being written
        (None, seen(V1, Word.CREATE, Word.MODIFY)),
        (known(V1), seen(V2, Word.MODIFY)),
    ],
)
def test_what_is_known_or_unfinished_is_left_alone(before: Known | None, now: Seen) -> None:
    assert not judge(USUAL, before, now).is_news


def test_a_file_that_was_moved_away_and_back_counts_again_and_a_remount_does_not() -> None:
    gone = known(V1, is_gone=True)
    back = judge(USUAL, gone, seen(replace(V1, ctime_ns=50), Word.MOVED_TO))
    remounted = judge(USUAL, gone, seen(V1))

    assert (back.word, back.is_return) == (Word.MOVED_TO, True)
    assert (remounted.is_news, remounted.word) == (True, None)
    assert key_of("j", "moved_to", "/in/a", V1, is_return=False) != key_of(
        "j", "moved_to", "/in/a", V1, is_return=True
    )


@given(st.integers(0, 2**64 - 1))
def test_numbers_of_the_kernel_fit_the_store(number: int) -> None:
    assert -(2**63) <= storable(number) < 2**63
    assert storable(number) % 2**64 == number


# -- the whole: a world of files, notices that get lost, a master that is killed ------------


@dataclass
class World:
    """Files, what is stored of them, and what the living master has in mind."""

    settle_s: float

    def __post_init__(self) -> None:
        self.now = 0.0
        self.files: dict[str, Version] = {}
        self.stored: dict[str, Known] = {}
        self.handled: Counter[str] = Counter()
        self.contents: set[tuple[str, str]] = set()
        self.inodes = 0
        self.settling = Settling(self.settle_s)

    def write(self, path: str, is_noticed: bool) -> None:
        self.inodes += 1
        at = self.inodes
        old = self.files.get(path)
        inode = old.inode if old is not None else at
        self.files[path] = Version(inode, at, 5, at)
        self._notice(path, is_noticed, Word.CREATE, Word.MODIFY, Word.CLOSE_WRITE)

    def begin(self, path: str, is_noticed: bool) -> None:
        """Somebody writes, and has not closed the file."""
        self.write(path, is_noticed=False)
        self._notice(path, is_noticed, Word.CREATE, Word.MODIFY)

    def replace(self, path: str, is_noticed: bool) -> None:
        self.inodes += 1
        self.files[path] = Version(self.inodes, self.inodes, 5, self.inodes)
        self._notice(path, is_noticed, Word.MOVED_TO)

    def remove(self, path: str, is_noticed: bool) -> None:
        if self.files.pop(path, None) is not None:
            self._notice(path, is_noticed, Word.DELETE)

    def look(self, path: str, _is_noticed: bool) -> None:
        for one in {*self.files, *self.stored, path}:
            version = self.files.get(one)
            if judge(USUAL, self.stored.get(one), Seen(path=one, version=version)).is_news:
                self.settling.find(one, version, self.now, self.settle_s)
        self.act()

    def restart(self, path: str, is_noticed: bool) -> None:
        self.settling = Settling(self.settle_s)
        self.look(path, is_noticed)

    def wait(self, _path: str, _is_noticed: bool) -> None:
        self.now += 1.0
        self.act()

    def act(self) -> None:
        for one in self.settling.take(self.now, 2):
            version = self.files.get(one.path)
            before = self.stored.get(one.path)
            verdict = judge(
                USUAL, before, Seen(path=one.path, version=version, words=one.words)
            )
            if not verdict.is_news:
                continue
            held = version or (before.version if before is not None else None)
            assert held is not None
            self.stored[one.path] = Known(path=one.path, version=held, is_gone=version is None)
            if verdict.word is not None:
                self.handled[
                    key_of("j", verdict.word, one.path, held, is_return=verdict.is_return)
                ] += 1

    def _notice(self, path: str, is_noticed: bool, *words: Word) -> None:
        if is_noticed:
            self.settling.note(path, frozenset(words), self.now)


_ACTS: tuple[Callable[..., None], ...] = (
    World.write,
    World.begin,
    World.replace,
    World.remove,
    World.look,
    World.restart,
    World.wait,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(_ACTS), st.sampled_from(["/in/a", "/in/b"]), st.booleans()),
        max_size=40,
    ),
    st.sampled_from([0.0, 0.5, 2.5]),
)
@settings(max_examples=examples(400), deadline=None)
def test_each_version_is_handled_once_whatever_is_lost_and_whoever_is_killed(
    acts: list[tuple[Callable[..., None], str, bool]], settle_s: float
) -> None:
    world = World(settle_s)
    for act, path, is_noticed in acts:
        act(world, path, is_noticed)
    world.restart("/in/a", is_noticed=False)
    for _ in range(10):
        world.wait("/in/a", False)

    assert set(world.handled.values()) <= {1}
    for path, version in world.files.items():
        keys = {
            key_of("j", "close_write", path, version, is_return=is_return)
            for is_return in (True, False)
        }
        assert keys & set(world.handled), path
        assert world.stored[path].version == version
