"""What the fork server cannot do at once, it does later."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from claw.kernel import channel, files, pidfd, process, ticks
from claw.supervisor.loop import Loop
from claw.supervisor.ward import Ward
from claw.supervisor.wards import Wards
from claw.wire import supervision
from tests.kit.descriptors import free_descriptors

GONE = (1 << 22) + 1  # more than any pid, proc_sys_kernel(5)


def wards() -> Wards:
    return Wards(Loop(), (1024, 1024), lambda _sid: None)


def test_a_fostered_run_whose_lock_cannot_be_opened_now_is_looked_at_later(
    tmp_path: Path,
) -> None:
    made, now_b = wards(), ticks.boottime()
    for sid in ("s1", "s2"):
        (tmp_path / sid).mkdir()
        os.close(files.open_lock(str(tmp_path / sid / "lock")))
        ward = made.all[sid] = Ward(sid, str(tmp_path / sid), {})
        ward.is_unseen = True
        ward.retry_b = now_b

    with free_descriptors(os.getpid(), 0):
        made.retry()

    assert all(ward.is_unseen for ward in made.all.values())
    assert all(ward.retry_b and ward.retry_b > now_b for ward in made.all.values())


def test_a_watch_that_is_tried_again_finds_what_the_master_has_told_meanwhile() -> None:
    made = wards()
    ward = made.all["s1"] = Ward("s1", "/nowhere", {})
    ward.pid = os.getpid()
    ward.relay, theirs = channel.pair()
    child = os.fork()
    if child == 0:
        signal.pause()
    with free_descriptors(os.getpid(), 0):
        made.orphans.watch(ward, child, 77)
    assert ward.retry_b is not None

    process.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    made.orphans.note_reaped(
        {"pid": child, "start": 77, "code": 7, "signal": None, "cpu_s": 0.5, "max_rss": 1}
    )
    ward.retry_b = ticks.boottime()
    made.retry()

    said = supervision.decode(theirs.recv(4096).strip())
    assert said is not None
    assert (said["ev"], said["code"]) == ("exit", 7)
    ward.relay.close()
    theirs.close()


def ask_of_one_that_is_gone(made: Wards) -> tuple[Ward, channel.Socket]:
    """Have a replacement ask how a child ended that is not the fork server's."""
    ward = made.all["s1"] = Ward("s1", "/nowhere", {})
    ward.pid = os.getpid()
    ward.relay, theirs = channel.pair()
    theirs.sendall(supervision.encode({"op": "watch", "pid": GONE, "start": 77}))
    made.orphans.on_relay(ward)
    return ward, theirs


def test_a_replacement_that_asks_before_the_master_has_told_hears_how_its_child_ended() -> None:
    made = wards()
    ward, theirs = ask_of_one_that_is_gone(made)
    assert ward.retry_b is not None

    made.orphans.note_reaped(
        {"pid": GONE, "start": 77, "code": 7, "signal": None, "cpu_s": 0.5, "max_rss": 1}
    )
    made.retry()

    said = supervision.decode(theirs.recv(4096).strip())
    assert said is not None
    assert (said["ev"], said["code"]) == ("exit", 7)
    assert ward.relay is not None
    ward.relay.close()
    theirs.close()


def test_a_replacement_is_told_that_nobody_knows_when_no_word_comes() -> None:
    made = wards()
    ward, theirs = ask_of_one_that_is_gone(made)
    ward.word_until_b = ward.retry_b = ticks.boottime()

    made.retry()

    said = supervision.decode(theirs.recv(4096).strip())
    assert said is not None
    assert said["ev"] == "stray"
    assert ward.relay is not None
    ward.relay.close()
    theirs.close()


def test_a_supervisor_that_cannot_be_looked_at_is_not_said_to_be_another_process() -> None:
    made = wards()
    ward = made.all["s1"] = Ward("s1", "/nowhere", {})
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as one:
        start = pidfd.start_ticks(one.pid)
        assert start is not None
        for count in (0, 1):  # one for a pidfd, none to see by whether it is the one
            with free_descriptors(os.getpid(), count), pytest.raises(OSError, match="Too many"):
                made.see(ward, one.pid, start)
            assert not ward.pid

        with free_descriptors(os.getpid(), 2):  # none has been kept
            made.see(ward, one.pid, start)
        assert ward.pid == one.pid
        os.close(ward.pid_fd)
