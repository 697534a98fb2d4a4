"""Files that jobs watch: what has become of one, and whether that is worth a run.

What counts is the version of a file: its inode, the time of its last change and its size. Of
each path the version seen last is stored in the transaction that acts on it. So it does not
matter how often, in which order and by which of two ways a file is seen, by a notice of the
kernel or by a look into its folder: each version that is seen is handled exactly once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

_SIGN = 1 << 63


class Word(StrEnum):
    """What has happened to a file."""

    CREATE = "create"
    CLOSE_WRITE = "close_write"
    MOVED_TO = "moved_to"
    MODIFY = "modify"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWatch:
    """What a job watches."""

    paths: tuple[str, ...]  # absolute, with wildcards perhaps; see `claw.model.paths`
    events: frozenset[Word] = frozenset({Word.CLOSE_WRITE, Word.MOVED_TO})
    is_recursive: bool = False
    settle_s: float = 0.0  # acted upon when nothing has changed for so long
    is_existing_new: bool = False  # files that were there before the job are handled, too


@dataclass(frozen=True, slots=True)
class Version:
    """One content of a file.

    The time of its last change of any kind is no part of it: that tells a file which was moved
    back from one that was but out of sight.
    """

    inode: int
    mtime_ns: int
    size: int
    ctime_ns: int

    def is_same(self, other: "Version") -> bool:
        """Tell whether both are one content of one file."""
        mine = self.inode, self.mtime_ns, self.size
        return mine == (other.inode, other.mtime_ns, other.size)

    @property
    def text(self) -> str:
        """The version as a part of a run's key."""
        return f"{self.inode}:{self.mtime_ns}:{self.size}"


def storable(number: int) -> int:
    """Return a number of stat(2) as the store takes it: 64 bits with a sign."""
    return (number + _SIGN) % (1 << 64) - _SIGN


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A path that was looked at."""

    path: str
    version: Version | None  # None: there is no such file
    words: frozenset[Word] = frozenset()  # of notices; empty: it was found by a look
    is_old: bool = False  # it was there before the job watched it


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of a path."""

    path: str
    version: Version
    is_gone: bool = False
    waiting: str = ""  # the word for which there is no run yet


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about a path that was looked at."""

    is_news: bool = False  # what is stored of it changes
    word: Word | None = None  # it is worth a run
    is_return: bool = False  # the same version was gone meanwhile


_NOTHING = Verdict()
_ARRIVED = (Word.MOVED_TO, Word.CREATE, Word.CLOSE_WRITE, Word.MODIFY)
_CHANGED = (Word.MOVED_TO, Word.CLOSE_WRITE, Word.MODIFY)
_FOUND = (Word.CLOSE_WRITE, Word.MOVED_TO, Word.CREATE, Word.MODIFY)
_FOUND_CHANGED = (Word.CLOSE_WRITE, Word.MODIFY)
_DONE = frozenset({Word.CLOSE_WRITE, Word.MOVED_TO})


def judge(wanted: Collection[Word], known: Known | None, seen: Seen) -> Verdict:
    """Decide what is to be done about a path.

    Args:
        wanted: What the job is to be started by.
        known: What is stored of the path.
        seen: What it is now.
    """
    version = seen.version
    if version is None:
        return _judge_gone(wanted, known)
    is_same = known is not None and known.version.is_same(version)
    if known is not None and is_same and not known.is_gone:
        return _NOTHING
    if known is None and seen.is_old:
        return Verdict(True)
    if known is not None and is_same and known.version.ctime_ns == version.ctime_ns:
        return Verdict(True)  # it was out of sight: a file system that was not mounted
    is_arrival = known is None or known.is_gone or known.version.inode != version.inode
    if _is_unfinished(wanted, seen.words, is_arrival=is_arrival):
        return _NOTHING
    return Verdict(True, _word(wanted, seen.words, is_arrival=is_arrival), is_same)


def _judge_gone(wanted: Collection[Word], known: Known | None) -> Verdict:
    if known is None or known.is_gone:
        return _NOTHING
    return Verdict(True, Word.DELETE if Word.DELETE in wanted else None)


def _is_unfinished(
    wanted: Collection[Word], words: frozenset[Word], *, is_arrival: bool
) -> bool:
    """Tell whether somebody still writes what is wanted only when it is written."""
    if not words or words & _DONE or Word.CLOSE_WRITE not in wanted:
        return False
    return not (is_arrival and Word.CREATE in wanted) and Word.MODIFY not in wanted


def _word(wanted: Collection[Word], words: frozenset[Word], *, is_arrival: bool) -> Word | None:
    if words:
        told = [word for word in (_ARRIVED if is_arrival else _CHANGED) if word in words]
    else:
        told = list(_FOUND if is_arrival else _FOUND_CHANGED)
    return next((word for word in told if word in wanted), None)


def key_of(job: str, word: str, path: str, version: Version, *, is_return: bool) -> str:
    """Return the origin key of the run for one version of a file."""
    key = f"{job}:{path}:{version.text}"
    if word == Word.DELETE:
        return f"{key}:{word}:{version.ctime_ns}"
    return f"{key}:{version.ctime_ns}" if is_return else key
