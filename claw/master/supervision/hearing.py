"""Hears all supervisors in one task, see epoll(7): what each has said is taken in at once.

A task for each link would be woken for each word, and most of what a word costs is that.
"""

import select
from collections.abc import Awaitable, Callable

import trio

from claw.master.supervision.linefeed import LineLink


class Hearing:
    """The links that are heard."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._links: dict[int, LineLink] = {}

    def add(self, link: LineLink) -> None:
        """Hear a link, until it is dropped.

        Raises:
            OSError: ENOSPC, ENOMEM: there is no room for one more, see epoll_ctl(2).
        """
        self._epoll.register(link.fileno(), select.EPOLLIN)
        self._links[link.fileno()] = link

    def drop(self, link: LineLink) -> None:
        """Hear a link no more; to be called before it is closed."""
        if self._links.pop(link.fileno(), None) is not None:
            self._epoll.unregister(link.fileno())

    def close(self) -> None:
        """Hear nobody any more; to be called when no link is left."""
        self._epoll.close()

    async def serve(self, rest: Callable[[], Awaitable[None]]) -> None:
        """Hear until cancelled.

        Args:
            rest: Waited for before listening: what is said meanwhile is heard in one go.
        """
        while True:
            await rest()
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            self.hear()

    def hear(self) -> None:
        """Take in what has come by now; a mistake of ours with one link closes that one.

        Of one that has gone all is taken in: what it said last is no longer so.
        """
        for fd, events in self._epoll.poll(0):
            link = self._links.get(fd)
            if link is None:
                continue
            try:
                link.take_in()
                while events & select.EPOLLHUP and not link.is_closed:
                    link.take_in()
            except Exception as error:  # noqa: BLE001  it is for who follows that supervisor
                link.failure = error
                link.close()
