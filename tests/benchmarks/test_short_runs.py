"""What the engine and the store do for a short run of a batch: -m benchmark -n 0 -s.

All of the master's decisions and none of its processes: runs are claimed eight at a time,
their journals taken in and the gates passed in one decision, as
`claw.master.supervision.pulse` does, in one thread. Processor time and statements are told.
"""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from claw.master.engine import consequences, dispatch, intake, journal
from claw.master.engine.dispatch import Claim
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.turn import Turn
from claw.model.effect import Dispatch
from claw.model.job import Daemon
from claw.model.run import Origin
from tests.kit.desk import BOOT, Desk, job

pytestmark = pytest.mark.benchmark
WIDTH = 8
RUNS = 4000
_PASSED = timedelta(milliseconds=5)
Piece = tuple[str, bytes, int]


class Queue(Desk):
    """A desk with one job, whose supervisors take one run after the other."""

    def __init__(self, path: Path) -> None:
        daemon = Daemon(max_parallel=WIDTH, max_queue=2 * RUNS)
        super().__init__(job("short", max_instances=WIDTH), daemon=daemon, path=str(path))
        self.free: list[tuple[str, int]] = []
        self.statements = 0
        self._last = ""

    def fill(self) -> None:
        """Ask for all runs at once."""
        ask = Ask(job="short", origin=Origin.MANUAL, key="batch", by="me")
        self.do(lambda turn: intake.submit_batch(turn, ask, [Particular()] * RUNS))

    def count(self, statement: str) -> None:
        """Take note of a statement; one that sets off a trigger is told again for that."""
        self.statements += statement != self._last
        self._last = statement

    def drain(self, together: int) -> float:
        """Have all runs done, so many of them ending at a time; return seconds for it."""
        spent_s, claims = 0.0, list(self.decide([]))
        while claims:
            self.effects.clear()
            self.now += _PASSED
            some, claims = claims[:together], claims[together:]
            pieces = [self.live(claim) for claim in some]
            begun = time.thread_time()
            claims += self.decide(pieces)
            spent_s += time.thread_time() - begun
        return spent_s

    def decide(self, pieces: Sequence[Piece]) -> tuple[Claim, ...]:
        """Take in journals and pass the gates, as one decision."""
        self.free = [(sid, offset + len(data)) for sid, data, offset in pieces]
        return self.do(lambda turn: self._together(turn, pieces))

    def _together(self, turn: Turn, pieces: Sequence[Piece]) -> tuple[Claim, ...]:
        for sid, data, offset in pieces:
            journal.apply_journal(turn, sid, data, offset)
        consequences.follow(turn)
        turn.effects.pop(Dispatch(), None)
        turn.free = self.free
        claims = dispatch.dispatch(turn)
        turn.tx.next_due(turn.now)
        return claims

    def live(self, claim: Claim) -> Piece:
        """Return all that a supervisor writes of a run."""
        run, at = claim.run, self.now.timestamp()
        common = {"at": at, "b": at, "run": run.id, "attempt": claim.attempt}
        lines: list[dict[str, object]] = [
            {
                "ev": "launch", "job": run.job, "instance": None, "cause": run.cause,
                "origin": run.origin, "origin_key": run.origin_key, "slot": None,
                "kind": "once", "boot": BOOT, "version": "1", "pid": 700, "start": 1,
            },
            {"ev": "started", "ready": "none", "pid": 801, "start": 5},
            {
                "ev": "exited", "pid": 801, "code": 0, "signal": None, "timed_out": False,
                "cpu_s": 0.001, "max_rss": 4096, "dropped": 0, "out": [0, 0],
            },
            {"ev": "ended", "why": "exit", "by": ""},
        ]  # fmt: skip
        data = b"".join(json.dumps({**common, **line}).encode() + b"\n" for line in lines)
        return claim.sid, data, claim.offset


@pytest.mark.parametrize("together", [1, 3, WIDTH])
def test_short_runs_that_end_together(tmp_path: Path, together: int) -> None:
    timed, counted = Queue(tmp_path / "timed.db"), Queue(tmp_path / "counted.db")
    for queue in (timed, counted):
        queue.fill()

    spent_s = timed.drain(together)
    counted.database._writer.set_trace_callback(counted.count)
    counted.drain(together)

    for queue in (timed, counted):
        assert queue.database.view(lambda tx: tx.count_open()) == 0
    print(
        f"\n{together} at a time: {1000 * spent_s / RUNS:.3f} ms of processor time,"
        f" {counted.statements / RUNS:.1f} statements for a run"
    )
