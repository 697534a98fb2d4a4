"""A thread that asks the master for what keys want, one after the other on one connection."""

from __future__ import annotations

import queue
import threading

from claw.cli.top import replies
from claw.cli.top.news import Done
from claw.client.client import Client
from claw.errors import ClawError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claw.cli.top.news import Ask, News
    from claw.model.home import Home


class Asker(threading.Thread):
    """Asks as long as the program lives; nobody waits for it: an answer may be owed.

    Args:
        home: Whose master.
        tell: Given what came of each, in this thread.
    """

    def __init__(self, home: Home, tell: Callable[[News], None]) -> None:
        super().__init__(name="top-asker", daemon=True)
        self._home = home
        self._tell = tell
        self._asks: queue.SimpleQueue[Ask] = queue.SimpleQueue()

    def want(self, ask: Ask) -> None:
        """Ask for something when its turn comes."""
        self._asks.put(ask)

    def run(self) -> None:
        """Ask, and tell what came of it."""
        with Client(self._home, may_ask=False) as client:
            while True:
                ask = self._asks.get()
                try:
                    told = replies.of_answer(ask, client.call(ask.method, **ask.params))
                except ClawError as error:
                    told = replies.of_error(ask, error)
                except Exception as error:  # noqa: BLE001 - else nobody would hear of the next
                    mistake = f"a mistake in claw: {type(error).__name__}: {error}"
                    told = Done(f"{ask.says}: {mistake}", is_error=True)
                self._tell(told)
