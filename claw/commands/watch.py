"""The commands about what is promised of jobs, and about what went wrong with them."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import JOBS, Command, argument, option

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
    Command(
        "incident",
        JOBS,
        "write all that is known of a job or run into an archive",
        verb="watch:incident",
        touches=(touching.FILES,),
        method="incident.subject",
        params=(
            argument("target", kinds.TARGET_OR_RUN, "a job or run"),
            option(
                "output",
                kinds.FILE,
                "the .tar.gz to write",
                short="o",
                touches=(touching.ALONE,),
            ),
        ),
        detail=(
            "Events, runs with their attempts and journals, the end of the output, the "
            "configuration and the versions. Values that could be secrets are masked; the "
            "output and the command are as they are."
        ),
        examples=(("clawctl incident report -o report.tar.gz", "for whoever looks into it"),),
    ),
)
