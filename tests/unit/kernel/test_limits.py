"""Whether a limit could be raised is tried, and nothing is changed by that."""

import resource

from claw.kernel import limits

BEYOND_ALL = 1 << 62


def test_a_limit_within_the_hard_one_can_be_set() -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert limits.hard_limit_below("nofile", hard) is None
    assert limits.hard_limit_below("nofile", 0) is None


def test_a_trial_leaves_the_limits_as_they_are() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    assert limits.hard_limit_below("nofile", before[1] + 1) in {None, before[1]}
    assert limits.hard_limit_below("nofile", BEYOND_ALL) == before[1]
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
