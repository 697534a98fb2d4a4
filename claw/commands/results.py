"""The commands about what runs leave behind."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import RUNS, Command, argument, flag, option

_RUN = argument("run", kinds.RUN, "six or more letters of its id")

COMMANDS = (
    Command(
        "runs result",
        RUNS,
        "print the value that a run has handed back",
        verb="results:result",
        method="run.result",
        params=(_RUN, option("attempt", kinds.COUNT, "of this attempt; default: the last")),
        detail=(
            "The JSON that its child wrote to the file named by $CLAW_RESULT_FILE. Fails when"
            " there is none."
        ),
        examples=(("clawctl runs result 4fj2k9", "as JSON"),),
    ),
    Command(
        "job purge",
        RUNS,
        "forget all runs of a job, with their output",
        verb="results:purge",
        reply="forgotten",
        method="job.purge",
        params=(
            argument("job", kinds.JOB, "the job"),
            flag("force", "end runs that are not over first"),
        ),
        detail=(
            "Runs, attempts, output, results and events go; that they have gone, when and by"
            " whom, is an event and a line of audit.log. Its definition stays."
        ),
        examples=(("clawctl job purge report", "as if it had never run"),),
    ),
    Command(
        "runs output",
        RUNS,
        "print all that a run has written",
        verb="results:output",
        method="run.output",
        params=(
            _RUN,
            flag("stdout", "only standard output"),
            flag("stderr", "only standard error"),
            option("attempt", kinds.COUNT, "of this attempt alone"),
        ),
        detail="From its file, or from the database when the file is gone.",
        examples=(
            ("clawctl runs output 4fj2k9", "all of it"),
            ("clawctl runs output 4fj2k9 --stderr --attempt 1", "a part of it"),
        ),
    ),
)
