"""Messages into a file: a line of JSON each."""

from functools import partial

import trio

from claw.delivery.sending import NotTakenError, Outgoing
from claw.kernel import linefile
from claw.kernel.causes import reason


class FileSender:
    """See the module."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = trio.CapacityLimiter(1)  # a dead network file system answers never

    async def send(self, outgoing: Outgoing) -> None:
        """Append it, and have that on disk."""
        add = partial(linefile.add_line, self._path, outgoing.as_json())
        try:
            await trio.to_thread.run_sync(add, abandon_on_cancel=True, limiter=self._threads)
        except OSError as error:
            raise NotTakenError(f"{self._path}: {reason(error)}") from error

    async def close(self) -> None:
        """Nothing is held."""
