"""Applies journals, with what the files of the attempts that they end say beside them.

Nothing is read of an attempt that has printed nothing and left no result: its last line says
so. What is short is read at once, as short pieces of journals are; the rest in a thread.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import trio

from claw.master.asyncstore import AsyncStore
from claw.master.engine.histories import Spool
from claw.master.reaper import Reaper
from claw.master.supervision import outputs, results
from claw.master.supervision.findings import SEARCHED_BYTES, Findings
from claw.master.supervision.outputs import Extent
from claw.model.condition import SEARCHED_BYTES as CONDITION_BYTES
from claw.model.condition import Condition
from claw.model.evidence import NOTHING, TAIL_BYTES, Evidence, Evidences
from claw.model.home import Home
from claw.model.job import Config, Job, JobType
from claw.model.keeping import Budget
from claw.model.redact import Redactor
from claw.store.records import Tx
from claw.wire import supervision
from claw.wire.supervision import Message

_AT_ONCE_BYTES = 1 << 14
_MARKS = (b'{"ev":"launch"', b'{"ev":"exited"', b'{"ev":"ended"')
_SERVICE = "service"
_STREAMS = {"out": "stdout", "err": "stderr"}
_READERS = 4
_Apply = Callable[[str, bytes, int, Evidences], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Ending:
    """An attempt whose last lines are about to be taken in.

    Attributes:
        run: Whose.
        job: Its job's name.
        attempt: Its number.
        extents: By stream, where its output lies, as far as that is known.
        has_result: Something has the name of its result file, or may have.
        is_over: Its run has no more to write, and nothing of it will be read again.
        code: With which its child has exited; None: in another way, or nobody knows.
    """

    run: str
    job: str
    attempt: int
    extents: tuple[tuple[str, Extent], ...]
    has_result: bool
    is_over: bool = False
    code: int | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether it is known that nothing is to be read."""
        return not self.has_result and all(extent.is_empty for _, extent in self.extents)

    @property
    def is_short(self) -> bool:
        """Whether it is known that what is to be read is short."""
        if self.has_result:
            return False
        return sum(extent.size for _, extent in self.extents) <= _AT_ONCE_BYTES


class _Open:
    """What a supervisor's journal said last: whom it launched, and how that ended."""

    __slots__ = ("ending", "launched")

    def __init__(self, launched: Message) -> None:
        self.launched = launched
        self.ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known beside a piece of a journal.

    Attributes:
        endings: The attempts that it ends.
        after: What the journal says last after it; None: nothing that will be asked for.
        found: What their files say.
    """

    endings: Sequence[Ending]
    after: _Open | None
    found: Evidences = field(default_factory=dict)


class Evidencing:
    """Gathers evidence and hands it on with the journal; `apply` is for `Links`."""

    def __init__(
        self,
        home: Home,
        config: Callable[[], Config],
        store: AsyncStore,
        apply: _Apply,
        reaper: Reaper,
        redactor: Redactor,
    ) -> None:
        self._home = home
        self._config = config
        self._store = store
        self._apply = apply
        self._redactor = redactor
        self.findings = Findings(reaper)
        self._threads = trio.CapacityLimiter(_READERS)
        self._open: dict[str, _Open] = {}  # by supervisor, as far as they are applied

    def at_hand(self, sid: str, data: bytes) -> Gathered | None:
        """Return the evidence of a piece of a journal; None: that takes looking for.

        At next to no cost when it ends no attempt, or one that has printed nothing.
        """
        before = self._open.get(sid)
        if not any(mark in data for mark in _MARKS):
            return Gathered((), before)
        if before is None and not data.startswith(_MARKS[0]):
            return None
        gathered = Gathered(*endings_in(data, before))
        return gathered if all(map(self._is_silent, gathered.endings)) else None

    def _is_silent(self, one: Ending) -> bool:
        """Tell whether nothing is to be read of an attempt, and nothing to be removed."""
        return one.says_nothing and not (
            one.is_over and results.has_folder(self._home, one.run, one.attempt)
        )

    async def apply(self, sid: str, data: bytes, offset: int) -> int:
        """Apply a piece of a journal, and remove the files that have served.

        Returns:
            The offset from which to read on.

        Raises:
            StoreError: It could not be stored; nothing has happened.
        """
        gathered = self.at_hand(sid, data) or await self._look_for(sid, data)
        reached = await self._apply(sid, data, offset, gathered.found)
        self.remember(sid, gathered)
        for one in gathered.endings:
            await self._clear(one)
        return reached

    async def _look_for(self, sid: str, data: bytes) -> Gathered:
        """Return the evidence of a piece of a journal, whatever that takes."""
        before = self._open.get(sid)
        if before is None and not data.startswith(_MARKS[0]):
            before = _Open(await self._look_up(sid))
        endings, after = endings_in(data, before)
        found = {(one.run, one.attempt): await self._gather(one) for one in endings}
        return Gathered(endings, after, found)

    def remember(self, sid: str, gathered: Gathered) -> None:
        """What was gathered of a piece of a journal has been taken in with it."""
        if gathered.after is None:
            self._open.pop(sid, None)
        else:
            self._open[sid] = gathered.after

    def forget(self, sid: str) -> None:
        """Nothing more will come from a supervisor."""
        self._open.pop(sid, None)

    @property
    def count(self) -> int:
        """How many supervisors are in the middle of something."""
        return len(self._open)

    async def _look_up(self, sid: str) -> Message:
        """Return what the store knows of a supervisor's launch, as its line would say it."""

        def read(tx: Tx) -> Message:
            supervisor = tx.supervisor(sid)
            return {"run": supervisor.run, "job": supervisor.job} if supervisor else {}

        launched = await self._store.read(read)
        job = self._config().job(str(launched.get("job")))
        is_service = job is not None and job.type is JobType.CONTINUOUS
        return {**launched, "kind": _SERVICE if is_service else ""}

    async def look_into(self, spools: Iterable[Spool]) -> list[Spool]:
        """Return journals that are to be taken in whole, with what their runs' files say.

        What takes another process is looked for now; the rest, which is much, when it is
        asked for.
        """
        async with self.findings.used():
            return [await self._look_into(spool) for spool in spools]

    async def _look_into(self, spool: Spool) -> Spool:
        found: dict[tuple[str, int], Evidence] = {}
        for one in endings_in(spool.data, None)[0]:
            job = self._config().job(one.job)
            has_rules = job is not None and bool(job.checks or job.retry)
            if (has_rules or self._asked(one)) and not one.says_nothing:
                evidence = await self._gather(one)
                found[one.run, one.attempt] = replace(
                    evidence, printed=(), result=None, complaint=None
                )
        return replace(spool, evidences=partial(self._evidences, found))

    def _evidences(self, found: Evidences, data: bytes) -> Evidences:
        """Return what the files say of the attempts that a part of a journal tells of."""
        evidences = {}
        for one in endings_in(data, None)[0]:
            if not one.says_nothing:
                job, key = self._config().job(one.job), (one.run, one.attempt)
                there = hidden(gather(self._home, one, _most(job, ())), self._redactor)
                known = found.get(key, NOTHING)
                evidences[key] = replace(
                    known, printed=there.printed, result=there.result, complaint=there.complaint
                )
        return evidences

    async def _gather(self, one: Ending) -> Evidence:
        if one.says_nothing:
            return NOTHING
        job, asked = self._config().job(one.job), self._asked(one)
        most = _most(job, asked)
        if one.is_short:
            found = gather(self._home, one, most)
        else:
            found = await trio.to_thread.run_sync(
                gather, self._home, one, most, limiter=self._threads
            )
        if job is not None:
            has_failed = one.code not in job.success_codes
            found = await self.findings.look(job, found, has_failed=has_failed)
        found = await self.findings.meet(asked, found) if asked else found
        return hidden(found, self._redactor)

    def _asked(self, one: Ending) -> tuple[Condition, ...]:
        """Return the conditions that anybody has on what an attempt has printed."""
        return self._config().conditions_on(one.job)

    async def _clear(self, one: Ending) -> None:
        has_any = one.has_result or results.has_folder(self._home, one.run, one.attempt)
        if one.is_over and has_any:
            await trio.to_thread.run_sync(
                results.clear, self._home, one.run, one.attempt, limiter=self._threads
            )


def messages(data: bytes) -> Iterator[Message]:
    """Yield the lines of a journal that begin or end an attempt; no other is looked into."""
    for line in data.split(b"\n")[:-1]:
        message = supervision.decode(line) if line.startswith(_MARKS) else None
        if message is not None:
            yield message


def endings_in(data: bytes, before: _Open | None) -> tuple[list[Ending], _Open | None]:
    """Return the attempts of run-to-completion jobs that a piece of a journal ends.

    Args:
        data: The piece.
        before: What the journal said last before it.

    Returns:
        Them, and what the journal says last after it; None: nothing that will be asked for.
    """
    found: dict[tuple[str, int], Ending] = {}
    now = before
    for line in messages(data):
        if line["ev"] == "launch":
            now = _Open(line)
            continue
        if now is not None and now.launched.get("kind") == _SERVICE:
            now = None if line["ev"] == "ended" else now
            continue
        if now is None or line.get("run") != now.launched.get("run"):
            continue
        ending = now.ending
        if line["ev"] == "exited" or ending is None:
            ending = _ending(line, str(now.launched["job"]))
        if line["ev"] == "ended":
            ending = replace(ending, is_over=True)
        now.ending = found[ending.run, ending.attempt] = ending
    is_over = now is not None and now.ending is not None and now.ending.is_over
    return list(found.values()), None if is_over else now


def _ending(line: Message, job: str) -> Ending:
    """Return what a last line says; one that names no files may belong to any."""
    words = [word for word in _STREAMS if word in line] or list(_STREAMS)
    return Ending(
        run=str(line["run"]),
        job=job,
        attempt=int(line.get("attempt") or 0),
        extents=tuple((word, _extent(line, word)) for word in words),
        has_result=line.get("result") is True or line["ev"] == "ended",
        code=_number(line.get("code")),
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _extent(line: Message, word: str) -> Extent:
    match line.get(word):
        case [int(begin), int(end)] if begin <= end:
            return Extent(begin, end)
        case _:
            return Extent()


def _most(job: Job | None, asked: Sequence[Condition]) -> int:
    """Return how much of an output is wanted whole."""
    budget = Budget() if job is None else job.output
    most = max(budget.store, budget.excerpt, budget.summary, TAIL_BYTES)
    if any(condition.is_of_output for condition in asked):
        return max(most, CONDITION_BYTES)
    return max(most, SEARCHED_BYTES) if job and job.checks else most


def hidden(evidence: Evidence, redactor: Redactor) -> Evidence:
    """Return what may be stored of evidence: without the secrets that were looked up."""
    printed = tuple(
        replace(
            one,
            head=redactor.mask_piece(one.head, begins=True, ends=one.is_whole),
            tail=redactor.mask_piece(one.tail, begins=len(one.tail) == one.size, ends=True),
            read=len(one.head) if one.read is None else one.read,
        )
        for one in evidence.printed
    )
    result = evidence.result and redactor.mask_json(evidence.result)
    return replace(evidence, printed=printed, result=result)


def gather(home: Home, one: Ending, most: int) -> Evidence:
    """Return what the files say of an attempt. Blocking.

    Args:
        home: The home.
        one: The attempt.
        most: So much of its output is wanted whole.
    """
    folder = home.job_log(one.job)
    printed = []
    for word, extent in one.extents:
        if extent.is_empty:
            continue
        path = f"{folder}/{one.run}.{word}"
        found = outputs.read(path, _STREAMS[word], extent, one.run, one.attempt, most)
        printed += [found] if found.size else []
    result, complaint = None, None
    if one.has_result:
        result, complaint = results.take(home, one.run, one.attempt)
    return Evidence(printed=tuple(printed), result=result, complaint=complaint)
