"""The commands about dead letters: runs that have failed for good."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

_DEAD = argument("runs", kinds.DEAD, "dead letters", many=True, required=False)
_ALL = flag("all", "all there are")
_JOB = option("job", kinds.JOB, "all of this job")

COMMANDS = (
    Command(
        "dlq list",
        RUNS,
        "list dead letters: runs that have failed for good",
        verb="deadletters:list_dead",
        reply="dead",
        method="dlq.list",
        params=(
            option("job", kinds.JOB, "only of this job"),
            option("limit", kinds.COUNT, "at most so many; default 50", short="n"),
        ),
        examples=(("clawctl dlq list", "what waits for somebody to decide"),),
    ),
    Command(
        "dlq show",
        RUNS,
        "show one dead letter with all its attempts",
        verb="deadletters:show_dead",
        reply="run",
        method="run.show",
        params=(argument("run", kinds.DEAD, "six or more letters of its id"),),
        examples=(("clawctl dlq show 4fj2k9", "why it has failed"),),
    ),
    Command(
        "dlq reinject",
        RUNS,
        "have dead letters done again, as new runs",
        verb="deadletters:reinject",
        reply="reinjected",
        method="dlq.reinject",
        params=(
            _DEAD,
            _ALL,
            _JOB,
            option("env", kinds.SETTING, "set a variable for the new runs", many=True),
            option("arg", kinds.TEXT, "an argument instead of those they had", many=True),
        ),
        detail=(
            "A new run has the environment and the arguments of the dead one. That is no "
            "dead letter any more; `runs show` tells which run followed."
        ),
        examples=(
            ("clawctl dlq reinject 4fj2k9 --env REGION=eu", "one, with a change"),
            ("clawctl dlq reinject --job ingest", "all of a job"),
        ),
    ),
    Command(
        "dlq purge",
        RUNS,
        "forget that runs are dead letters",
        verb="deadletters:purge",
        reply="purged",
        method="dlq.purge",
        params=(
            _DEAD,
            _ALL,
            _JOB,
            option("older_than", kinds.DURATION, "only those that are older"),
        ),
        detail="The runs stay in the history.",
        examples=(
            ("clawctl dlq purge 4fj2k9", "one"),
            ("clawctl dlq purge --older-than 30d", "all that nobody has cared for"),
        ),
    ),
)
