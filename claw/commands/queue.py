"""The commands about what waits: the queue, pools, and runs taken together."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

_WHAT = argument("what", kinds.JOB_OR_POOL, "a job or a pool; default: all", required=False)

COMMANDS = (
    Command(
        "queue list",
        RUNS,
        "what waits, in the order in which it would go, and why",
        verb="queue:list_queue",
        reply="queue",
        method="queue.list",
        params=(
            option("job", kinds.JOB, "only of this job"),
            option("pool", kinds.POOL, "only of jobs that use this pool"),
            option("limit", kinds.COUNT, "at most so many; default 100", short="n"),
        ),
        examples=(("clawctl queue list --pool database", "who is next"),),
    ),
    Command(
        "queue pause",
        RUNS,
        "have nothing begin, while what runs goes on",
        verb="queue:pause",
        reply="heldback",
        method="queue.pause",
        params=(_WHAT,),
        detail=(
            "Runs are still taken in, those of schedules too, and wait. Services are not"
            " concerned. It holds until `queue resume`, over restarts too. `pause JOB` on the"
            " other hand skips the times of a schedule."
        ),
        examples=(
            ("clawctl queue pause", "nothing new begins"),
            ("clawctl queue pause database", "nothing of a job or a pool"),
        ),
    ),
    Command(
        "queue resume",
        RUNS,
        "take a pause of the queue back",
        verb="queue:resume",
        reply="heldback",
        method="queue.resume",
        params=(_WHAT,),
        examples=(("clawctl queue resume", "go on"),),
    ),
    Command(
        "queue clear",
        RUNS,
        "revoke what waits",
        verb="queue:clear",
        reply="canceled",
        method="queue.clear",
        params=(
            argument(
                "targets",
                kinds.TARGET_RUN_OR_BATCH,
                "only of these; default: all",
                many=True,
                required=False,
            ),
            flag("all", "those too that were asked for at a later time"),
            option("reason", kinds.TEXT, "why, for the record"),
        ),
        detail=(
            "What runs goes on. The runs stay in the history as canceled, with the reason. What"
            " was asked for at a later time (`run --at`, `--in`) stays, but with --all, or when"
            " its job, batch or run is named."
        ),
        examples=(("clawctl queue clear report", "nothing of it waits any more"),),
    ),
    Command(
        "pool list",
        RUNS,
        "pools: their slots, who holds them, how many wait",
        verb="queue:list_pools",
        reply="pools",
        method="pool.list",
        examples=(("clawctl pool list", "all of them"),),
    ),
    Command(
        "pool set",
        RUNS,
        "give a pool so many slots",
        verb="queue:set_pool",
        reply="poolset",
        method="pool.set",
        params=(
            argument("pool", kinds.POOL, "the pool"),
            argument("slots", kinds.COUNT, "how many slots"),
        ),
        detail=(
            "Until the configured number changes, over restarts too. What holds more slots than"
            " there are then goes on, and nothing begins until there is room again."
        ),
        examples=(("clawctl pool set database 3", "three at once"),),
    ),
    Command(
        "runs stale",
        RUNS,
        "runs that run or wait much longer than usual",
        verb="queue:stale",
        reply="runs",
        method="run.stale",
        params=(option("older", kinds.DURATION, "that run or wait longer than this"),),
        detail=(
            "Running: three times as long as the longest of the job's last 20 runs that"
            " succeeded, and more than a minute. Waiting: more than an hour beyond their time."
        ),
        examples=(("clawctl runs stale --older 2h", "whatever is older than that"),),
    ),
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
            flag("descendants", "and the runs that came of them, or follow those jobs"),
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
