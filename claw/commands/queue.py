"""The commands about what waits: the queue, pools, and runs taken together."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

COMMANDS = (
    Command(
        "runs cancel",
        RUNS,
        "the same as cancel",
        verb="run:cancel",
        reply="canceled",
        method="run.cancel",
        params=(
            argument("targets", kinds.TARGET_RUN_OR_BATCH, "as for cancel", many=True),
            flag("terminate", "end them at once, without their grace period"),
            option("reason", kinds.TEXT, "why, for the record"),
        ),
        examples=(("clawctl runs cancel 4fj2k9", "one run"),),
    ),
    Command(
        "runs retry",
        RUNS,
        "run again what has failed",
        verb="batch:retry",
        reply="rerun",
        method="run.retry",
        params=(
            argument(
                "targets", kinds.RUN_OR_BATCH, "runs, and batches with failed ones", many=True
            ),
        ),
        detail=(
            "New runs with the same arguments and variables, which name the old ones. Of a"
            " batch: those that failed, timed out, crashed or were canceled; the new ones are a"
            " batch of their own."
        ),
        examples=(("clawctl runs retry 4fj2k9", "prints the new run's id, or the batch's"),),
    ),
)
