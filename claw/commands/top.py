"""The commands that have the whole screen."""

from __future__ import annotations

from claw.commands.command import JOBS, Command

COMMANDS = (
    Command(
        "top",
        JOBS,
        "watch and steer everything on a full screen",
        verb="top:top",
        method="job.status",
        detail=(
            "Tabs on the keys 1 to 5: jobs, output, runs, dead letters, configuration. ? shows "
            "all keys. The daemon may go away and come back meanwhile. Columns and order are "
            "remembered in $XDG_STATE_HOME/claw/top.json."
        ),
        examples=(("clawctl top", "? for the keys, q to leave"),),
    ),
)
