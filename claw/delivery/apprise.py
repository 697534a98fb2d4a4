"""Messages by the services that apprise knows (https://appriseit.com); needs the extra notify.

apprise says what went wrong to its log alone, from which it is taken.
"""

import logging
import threading

import apprise
import trio

from claw.delivery.sending import NotTakenError, Outgoing
from claw.model.masking import mask_users

_LOGGER = "apprise"
_SHOWN = 200


class AppriseSender:
    """See the module."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self._urls = urls
        self._threads = trio.CapacityLimiter(1)
        logger = logging.getLogger(_LOGGER)
        logger.propagate = False  # what it says names addresses
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())

    async def send(self, outgoing: Outgoing) -> None:
        """Send it to all URLs of the channel; it was taken when all have taken it."""
        await trio.to_thread.run_sync(
            self._notify, outgoing, abandon_on_cancel=True, limiter=self._threads
        )

    async def close(self) -> None:
        """Nothing is held."""

    def _notify(self, outgoing: Outgoing) -> None:
        for no, url in enumerate(self._urls, start=1):
            one = apprise.Apprise.instantiate(outgoing.address(url))
            if not one:
                raise NotTakenError(f"URL {no} is none that apprise knows", is_final=True)
            with _Listener() as listener:
                is_taken = bool(
                    one.notify(
                        title=outgoing.subject,
                        body=outgoing.text or outgoing.subject,
                        notify_type=_type_of(outgoing),
                    )
                )
            if not is_taken:
                said = mask_users(listener.said)[:_SHOWN]
                raise NotTakenError(f"apprise, URL {no}: {said or 'it was not taken'}")


def _type_of(outgoing: Outgoing) -> apprise.NotifyType:
    kind = outgoing.message.get("type")
    if kind in {"run.failed", "run.timed_out", "run.crashed", "alert.raised", "job.fatal"}:
        return apprise.NotifyType.FAILURE
    if kind in {"run.succeeded", "alert.resolved"}:
        return apprise.NotifyType.SUCCESS
    return apprise.NotifyType.INFO


class _Listener(logging.Handler):
    """Keeps the last warning that this thread has caused."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.said = " ".join(record.getMessage().split())

    def __enter__(self) -> "_Listener":
        logging.getLogger(_LOGGER).addHandler(self)
        return self

    def __exit__(self, *_how: object) -> None:
        logging.getLogger(_LOGGER).removeHandler(self)
