"""The commands about locks, and about what may be done once: the idempotency ledger."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, option

_KEY = argument("key", kinds.IDEM_KEY, "any text; what it stands for is done once")

COMMANDS = (
    Command(
        "lock list",
        RUNS,
        "list the locks, with who has them",
        verb="lock:list_locks",
        reply="locks",
        method="lock.list",
        examples=(("clawctl lock list", "here and on other hosts"),),
    ),
    Command(
        "lock release",
        RUNS,
        "take a lock away from whoever has it",
        verb="lock:release",
        reply="unlocked",
        method="lock.release",
        params=(argument("name", kinds.LOCK, "the lock"),),
        detail=(
            "The run that has it is ended as failed, reason lock_lost: here at once, elsewhere "
            "when that host next renews its lease. A shared lock is free at once: until that "
            "run has ended, two may be at work, and the fencing number alone tells them apart."
        ),
        examples=(("clawctl lock release backup", "its holder is stuck, or gone for good"),),
    ),
    Command(
        "idem status",
        RUNS,
        "list the keys that were claimed, or show one",
        verb="idem:status",
        reply="keys",
        method="idem.list",
        params=(argument("key", kinds.IDEM_KEY, "this one; default all", required=False),),
        examples=(("clawctl idem status", "who has claimed what, and until when"),),
    ),
    Command(
        "idem check",
        RUNS,
        "tell whether a key is free",
        verb="idem:check",
        reply="key",
        method="idem.check",
        params=(_KEY,),
        detail="The exit status is 0 when it is free, 1 when somebody has it.",
        examples=(("clawctl idem check invoice-7", "without claiming it"),),
    ),
    Command(
        "idem claim",
        RUNS,
        "claim a key, if nobody has it",
        verb="idem:claim",
        reply="key",
        method="idem.claim",
        params=(_KEY, option("ttl", kinds.DURATION, "how long it holds; default 7d")),
        detail=(
            "The exit status is 0 when it is the caller's now, 1 when it is another's or what "
            "it stands for is done. Within a run the key is the run's: done when that "
            "succeeds, free again when it ends in any other way."
        ),
        examples=(("clawctl idem claim invoice-7", "in a job: is it mine to send?"),),
    ),
    Command(
        "idem release",
        RUNS,
        "forget a key, so that it can be claimed again",
        verb="idem:release",
        reply="key",
        method="idem.release",
        params=(_KEY,),
        examples=(("clawctl idem release invoice-7", "have it done anew"),),
    ),
    Command(
        "idem prune",
        RUNS,
        "forget the keys that have expired",
        verb="idem:prune",
        reply="key",
        method="idem.prune",
        examples=(("clawctl idem prune", "claims do that by and by too"),),
    ),
)
