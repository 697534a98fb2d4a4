"""Nobody who says something all the time holds up a supervisor."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from claw.supervisor.console import Console
from claw.supervisor.errands import Errand
from claw.wire.supervision import TERMINAL


@contextmanager
def patience() -> Iterator[None]:
    """Fail what does not come back, instead of waiting for ever."""

    def fail(_number: int, _frame: object) -> None:
        raise AssertionError("it goes on and on")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(20)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Endless:
    """What a console is made from, of a terminal that says zeros and never stops."""

    def __init__(self) -> None:
        zeros, sink = os.open("/dev/zero", os.O_RDWR), os.open("/dev/null", os.O_WRONLY)
        self.kept = {TERMINAL[0]: zeros, TERMINAL[1]: zeros}
        self.writing = sink

    def close(self) -> None:
        os.close(self.kept[TERMINAL[0]])
        os.close(self.writing)


def test_what_is_said_on_a_terminal_is_passed_on_a_few_rounds_at_once() -> None:
    made = cast("Any", Endless())
    console = Console(made, made, made)

    with patience():
        console.pump()

    made.close()


def test_what_an_errand_says_is_read_a_few_rounds_at_once() -> None:
    errand = Errand(os.getpid(), 0.0, lambda _said: None)
    errand.output_fd = os.open("/dev/zero", os.O_RDONLY)

    with patience():
        assert errand.take_output()

    os.close(errand.output_fd)
