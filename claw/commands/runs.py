"""The commands about runs, their output and what happened to them."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import RUNS, Command, argument, flag, option, rest

_STATUS = (
    "the exit status is the child's own, 128 + N when signal N ended it, 124 when it ran "
    "out of time, 125 when claw could not run it."
)

COMMANDS = (
    Command(
        "run",
        RUNS,
        "run a job or a command once, now or later",
        verb="run:run",
        reply="submitted",
        method="run.submit",
        params=(
            argument("job", kinds.JOB, "the job to run", required=False),
            rest(
                "cmd",
                kinds.WORD,
                "a command, with this folder and environment",
                touches=(touching.HERE,),
            ),
            option("at", kinds.FUTURE, "not before this time"),
            option("in", kinds.DURATION, "not before so long has passed"),
            option("priority", kinds.PRIORITY, "which of those that wait goes first"),
            option("env", kinds.SETTING, "set a variable for this run", many=True),
            option("arg", kinds.TEXT, "add an argument to the command", many=True),
            option("each", kinds.FILE, "a run for each line of a file, - for standard input"),
            flag("jsonl", 'lines of --each are JSON, like {"args": ["x"]}'),
            flag("force", "although it is paused, stopped or disabled"),
            option("name", kinds.TEXT, "CMD: what to call it; default: as the program"),
            option("user", kinds.USER, "CMD: as another user"),
            option("after", kinds.RUN, "CMD: when this run has ended well, else never"),
            option("pool", kinds.POOL, "CMD: with a slot of this pool"),
            option("retry", kinds.TEXT, "CMD: so often, or webhook, exponential, fixed"),
            option("timeout", kinds.TEXT, "CMD: end an attempt after so long"),
            option("tag", kinds.TAG, "CMD: give it a tag", many=True),
            flag("wait", "return when it has ended, with its exit status"),
            flag("follow", "the same, and show its output meanwhile"),
        ),
        detail=(
            "A CMD runs as you do now: folder, environment, umask, user and groups. Find it"
            " again with `clawctl runs list --transient`."
            f" Prints the run's id. With --wait or --follow {_STATUS} --each makes one batch,"
            " all or none of it, whose id is printed: each line is the last argument of its"
            " run, empty ones are left out. A batch that is waited for exits with 1 when one of"
            " its runs has failed."
        ),
        examples=(
            ("clawctl run report", "run it now; prints the run's id"),
            ("clawctl run --timeout 2h -- make -j8 all", "a command, as you, from here"),
            ("clawctl run report --wait", "and exit as it does"),
            ("clawctl run report --at 'tomorrow 09:00' --env REGION=eu", "later"),
            ("clawctl run resize --each files.txt --follow", "a run for each file"),
        ),
    ),
    Command(
        "cancel",
        RUNS,
        "end running runs and revoke waiting ones",
        verb="run:cancel",
        reply="canceled",
        method="run.cancel",
        params=(
            argument(
                "targets",
                kinds.TARGET_RUN_OR_BATCH,
                "runs, or all runs of batches and jobs",
                many=True,
            ),
            flag("terminate", "end them at once, without their grace period"),
            flag("descendants", "and the runs that came of them, or follow those jobs"),
            option("reason", kinds.TEXT, "why, for the record"),
        ),
        detail=(
            "A run is named by six or more letters of either end of its id, a batch too. A run"
            " that has ended may be named with --descendants: what came of it is ended. A job"
            " that follows on `complete` still follows a run that is canceled."
        ),
        examples=(
            ("clawctl cancel 4fj2k9", "one run"),
            ("clawctl cancel 4fj2k9 --descendants", "and all that came of it"),
            ("clawctl cancel report", "all open runs of a job"),
            ("clawctl cancel tag:etl --terminate --reason 'disk full'", "at once, and why"),
        ),
    ),
    Command(
        "wait",
        RUNS,
        "wait until a run has ended or a job is so far",
        verb="run:wait",
        reply="waited",
        method="run.wait",
        aliases=("runs wait",),
        params=(
            argument("target", kinds.TARGET_RUN_OR_BATCH, "a job, run or batch"),
            option("for", kinds.MILESTONE, "what to wait for; default ended"),
            flag("follow", "show the output meanwhile; of a batch, how far it is"),
            option("timeout", kinds.DURATION, "wait at most so long, then exit 6"),
        ),
        detail=f"For a run {_STATUS} For a batch it is 1 when one of its runs has failed.",
        examples=(
            ("clawctl wait 4fj2k9", "wait for a run and exit as it did"),
            ("clawctl wait web --for running --timeout 30s", "wait for a job"),
        ),
    ),
    Command(
        "logs",
        RUNS,
        "show the output of jobs or runs",
        verb="logs:logs",
        method="log.read",
        aliases=("runs logs",),
        params=(
            argument(
                "targets", kinds.TARGET_OR_RUN, "default: all jobs", many=True, required=False
            ),
            option("lines", kinds.LINES, "so many of the last lines", short="n"),
            flag("follow", "and what comes, until ^C", short="f", touches=(touching.LINES,)),
            flag("stdout", "only standard output"),
            flag("stderr", "only standard error"),
            option("since", kinds.PAST, "nothing written before"),
            option("until", kinds.PAST, "nothing written after"),
            option("grep", kinds.REGEX, "only lines in which this regular expression is found"),
            flag("timestamps", "with the time of each line"),
        ),
        detail=(
            "With a time or --grep all lines that fit are shown, else the last ones. Rotated"
            " files are read as if they were one. Times are exact to the second."
        ),
        examples=(
            ("clawctl logs web -f", "follow one job"),
            ("clawctl logs web --since 2h --grep 'ERROR|WARN'", "look for trouble"),
            ("clawctl logs 4fj2k9", "the output of one run"),
        ),
    ),
    Command(
        "events",
        RUNS,
        "show what happened, and with -f what happens",
        verb="events:events",
        touches=(touching.LINES,),
        reply="event",
        method="event.list",
        params=(
            flag("follow", "go on with what happens, until ^C", short="f"),
            option("from", kinds.CURSOR, "only what came after this cursor"),
            option(
                "cursor_file",
                kinds.FILE,
                "start from the cursor kept here, and keep it",
                touches=(touching.ALONE,),
            ),
            option("job", kinds.JOB, "only of this job"),
            option("type", kinds.EVENT_TYPE, "only of this type, such as run.failed"),
        ),
        detail=(
            "Without --from: all that is stored, with -f only what is new. -f reconnects "
            "when the daemon is restarted and loses nothing."
        ),
        examples=(
            ("clawctl events -f --type 'run.*'", "watch runs"),
            ("clawctl events --cursor-file seen --json", "what is new since the last call"),
        ),
    ),
    Command(
        "runs list",
        RUNS,
        "list runs, newest first",
        verb="runs:list_runs",
        reply="runs",
        method="run.list",
        params=(
            option("job", kinds.JOB, "only of this job"),
            option("state", kinds.RUN_STATE, "only in this state"),
            flag("transient", "only of `clawctl run -- CMD`"),
            option("since", kinds.PAST, "only those asked for since then"),
            option("batch", kinds.BATCH, "only of this batch"),
            option("parent", kinds.RUN, "only what came of this run at once"),
            option("limit", kinds.COUNT, "at most so many; default 50", short="n"),
        ),
        examples=(("clawctl runs list --job report --state failed", "its failures"),),
    ),
    Command(
        "runs show",
        RUNS,
        "show one run with all its attempts",
        verb="runs:show_run",
        reply="run",
        method="run.show",
        params=(argument("run", kinds.RUN, "six or more letters of its id"),),
        examples=(("clawctl runs show 4fj2k9", "all about a run"),),
    ),
)
