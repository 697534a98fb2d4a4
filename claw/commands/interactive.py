"""The commands that fill a terminal: the full screen, and the prompt."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import DAEMON, JOBS, Command, flag, option

COMMANDS = (
    Command(
        "top",
        JOBS,
        "watch and steer everything on a full screen",
        verb="top:top",
        touches=(touching.ALONE,),
        method="job.status",
        detail=(
            "Tabs on the keys 1 to 5: jobs, output, runs, dead letters, configuration. ? shows "
            "all keys. The daemon may go away and come back meanwhile. Columns and order are "
            "remembered in $XDG_STATE_HOME/claw/top.json."
        ),
        examples=(("clawctl top", "? for the keys, q to leave"),),
    ),
    Command(
        "shell",
        DAEMON,
        "type command after command at a prompt",
        verb="shell:shell",
        touches=(touching.ALONE,),
        method="hello",
        params=(
            option("command", kinds.TEXT, "carry out this line and leave", short="c"),
            flag("restricted", "no programs, no files: for a login that is for claw alone"),
        ),
        detail=(
            "Lines are what follows `clawctl`. Tab completes, ^R searches what was typed, a "
            "line goes on after a backslash or in an open quote, !CMD runs a program, ^D "
            "leaves. What happens to jobs that a line was about is told above the prompt. From "
            "a pipe, lines are carried out one after the other, also after one that fails; the "
            "exit status is that of the last."
        ),
        examples=(
            ("clawctl shell", "`help` lists the commands"),
            ("clawctl shell -c 'status web'", "one line, as a login shell is asked to"),
        ),
    ),
)
