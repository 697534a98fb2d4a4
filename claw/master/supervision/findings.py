"""Looks into the output of a run that has ended for what its job wants to know.

The expressions are a user's, and may take for ever: the searches are done by a process that
is killed when one does (`claw.master.checks.matcher`). What cannot be searched is said and
decides nothing; an expression that has taken too long is not tried again for a while, so
that no run of another job waits for it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import trio

from claw.master.checks.matcher import Matcher, TooSlowError
from claw.master.reaper import Reaper
from claw.model.condition import Condition, Kind
from claw.model.evidence import Evidence, Printed
from claw.model.job import Job
from claw.model.outputcheck import BOTH

SEARCHED_BYTES = 1 << 16
"""So much of the beginning of an output, and of its end, is searched at least."""
_IDLE_S = 10.0
_SPARED_S = 60.0


class Findings:
    """Searches; `serve` keeps the searching process for as long as it is of use."""

    def __init__(self, reaper: Reaper) -> None:
        self._matcher = Matcher(reaper)
        self._asked = trio.Event()
        self._slow: dict[str, float] = {}  # until when an expression is not tried again

    async def serve(self) -> None:
        """Keep the process while there are searches, and a little longer."""
        while True:
            await self._asked.wait()
            async with self._matcher.used():
                while self._asked.is_set():
                    self._asked = trio.Event()
                    await trio.sleep(_IDLE_S)

    def used(self) -> AbstractAsyncContextManager[None]:
        """Keep the process for many searches in a row."""
        return self._matcher.used()

    async def look(self, job: Job, evidence: Evidence, *, has_failed: bool) -> Evidence:
        """Return the evidence with what is found in it.

        Args:
            job: Whose run.
            evidence: What was printed.
            has_failed: Whether the attempt failed, as far as its exit status tells.
        """
        limit = job.retry.rate_limit if job.retry and has_failed else None
        if not evidence.printed or not (job.checks or limit):
            return evidence
        self._asked.set()
        found, unsearched = [], []
        async with self._matcher.used():
            for check in job.checks:
                is_found = await self._search(check.match, _texts(evidence, check.stream))
                if is_found is None:
                    unsearched.append(check.match)
                elif is_found:
                    found.append(check)
            # Upper and lower case are the same; the expression was tried so when it was read.
            pattern = f"(?i:{limit.match})" if limit else ""
            is_limited = await self._search(pattern, [evidence.tail]) if limit else False
            if is_limited is None:
                unsearched.append(pattern)
        return replace(
            evidence,
            found=tuple(found),
            is_limited=bool(is_limited),
            unsearched=tuple(unsearched),
        )

    async def meet(self, asked: Sequence[Condition], evidence: Evidence) -> Evidence:
        """Return the evidence with those conditions on what was printed that it meets."""
        met: list[str] = []
        unsearched = list(evidence.unsearched)
        for one in asked:
            is_met = await self._is_met(one, evidence)
            if is_met is None:
                unsearched.append(one.value)
            elif is_met:
                met.append(one.text)
        return replace(evidence, met=tuple(met), unsearched=tuple(dict.fromkeys(unsearched)))

    async def _is_met(self, one: Condition, evidence: Evidence) -> bool | None:
        """Tell whether a condition is met; None: nobody knows."""
        if one.kind is Kind.CONTAINS:
            pieces = (piece for printed in evidence.printed for piece in _pieces(printed))
            return any(one.is_met_by_output(piece) for piece in pieces)
        if not evidence.printed:
            return False
        self._asked.set()
        async with self._matcher.used():
            return await self._search(one.value, _texts(evidence, BOTH))

    async def _search(self, pattern: str, texts: list[str]) -> bool | None:
        """Tell whether an expression is found in one of some texts; None: nobody knows."""
        if self._slow.get(pattern, 0.0) > trio.current_time():
            return None
        try:
            for text in texts:
                if await self._matcher.search(pattern, text):
                    return True
        except TooSlowError:
            self._slow[pattern] = trio.current_time() + _SPARED_S
            return None
        except (OSError, trio.BrokenResourceError):
            return None
        return False


def _texts(evidence: Evidence, stream: str) -> list[str]:
    return [
        text
        for one in evidence.printed
        if stream in {BOTH, one.stream}
        for text in _of_stream(one)
    ]


def _of_stream(one: Printed) -> Iterator[str]:
    return (piece.decode(errors="replace") for piece in _pieces(one))


def _pieces(one: Printed) -> Iterator[bytes]:
    """Yield what is kept of a stream: all of it, or its beginning and its end."""
    yield one.head
    if not one.is_whole:
        yield one.tail
