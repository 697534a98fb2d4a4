"""Refusals of guests do not fill the audit log."""

from claw.master.control.restraint import AT_ONCE, EVERY_S, Restraint


def test_a_guest_is_written_down_some_times_at_once_and_then_now_and_again() -> None:
    restraint = Restraint()
    told = [restraint.refused(7, 100.0) for _ in range(AT_ONCE + 30)]
    assert told == [0] * AT_ONCE + [None] * 30
    assert restraint.refused(8, 100.0) == 0
    assert restraint.refused(7, 100.0 + EVERY_S / 2) is None
    assert restraint.refused(7, 100.0 + EVERY_S) == 31
    assert restraint.refused(7, 100.0 + EVERY_S) is None
    assert restraint.left_out(7) == 1
    assert restraint.left_out(7) == restraint.left_out(8) == restraint.left_out(9) == 0


def test_no_more_users_than_some_are_remembered() -> None:
    restraint = Restraint()
    for _ in range(AT_ONCE + 1):
        restraint.refused(1, 0.0)
    for uid in range(2, 1100):
        restraint.refused(uid, 0.0)
    assert len(restraint._users) == 1000
    assert restraint.refused(1, 0.0) == 0
