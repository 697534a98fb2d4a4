"""The commands about the daemon, and about private daemons for a project."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import DAEMON, Command, argument, flag, option

_FILE = option("file", kinds.FILE, "default: ./claw.toml", short="f")

COMMANDS = (
    Command(
        "proxy",
        DAEMON,
        "pass the control socket on, for -H",
        verb="proxy:proxy",
        touches=(touching.HERE,),
        method="hello",
        detail=(
            "What comes in goes to the daemon, and what it says goes out, as the protocol has "
            "it. `clawctl -H ssh://HOST ...` runs it there."
        ),
        examples=(("clawctl proxy", "speak to the daemon, line by line; ^D ends it"),),
    ),
    Command(
        "up",
        DAEMON,
        "run a file's jobs here and show their output",
        verb="up:up",
        touches=(touching.HERE,),
        reply="raised",
        params=(
            argument("targets", kinds.TARGET, "only these jobs", many=True, required=False),
            _FILE,
            flag("detach", "leave it running, and return", short="d"),
        ),
        detail=(
            "A daemon of the project's own runs FILE, with its state in .claw beside it. "
            "^C stops all, a second ^C kills. Again while it is up: applies what changed."
        ),
        examples=(
            ("clawctl up", "run ./claw.toml until ^C"),
            ("clawctl up -d", "and leave it running: `clawctl down` ends it"),
        ),
    ),
    Command(
        "down",
        DAEMON,
        "end what `up` runs",
        verb="up:down",
        touches=(touching.HERE,),
        params=(_FILE,),
        examples=(("clawctl down", "stop the jobs of ./claw.toml"),),
    ),
    Command(
        "daemon start",
        DAEMON,
        "start the daemon in the background",
        verb="daemon:start",
        touches=(touching.HERE,),
        reply="daemon",
        method="daemon.status",
        examples=(("clawctl daemon start", "returns when it answers"),),
    ),
    Command(
        "daemon stop",
        DAEMON,
        "end the daemon and, as configured, its jobs",
        verb="daemon:stop",
        touches=(touching.LOOKS,),
        reply="daemon",
        method="daemon.stop",
        detail="What becomes of the jobs is said by daemon.on_shutdown.",
        examples=(("clawctl daemon stop", "returns when it has ended"),),
    ),
    Command(
        "daemon restart",
        DAEMON,
        "put the installed program in place; jobs are untouched",
        verb="daemon:restart",
        touches=(touching.HERE,),
        reply="daemon",
        method="daemon.restart",
        detail=(
            "The new program first checks the configuration and the database, and the database "
            "is copied to state/backup; where that fails nothing changes. Pid and arguments "
            "stay."
        ),
        examples=(("clawctl daemon restart", "after an upgrade of claw"),),
    ),
    Command(
        "daemon status",
        DAEMON,
        "show how the daemon is doing",
        verb="daemon:status",
        reply="daemon",
        method="daemon.status",
        detail="The exit status is 3 when it does not run.",
        examples=(("clawctl daemon status", "pid, version, uptime, what it holds"),),
    ),
    Command(
        "daemon logs",
        DAEMON,
        "show what the daemon itself has to say",
        verb="daemon:logs",
        touches=(touching.LOOKS,),
        params=(
            option("lines", kinds.LINES, "so many of the last lines", short="n"),
            flag("follow", "and what comes, until ^C", short="f"),
        ),
        examples=(("clawctl daemon logs -f", "follow them"),),
    ),
    Command(
        "alerts list",
        DAEMON,
        "list what is worth somebody's attention",
        verb="alerts:list_alerts",
        reply="alerts",
        method="alert.list",
        params=(flag("all", "also what is over"),),
        detail=(
            "An alert stands from the change that began it until it is over or, of what "
            "merely happened, until it is noted."
        ),
        examples=(("clawctl alerts list", "what is not over"),),
    ),
    Command(
        "alerts ack",
        DAEMON,
        "take note of alerts, so that status is silent about them",
        verb="alerts:ack",
        reply="acked",
        method="alert.ack",
        params=(
            argument(
                "targets", kinds.ALERT_OR_JOB, "which; default all", many=True, required=False
            ),
        ),
        examples=(
            ("clawctl alerts ack 3", "note one of them"),
            ("clawctl alerts ack web", "all of one job"),
        ),
    ),
    Command(
        "api",
        DAEMON,
        "call a method of the control protocol",
        verb="api:api",
        touches=(touching.PROGRAMS,),
        method="rpc.discover",
        params=(
            argument("method", kinds.METHOD, "such as job.status"),
            argument("params", kinds.JSON, "an object of parameters", required=False),
        ),
        detail="Prints the result as JSON; of a stream, each notification as one line.",
        examples=(
            ("clawctl api rpc.discover", "all methods with their schemas"),
            ('clawctl api job.status \'{"targets": ["web"]}\'', "one call"),
        ),
    ),
    Command(
        "version",
        DAEMON,
        "show the version of claw",
        verb="look:version",
        touches=(touching.NOTHING,),
        reply="version",
        examples=(("clawctl version", "of this program"),),
    ),
)
