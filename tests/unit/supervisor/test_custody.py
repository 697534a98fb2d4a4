"""Whose child it is, and what a repeated line of the journal changes."""

import os
import select
import signal

from claw.kernel import pidfd, process
from claw.supervisor import rehearsal
from claw.supervisor.custody import UNKNOWN, Custody
from claw.supervisor.loop import Loop
from claw.supervisor.machine import Supervision


def test_a_child_that_is_given_up_has_ended_once_and_is_known_as_stuck() -> None:
    ends: list[pidfd.Exit] = []
    custody = Custody(Loop(), ends.append)
    child = os.fork()
    if child == 0:
        signal.pause()
    custody.take(child)

    custody.give_up()
    fd = pidfd.open_pid(child)
    assert process.kill(child, signal.SIGKILL)
    assert select.select([fd], [], [], 20.0)[0]
    os.close(fd)
    custody.look()

    assert ends == [UNKNOWN]
    assert custody.is_given_up
    custody.reap()
    assert process.stat_of(child) is None


def test_a_restart_that_is_told_twice_climbs_one_rung() -> None:
    state = Supervision(rehearsal._launch("/nowhere"))
    line = {"ev": "restarting", "attempt": 2, "until_b": 1.0, "restarts": 1}

    state.apply(line)
    state.apply(line)

    assert (state.rung, state.attempt, state.restarts) == (1, 2, 1)
