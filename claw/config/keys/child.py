"""The keys of a job that say as what, and with what, its process is started and stopped."""

from claw.config import kinds, processkinds
from claw.config.command import COMMAND
from claw.config.kinds import optional
from claw.config.table import Applies, Field
from claw.model.job import ResourceAction, Stdin


class ResourceKeys:
    """What the whole tree of a job's processes may use. Left out: as much as there is."""

    memory = Field(
        optional(processkinds.MEMORY),
        None,
        "Resident memory of all processes together, like `512M`.",
        attr="memory_bytes",
    )
    cpu = Field(
        optional(processkinds.CPU),
        None,
        "Processors kept busy: 1.5 is one and a half, as the mean over half a minute.",
    )
    pids = Field(optional(kinds.integer(1, 4_194_304)), None, "Processes and threads.")
    action = Field(
        kinds.member_of(ResourceAction),
        "restart",
        "What happens beyond a limit. `warn`: an alert and an event; `throttle`: the kernel"
        " holds it back, by a control group or else by niceness; `restart`: it is stopped as"
        " failed, and its restart policy follows; `kill`: the same, with SIGKILL at once.",
    )


class ChildKeys:
    """See `claw.config.fields.JobKeys`, which these keys are part of."""

    env_file = Field(
        kinds.LINE,
        "",
        "A file of `NAME=value` lines, read before each start; `env` wins over it. A relative"
        " path starts from `cwd`.",
        shown="none",
    )
    user = Field(
        processkinds.ACCOUNT,
        "",
        "The user to run as, by name or number. Only root can give a job another user.",
        shown="the daemon's",
    )
    group = Field(
        processkinds.ACCOUNT,
        "",
        "The group to run as, by name or number; the user's other groups are kept.",
        shown="the user's",
    )
    nice = Field(
        optional(kinds.integer(-20, 19)),
        None,
        "Priority of its processor time, from -20 (first) to 19 (last); see nice(1).",
        shown="the daemon's",
    )
    limits = Field(
        processkinds.LIMITS,
        {},
        "Limits of each process, by their names in getrlimit(2) without RLIMIT_:"
        ' `{ nofile = 65536, core = "unlimited", nproc = "100:200" }`; two numbers are the soft'
        " and the hard limit.",
    )
    no_new_privs = Field(
        kinds.SWITCH,
        False,
        "No program that it starts gains rights, as by a set-user-ID bit.",
    )
    oom_score_adj = Field(
        optional(kinds.integer(-1000, 1000)),
        None,
        "How soon the kernel kills it when memory runs out, from -1000 (never) to 1000.",
        shown="0",
    )
    stdin = Field(
        kinds.member_of(Stdin),
        "null",
        "`open`: what is typed at `clawctl attach` is its standard input.",
    )
    tty = Field(
        kinds.SWITCH,
        False,
        "It runs on a terminal of its own, which `clawctl attach` shows.",
    )
    stop_command = Field(
        optional(COMMAND),
        None,
        "Run at the beginning of a stop, as the job's user, with `$MAINPID`, for half of"
        " `grace_period` at most; `stop_signal` is sent when it has ended and the main process"
        " still lives.",
        shown="none",
    )
    reload_signal = Field(
        kinds.SIGNAL,
        "HUP",
        "Signal that `clawctl reload TARGET` sends to the main process.",
        applies=Applies.LIVE,
    )
    reload_command = Field(
        optional(COMMAND),
        None,
        "Run by `clawctl reload TARGET` instead of the signal, as the job's user, with"
        " `$MAINPID`.",
        shown="none",
    )
