"""Complaints about clients, said at most so often: a client must not fill the log."""

import logging

import trio

PAUSE_S = 10.0


class Complaints:
    """Says the first complaint, and then at most one every `PAUSE_S` seconds."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next_at = -float("inf")
        self._unsaid = 0

    def say(self, text: str, *values: object) -> None:
        """Log a warning, or count it when there was one just now."""
        now = trio.current_time()
        if now < self._next_at:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more like it before)" if self._unsaid else ""
        self._log.warning(text + "%s", *values, more)
        self._next_at, self._unsaid = now + PAUSE_S, 0
