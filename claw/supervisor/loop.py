"""One thread, one wait: descriptors and one deadline. See epoll(7)."""

import select

from claw.kernel import process, ticks

_LAZY_AFTER_S = 5.0
_LAZY_SLACK_NS = 1_000_000_000
_NORMAL_SLACK_NS = 50_000


class Loop:
    """Calls back when a descriptor is readable; sleeps until the next deadline.

    A wait of more than a few seconds may end a second late, so that the kernel wakes many
    idle supervisors at once (PR_SET_TIMERSLACK, prctl(2)).
    """

    __slots__ = ("_callbacks", "_lazy", "_poll")

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._callbacks: dict[int, object] = {}
        self._lazy = False
        process.set_timer_slack(_NORMAL_SLACK_NS)  # a fork hands the parent's on

    def watch(self, fd: int, callback: object) -> None:
        """Call ``callback()`` whenever ``fd`` is readable or its peer has gone."""
        self._poll.register(fd, select.EPOLLIN)
        self._callbacks[fd] = callback

    def watch_for_hangup(self, fd: int, callback: object) -> None:
        """Call ``callback()`` when the other side of ``fd`` has gone: of a pidfd, reaped."""
        self._poll.register(fd, 0)  # EPOLLHUP is always told, epoll_ctl(2)
        self._callbacks[fd] = callback

    def forget(self, fd: int) -> None:
        """Stop watching a descriptor; to be called before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def turn(self, deadline_b: float | None) -> None:
        """Wait until something happens or a deadline of boot time passes; call back.

        Raises:
            OSError: A callback's; the others have been called all the same.
        """
        wait_s = -1.0
        if deadline_b is not None:
            wait_s = max(0.0, deadline_b - ticks.boottime())
        self._set_laziness(deadline_b is None or wait_s > _LAZY_AFTER_S)
        failure: OSError | None = None
        for fd, _events in self._poll.poll(wait_s, 64):
            callback = self._callbacks.get(fd)
            if callback is not None:
                try:
                    callback()  # type: ignore[operator]
                except OSError as error:
                    failure = error
        if failure is not None:
            raise failure

    def be_prompt(self) -> None:
        """Take timers as they are set; needed before a fork, which hands the slack on.

        A child's *default* slack is what its parent had at the fork, so it cannot give the
        laziness back later.
        """
        self._set_laziness(False)

    def _set_laziness(self, lazy: bool) -> None:  # noqa: FBT001
        if lazy != self._lazy:
            self._lazy = lazy
            process.set_timer_slack(_LAZY_SLACK_NS if lazy else _NORMAL_SLACK_NS)
