"""The runs of large batches: made one piece after the other, beside what else is decided."""

import trio

from claw.master.decider import Decider
from claw.master.engine import piecemeal


class BatchMaker:
    """See `claw.master.engine.piecemeal`."""

    def __init__(self, decide: Decider) -> None:
        self._decide = decide
        self._woken = trio.Event()

    def wake(self, _effect: object = None) -> None:
        """Look again, because some of a batch has come in."""
        self._woken.set()

    async def serve(self) -> None:
        """Make runs of what is stored, as long as the master lives."""
        while True:
            self._woken = trio.Event()
            pause_s = await self._decide.patiently(piecemeal.go_on)
            with trio.move_on_after(float("inf") if pause_s is None else pause_s):
                await self._woken.wait()
