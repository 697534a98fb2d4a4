"""The rows of what runs leave behind, output and all; part of `claw.store.records.Tx`."""

import sqlite3
from collections.abc import Iterable

from claw.model.keeping import Kept
from claw.store.statements import Statements


class LeavingRows(Statements):
    """See the module."""

    def put_output(self, kept: Kept) -> None:
        """Store what is kept of an attempt's output to one stream, new or known."""
        self._do(
            "put_output",
            run=kept.run,
            attempt=kept.attempt,
            stream=kept.stream,
            size=kept.size,
            begin=kept.begin,
            data=kept.data,
            excerpt=kept.excerpt,
            summary=kept.summary,
        )

    def outputs(self, run: str) -> tuple[Kept, ...]:
        """Return what is kept of a run's output, by attempt, standard output first."""
        return tuple(_kept(row) for row in self._do("outputs", run=run))

    def has_output(self, run: str) -> bool:
        """Tell whether anything of a run's output is kept here."""
        return self._one("has_output", run=run) is not None

    def output_sizes(self, run: str) -> dict[str, int]:
        """Return by stream how much of a run's output is kept here whole."""
        return {row["stream"]: row["size"] for row in self._do("output_sizes", run=run)}

    def put_result(self, run: str, attempt: int, text: str) -> None:
        """Store the result of an attempt, new or known."""
        self._do("put_result", run=run, attempt=attempt, text=text)

    def result(self, run: str, attempt: int | None = None) -> str | None:
        """Return the result of an attempt, or of the last that has one, as JSON."""
        if attempt is None:
            row = self._one("last_result", run=run)
        else:
            row = self._one("result", run=run, attempt=attempt)
        return None if row is None else row["text"]

    def put_matches(self, run: str, attempt: int, texts: Iterable[str]) -> None:
        """Store which conditions an attempt's output meets, new or known."""
        for text in texts:
            self._do("put_match", run=run, attempt=attempt, text=text)

    def matches(self, run: str) -> frozenset[str]:
        """Return the conditions that the output of a run's last attempt meets."""
        return frozenset(row["text"] for row in self._do("matches", run=run))


def _kept(row: sqlite3.Row) -> Kept:
    return Kept(**dict(row))
