"""Questions to a keyring, which may wait for a person, or for ever: a D-Bus service hangs."""

import threading
from collections.abc import Callable
from typing import TypeVar

from claw.kernel import clock
from claw.secrets.secretfile import SecretsError

PATIENCE_S = 8.0
"""So long one answer is waited for."""
_ENDING_S = 0.1
"""A thread that has answered may take that to end."""

T = TypeVar("T")


class Asking:
    """Each question has a thread of its own and a bounded time.

    While one is without an answer no other is put: else each would leave its thread behind.
    The caller puts one at a time.
    """

    def __init__(self) -> None:
        self._open: threading.Thread | None = None
        self._asked_at = 0.0  # on the monotonic clock

    def ask(self, question: Callable[[], T]) -> T:
        """Return what a question is answered, for so long at most.

        Raises:
            SecretsError: It is not, or in another way; no value is told.
        """
        if self._open is not None:
            self._open.join(_ENDING_S)
            if self._open.is_alive():
                raise _failure(f"no answer for {clock.monotonic() - self._asked_at:.0f} s")
        answers: list[T] = []
        troubles: list[BaseException] = []

        def run() -> None:
            try:
                answers.append(question())
            except BaseException as error:  # noqa: BLE001  any backend's, told by its kind below
                troubles.append(error)

        thread = threading.Thread(target=run, name="keyring", daemon=True)
        thread.start()
        self._open, self._asked_at = thread, clock.monotonic()
        thread.join(PATIENCE_S)
        if answers:
            return answers[0]
        raise _failure(
            type(troubles[0]).__name__ if troubles else f"no answer in {PATIENCE_S:g} s"
        )


def _failure(why: str) -> SecretsError:
    return SecretsError(f"the keyring fails: {why}", hint="unlock it", is_passing=True)
