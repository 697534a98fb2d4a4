"""What is to become of a supervisor that the master has no link to: pure.

| lock held | known to a fork server | never launched | verdict                        |
|-----------|------------------------|----------------|--------------------------------|
| yes       |                        |                | adopt                          |
| no        | yes                    |                | adopt: a replacement is coming |
| no        | no                     | yes            | requeue: nothing has begun     |
| no        | no                     | no             | lose                           |

It is never launched when its run is claimed and there is neither a launch file of the attempt
nor a journal. Of a supervisor that has had runs before, the journal is read first (`adopt`).
"""

from enum import StrEnum


class Verdict(StrEnum):
    """What to do with a supervisor."""

    ADOPT = "adopt"  # it lives, or will be replaced: follow it
    REQUEUE = "requeue"  # the run goes back to the queue
    LOSE = "lose"  # what is left of it is ended, then the run is called crashed


def judge(*, is_held: bool, is_known: bool, is_unlaunched: bool) -> Verdict:
    """Decide about one supervisor; see the module.

    Args:
        is_held: Someone holds the lock of its spool.
        is_known: A fork server looks after it.
        is_unlaunched: Its attempt was claimed, and nothing of it has begun.
    """
    if is_held or is_known:
        return Verdict.ADOPT
    return Verdict.REQUEUE if is_unlaunched else Verdict.LOSE
