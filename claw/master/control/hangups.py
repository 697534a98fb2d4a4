"""Noticing that a client is gone while nothing is read from it.

A client that has only said that it will send no more (shutdown(2), as ``nc -N`` does) still
waits for its answers; one that is gone does not. Reading tells both the same. The kernel knows
the difference as EPOLLHUP, which needs no asking for (epoll_ctl(2)).
"""

import select
from collections.abc import Callable

import trio


class Hangups:
    """One epoll instance for all connections."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}

    def watch(self, fd: int, on_hangup: Callable[[], None]) -> None:
        """Have a function called once, when the peer of a socket is gone."""
        self._epoll.register(fd, select.EPOLLET)
        self._callbacks[fd] = on_hangup

    def forget(self, fd: int) -> None:
        """Stop watching; to be called before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Call the functions, until cancelled."""
        task_status.started()
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for fd, events in self._epoll.poll(0):
                callback = self._callbacks.get(fd)
                if callback is not None and events & (select.EPOLLHUP | select.EPOLLERR):
                    callback()

    def close(self) -> None:
        """Close the descriptor."""
        self._epoll.close()
