"""The spool folder: a file that is moved or written there is an event.

Its name, without a last ``.json``, is the event's; its content is the data: JSON, or else
text. Each file gets a hidden name first, that no file ever has again; then it is stored as an
event with that name as its key, and removed only when that is on disk. A crash in between
leaves it under that name, and the key in the store tells that it was taken in.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import trio

from claw.errors import SaturatedError, StoreError
from claw.kernel import clock, files, sight
from claw.master.control.peers import user_name
from claw.master.decider import Decider
from claw.master.engine import happenings
from claw.master.engine.happenings import Told
from claw.master.engine.turn import Turn
from claw.master.output import watch as notices
from claw.master.output.watch import Watch, Watcher
from claw.model import happening
from claw.model.happening import Source
from claw.model.home import Home
from claw.wire import strict

_LOG = logging.getLogger("claw.spool")
_CLAIMED = ".claimed."
_BATCH = 100
_AGAIN_S = 1.0
"""When files are looked at again for which there was no room, or that may be unfinished."""
_QUIET_S = 1.0
_MOST_BYTES = 4 * happening.MAX_DATA
_NS = 1_000_000_000
_DONE = notices.CLOSE_WRITE | notices.MOVED_TO


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken in hand.

    Attributes:
        claim: Its hidden name.
        name: What it was called.
        told: The event that it is; None: it is none.
        problem: Why not.
    """

    claim: str
    name: str
    told: Told | None
    problem: str = ""


class EventSpool:
    """See the module."""

    def __init__(self, home: Home, decide: Decider) -> None:
        """Take where the folder is, and who decides."""
        self._folder = home.event_spool
        self._rejected = f"{home.event_spool}/rejected"
        self._decide = decide
        self._last = 0  # moment that a file was claimed, in microseconds
        self._stuck: set[str] = set()  # names of files with which nothing can be done

    async def serve(self, watcher: Watcher) -> None:
        """Take events in, as long as the master lives."""
        while True:
            try:
                await self._serve(watcher)
            except (OSError, StoreError) as error:
                _LOG.warning("no events are taken from %s for now: %s", self._folder, error)
                await trio.sleep(_AGAIN_S)

    async def _serve(self, watcher: Watcher) -> None:
        for folder in (self._folder, self._rejected):
            if not files.is_folder(folder):
                files.make_folder(folder)
        with watcher.watching_for(None) as watch:
            watch.add(self._folder, notices.FILES)
            finished: frozenset[str] = frozenset()
            while True:
                is_left = await self._take_in(finished)
                finished = await self._wait(watch, is_left=is_left)

    async def _wait(self, watch: Watch, *, is_left: bool) -> frozenset[str]:
        """Wait for files, and return the names of those that were written to the end.

        Raises:
            OSError: The folder is gone.
        """
        changed = None
        with trio.move_on_after(_AGAIN_S if is_left else float("inf")):
            changed = await watch.wait_bits()
        if changed is None:
            return frozenset()
        if any(bits & notices.LOST for bits in changed.values()):
            raise FileNotFoundError("the folder was removed")
        return frozenset(
            path.rpartition("/")[2] for path, bits in changed.items() if bits & _DONE
        )

    async def _take_in(self, finished: frozenset[str]) -> bool:
        """Take in what is there; tell whether some of it is left for another time."""
        while True:
            took, is_left = await trio.to_thread.run_sync(partial(self._claim, finished))
            if not took:
                return is_left
            try:
                count = await self._decide(partial(emit_all, took=took))
            except SaturatedError as error:
                _LOG.info("events wait in %s: %s", self._folder, error.message)
                return True
            await trio.to_thread.run_sync(partial(self._clear, took[:count]))
            if count < len(took):
                return True

    # -- in a thread of its own -----------------------------------------------------------

    def _claim(self, finished: frozenset[str]) -> tuple[list[Taken], bool]:
        """Take files in hand, at most a batch; tell whether there are more.

        Args:
            finished: Names of files of which it is known that nobody writes them.
        """
        names = sorted(files.names_in(self._folder))
        claims = [name for name in names if name.startswith(_CLAIMED)]
        claims = [name for name in claims if name not in self._stuck][:_BATCH]
        is_left, before = False, len(claims)
        for name in names:
            if name in self._stuck or not _is_meant(name):
                continue
            if len(claims) >= _BATCH:
                is_left = True
                break
            if not (name in finished or self._is_quiet(name)):
                is_left = True
                continue
            claim = self._claim_for(name)
            try:
                files.move(f"{self._folder}/{name}", f"{self._folder}/{claim}")
            except OSError as error:
                self._stuck.add(name)
                _LOG.warning("%s/%s is left there: %s", self._folder, name, error)
                continue
            claims.append(claim)
        if len(claims) > before:
            files.sync_folder(self._folder)  # else a crash of the host gives it a second key
        return [self._read(claim) for claim in claims], is_left

    def _claim_for(self, name: str) -> str:
        """Return a hidden name; those of later files come later."""
        self._last = max(self._last + 1, int(clock.now().timestamp() * 1e6))
        return f"{_CLAIMED}{self._last:014x}.{name}"

    def _is_quiet(self, name: str) -> bool:
        """Tell whether a file that was found is as it was a while ago, and nobody writes it."""
        path = f"{self._folder}/{name}"
        found = sight.look(path)
        if found is None:
            return True  # a folder, say: it is refused
        age_s = clock.now().timestamp() - found.ctime_ns / _NS
        return abs(age_s) >= _QUIET_S and not sight.is_written(path)

    def _read(self, claim: str) -> Taken:
        name = claim.removeprefix(_CLAIMED).partition(".")[2]
        try:
            content, uid = sight.read_own(f"{self._folder}/{claim}", _MOST_BYTES)
            event = name.removesuffix(".json")
            problem = happening.name_problem(event)
            text = happening.text_of(_data(content))
        except OSError as error:
            return Taken(claim, name, None, error.strerror or str(error))
        except ValueError as error:
            return Taken(claim, name, None, str(error))
        if problem is not None:
            return Taken(claim, name, None, f"no event can be called so: {problem}")
        told = Told(name=event, data=text, by=user_name(uid), source=Source.SPOOL, key=claim)
        return Taken(claim, name, told)

    def _clear(self, took: Sequence[Taken]) -> None:
        """Remove what is stored, and put aside what is no event."""
        for one in took:
            try:
                if one.told is not None:
                    files.remove(f"{self._folder}/{one.claim}")
                else:
                    self._put_aside(one)
            except OSError as error:  # it holds up none of the others
                self._stuck.add(one.claim)
                _LOG.warning("%s/%s stays there: %s", self._folder, one.claim, error)

    def _put_aside(self, one: Taken) -> None:
        """Move what is no event to rejected/, with a note; what has its name is replaced.

        Raises:
            OSError: It cannot be moved.
        """
        _LOG.warning("%s is no event, and was put into rejected/: %s", one.name, one.problem)
        note = f"{one.problem}\n".encode()
        try:
            self._move_aside(one, f"{self._rejected}/{one.name}", note)
        except OSError:  # a folder, say, has that name
            self._move_aside(one, f"{self._rejected}/{one.claim.removeprefix(_CLAIMED)}", note)

    def _move_aside(self, one: Taken, aside: str, note: bytes) -> None:
        files.remove(f"{aside}.why")
        files.create_exclusive(f"{aside}.why", note)
        files.move(f"{self._folder}/{one.claim}", aside)


def emit_all(turn: Turn, took: Sequence[Taken]) -> int:
    """Store events in their order, each once; return how many were seen to.

    Raises:
        SaturatedError: There is no room for the first of them.
    """
    for count, one in enumerate(took):
        if one.told is None or turn.tx.has_happening(one.claim):
            continue
        try:
            happenings.emit(turn, one.told)
        except SaturatedError:
            if count == 0:
                raise
            return count
    return len(took)


def _data(content: bytes) -> object:
    """Return data: JSON, or else text.

    Raises:
        ValueError: It is no text, or too much.
    """
    if len(content) > _MOST_BYTES:
        raise ValueError(f"more than {_MOST_BYTES} bytes")
    text = content.decode()
    try:
        return strict.parse(text)
    except (ValueError, RecursionError):
        return text


def _is_meant(name: str) -> bool:
    return not (name.startswith(".") or name.endswith(".tmp") or name == "rejected")
