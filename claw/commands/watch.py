"""The commands about what is promised of jobs, and about what went wrong with them."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import JOBS, Command, argument

COMMANDS = (
    Command(
        "sla",
        JOBS,
        "show how far jobs keep what is promised of them",
        verb="watch:sla",
        reply="sla",
        method="job.sla",
        params=(
            argument("targets", kinds.TARGET, "default: all jobs", many=True, required=False),
        ),
        detail=(
            "Of jobs with a table `sla`: the rate of runs that passed, what is left of the "
            "error budget, and when that begins anew. A canceled or skipped run counts for "
            "nothing."
        ),
        examples=(
            ("clawctl sla", "of all jobs of which something is promised"),
            ("clawctl sla report --json", "one job, with the verdict on its last runs"),
        ),
    ),
)
