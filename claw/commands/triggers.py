"""The commands about jobs that follow each other."""

from __future__ import annotations

from claw.commands import kinds
from claw.commands.command import JOBS, Command, argument

COMMANDS = (
    Command(
        "job tree",
        JOBS,
        "draw which jobs follow which",
        verb="triggers:tree",
        reply="tree",
        method="job.tree",
        params=(
            argument("job", kinds.JOB, "only this one and what follows it", required=False),
        ),
        detail=(
            "A job follows another one by its `trigger`: [on:success] says after which ends,"
            " (+3s) how long after. One that follows several is drawn below each of them."
            " The steps of a workflow are drawn below it, too."
        ),
        examples=(
            ("clawctl job tree", "all jobs that follow others, and those they follow"),
            ("clawctl job tree fetch", "what a run of one job leads to"),
        ),
    ),
)
