"""Evidence: what is known of an attempt's end beside its exit status.

Gathered from the finished output and the result file before the attempt's last lines are
taken in (`claw.master.supervision.evidence`). Files do not change after the end, so that a
second look finds the same; of a file that is gone nothing is known, which decides nothing.
Run-to-completion jobs only: a service's attempts follow each other in one file.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claw.model.outputcheck import Check

TAIL_BYTES = 4096
"""The most that is taken of an output's first line, and of its end."""

NOT_TAKEN = "its result file is not taken: "
"""So begins what is said of an attempt that left something else than a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What an attempt has written to one of its streams.

    Attributes:
        stream: ``stdout`` or ``stderr``.
        size: Bytes, of the whole of it.
        head: How it begins.
        tail: How it ends; all of it when ``head`` is all of it.
        begin: Where it begins in its file; below zero: in one that was put aside.
        read: Of so many bytes ``head`` was made; None: it is as they were.
    """

    stream: str
    size: int
    head: bytes
    tail: bytes
    begin: int = 0
    read: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether ``head`` is all of it."""
        return (len(self.head) if self.read is None else self.read) == self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one attempt.

    Attributes:
        printed: Its streams, standard output first; those without a byte are left out.
        result: JSON text that it left in its result file.
        complaint: Why what it left there is no result.
        found: Which of its job's checks have found something in what it printed.
        is_limited: Its output says that there were too many requests.
        unsearched: Expressions that took too long, or could not be searched for.
        met: Which conditions its output meets, of those that anybody has on it.
    """

    printed: tuple[Printed, ...] = ()
    result: str | None = None
    complaint: str | None = None
    found: tuple[Check, ...] = ()
    is_limited: bool = False
    unsearched: tuple[str, ...] = ()
    met: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """What is worth an event, in words."""
        texts = [f"check: {one.match} was found ({one.then})" for one in self.found]
        texts += [unsearched(one) for one in self.unsearched]
        return texts if self.complaint is None else [*texts, f"{NOT_TAKEN}{self.complaint}"]

    @property
    def size(self) -> int:
        """Bytes that it has written."""
        return sum(one.size for one in self.printed)

    @property
    def first_line(self) -> str:
        """The first line of its standard output, as text, without its end."""
        head = next((one.head for one in self.printed if one.stream == "stdout"), b"")
        return head[:TAIL_BYTES].partition(b"\n")[0].decode(errors="replace").rstrip("\r")

    @property
    def tail(self) -> str:
        """The end of what it has written, standard error last, as text."""
        tails = (one.tail[-TAIL_BYTES:].decode(errors="replace") for one in self.printed)
        return "\n".join(tails)[-TAIL_BYTES:]


def unsearched(expression: str) -> str:
    """Return what is said of an expression that took too long."""
    return f"not searched for, it took too long: {expression}"


NOTHING = Evidence()
"""Of an attempt that has written nothing, or of which nothing is known."""

Evidences = Mapping[tuple[str, int], Evidence]
"""By run and number of the attempt."""
