"""The commands about jobs."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import JOBS, Command, Param, argument, flag, option

_TARGETS = argument("targets", kinds.TARGET, "name, NAME@2, pattern, tag:TAG, all", many=True)
_FORCE = flag("force", "although it is paused, stopped or disabled")
_PATIENCE: tuple[Param, ...] = (
    flag("wait", "return when it is done (the default)"),
    flag("no_wait", "return at once"),
    option("timeout", kinds.DURATION, "wait at most so long, then exit 6"),
)

COMMANDS = (
    Command(
        "status",
        JOBS,
        "show how jobs are doing",
        verb="status:status",
        reply="status",
        method="job.status",
        aliases=("list", "ls"),
        params=(
            argument("targets", kinds.TARGET, "only these jobs", many=True, required=False),
            flag("verbose", "with processor, memory, health and last line", short="v"),
            option("tag", kinds.TAG, "only jobs with this tag"),
            option("type", kinds.JOB_TYPE, "only jobs of this type"),
            option("state", kinds.JOB_STATE, "only jobs in this state"),
            option("text", kinds.TEXT, "only jobs with this text", short="q"),
            flag("watch", "and again when something happens", touches=(touching.LINES,)),
            flag("budgets", "how much of what is bounded is used, instead"),
        ),
        detail=(
            "With a TARGET the exit status is 3 when one of them is not running, or, for "
            "jobs that are not continuous, when its last run failed."
        ),
        examples=(
            ("clawctl status", "all jobs"),
            ("clawctl status web 'etl-*'", "some of them; exit 3 when one is down"),
            ("clawctl status --json", "for programs"),
            ("clawctl status --watch", "until ^C"),
        ),
    ),
    Command(
        "start",
        JOBS,
        "release jobs from stop or pause, and start them",
        verb="jobs:start",
        reply="acted",
        method="job.start",
        params=(_TARGETS, _FORCE, *_PATIENCE),
        detail=(
            "A continuous job runs; a scheduled or oneshot job waits for its time again; "
            "a manual job runs once, as with `clawctl run`."
        ),
        examples=(
            ("clawctl start web", "start one job"),
            ("clawctl start tag:site", "start all jobs with a tag"),
        ),
    ),
    Command(
        "stop",
        JOBS,
        "end the runs of jobs and begin none until they are started",
        verb="jobs:stop",
        reply="acted",
        method="job.stop",
        params=(_TARGETS, flag("force", "kill at once, without grace period"), *_PATIENCE),
        detail="What is stopped stays stopped, over reloads and restarts of the daemon.",
        examples=(
            ("clawctl stop web", "stop one job and wait until it is down"),
            ("clawctl stop --force web", "kill it"),
            ("clawctl stop all", "stop everything"),
        ),
    ),
    Command(
        "restart",
        JOBS,
        "end what runs and start it anew",
        verb="jobs:restart",
        reply="acted",
        method="job.restart",
        params=(
            _TARGETS,
            option("batch", kinds.COUNT, "so many instances at a time (1)"),
            flag("all_at_once", "all instances at once"),
            _FORCE,
            *_PATIENCE,
        ),
        detail=(
            "Of a job with several instances the next one is restarted only when the last is "
            "ready; at the first that fails it stops, says which, and exits 1."
        ),
        examples=(
            ("clawctl restart web", "restart one job"),
            ("clawctl restart --batch 2 web", "its instances two by two"),
            ("clawctl restart web@2", "one instance"),
        ),
    ),
    Command(
        "scale",
        JOBS,
        "change how many instances of a job run",
        verb="jobs:scale",
        reply="acted",
        method="job.scale",
        params=(
            argument("counts", kinds.SCALE, "a continuous job and how many", many=True),
            *_PATIENCE,
        ),
        detail=(
            "Instances that stay are not touched. It holds over restarts of the daemon, until "
            "`instances` is changed in the configuration."
        ),
        examples=(("clawctl scale web=4", "four of them"),),
    ),
    Command(
        "pause",
        JOBS,
        "begin nothing new; what runs goes on",
        verb="jobs:pause",
        reply="acted",
        method="job.pause",
        params=(_TARGETS,),
        detail="Fire times that pass meanwhile become skipped runs.",
        examples=(("clawctl pause 'etl-*'", "hold back some jobs"),),
    ),
    Command(
        "resume",
        JOBS,
        "take up paused jobs again",
        verb="jobs:resume",
        reply="acted",
        method="job.resume",
        params=(_TARGETS,),
        examples=(("clawctl resume 'etl-*'", "let them run again"),),
    ),
    Command(
        "signal",
        JOBS,
        "send a signal to the main processes of jobs",
        verb="jobs:signal",
        reply="acted",
        method="job.signal",
        params=(argument("signal", kinds.SIGNAL, "such as HUP, USR1 or 1"), _TARGETS),
        examples=(("clawctl signal HUP web", "have one job read its settings again"),),
    ),
    Command(
        "attach",
        JOBS,
        "type at a job, and see what it says",
        verb="attach:attach",
        touches=(touching.ALONE, touching.PROGRAMS),
        method="job.attach",
        params=(argument("target", kinds.TARGET_OR_RUN, "a job, an instance or a run"),),
        detail=(
            "For a job with `tty = true` the terminal is handed over: ^] gives it back, and "
            'every other key goes to the job. For one with `stdin = "open"` lines are sent; '
            "^D or ^C ends it. The job runs on. Several may be attached at once."
        ),
        examples=(
            ("clawctl attach console", "^] to leave"),
            ("clawctl attach game", "send lines; ^D to leave"),
        ),
    ),
    Command(
        "search",
        JOBS,
        "find jobs by name, description, command or tag",
        verb="look:search",
        reply="found",
        method="job.search",
        params=(argument("text", kinds.TEXT, "what to look for"),),
        examples=(("clawctl search backup", "what has to do with backups"),),
    ),
    Command(
        "why",
        JOBS,
        "explain why a job or run is as it is",
        verb="look:why",
        reply="explanation",
        method="job.why",
        params=(
            argument("target", kinds.TARGET_OR_RUN, "a job or run"),
            option("at", kinds.PAST, "how it was then"),
        ),
        examples=(("clawctl why report", "what it waits for, and what to type next"),),
    ),
    Command(
        "job next",
        JOBS,
        "show the next times of jobs, and what will come of each",
        verb="next:next_slots",
        reply="coming",
        method="job.next",
        params=(
            _TARGETS,
            option("count", kinds.COUNT, "so many of each; default 5", short="n"),
        ),
        detail=(
            "With jitter, hours, a pause and the backoff after errors told in words. What "
            "happens until then may change it."
        ),
        examples=(("clawctl job next report -n 10", "its next ten times"),),
    ),
)
