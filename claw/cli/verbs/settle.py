"""Waiting until jobs have done what they were told."""

from __future__ import annotations

from claw.cli import terminal
from claw.client.client import RECONNECT_S, await_master
from claw.client.connection import LostConnectionError
from claw.client.stream import Stream
from claw.errors import TimedOutError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self

    from claw.model.home import Home

    Job = dict[str, Any]

_AGAIN_S = 1.0
_MOVING = frozenset({"starting", "stopping", "waiting"})


def is_on_its_way(job: Job) -> bool:
    """Tell whether a service that was told to start has yet to be running, or not."""
    return job["type"] == "continuous" and job["state"] in _MOVING


def is_being_renewed(job: Job) -> bool:
    """Tell whether a service that was told to restart has yet to, or an instance of it."""
    rollout = job.get("rollout")
    return is_on_its_way(job) or (rollout is not None and rollout["failed"] is None)


def is_ending(job: Job) -> bool:
    """Tell whether a job that was told to stop still has a run."""
    return job.get("run") is not None


def _how(job: Job) -> str:
    why = f": {job['why']}" if job["state"] == "waiting" and job.get("why") else ""
    return f"{job['name']} ({job['state']}{why})"


class Settling:
    """Hears what happens to jobs from before they are told something; a context manager.

    It is opened first, so that nothing that follows from the command is missed.
    """

    __slots__ = ("_home", "_stream", "_told")

    def __init__(self, home: Home) -> None:
        self._home = home
        self._told: set[str] = set()
        self._stream = self._listen(0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stream.close()

    def wait(
        self, targets: list[str], is_moving: Callable[[Job], bool], timeout_s: float | None
    ) -> list[Job]:
        """Wait until none of the jobs is moving any more, and return how they are.

        Args:
            targets: What means the jobs.
            is_moving: Tells, from what ``job.status`` says of a job.
            timeout_s: How long at most; None: for ever.

        Raises:
            TimedOutError: They took too long; names those that still move.
        """
        deadline = None if timeout_s is None else clock.monotonic() + timeout_s
        with terminal.Progress() as progress:
            while True:
                jobs = self._ask(targets)
                moving = [job for job in jobs if is_moving(job)]
                if not moving:
                    return jobs
                told = ", ".join(_how(job) for job in moving)
                self._tell_who_has_to_act(moving)
                progress.show(f"waiting for {told}")
                self._hear(deadline, told, timeout_s)

    def _tell_who_has_to_act(self, moving: list[Job]) -> None:
        """Say once of each job that waits for somebody to type something."""
        for job in moving:
            why = job.get("why") or ""
            text = f"{job['name']} waits: {why}"
            if job["state"] == "waiting" and "clawctl start" in why and text not in self._told:
                self._told.add(text)
                terminal.note(text)

    def _hear(self, deadline: float | None, told: str, timeout_s: float | None) -> None:
        """Wait for something to happen, and take in all that has."""
        left_s = _AGAIN_S if deadline is None else deadline - clock.monotonic()
        if left_s <= 0:
            raise TimedOutError(
                f"after {timeout_s:g} s still moving: {told}",
                hint="it goes on; `clawctl status` shows how far it is",
            )
        patience_s = min(left_s, _AGAIN_S)
        try:
            while self._stream.next(patience_s) is not None:
                patience_s = 0.0
        except LostConnectionError:
            self._stream = self._listen(RECONNECT_S)

    def _ask(self, targets: list[str]) -> list[Job]:
        try:
            return self._status(targets)
        except LostConnectionError:
            self._stream = self._listen(RECONNECT_S)
            return self._status(targets)

    def _status(self, targets: list[str]) -> list[Job]:
        reply = self._stream.subscribe("job.status", targets=targets)
        jobs: list[Job] = reply["jobs"]
        return jobs

    def _listen(self, patience_s: float) -> Stream:
        stream = Stream(await_master(self._home.control_socket, patience_s))
        stream.subscribe("event.subscribe")
        return stream
