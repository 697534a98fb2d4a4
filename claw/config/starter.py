"""The configuration that ``clawctl init`` writes: small, commented, and it runs."""

from claw.errors import ConflictError
from claw.kernel import files, reading

_MODE = 0o644
_FOLDER_MODE = 0o755

STARTER = """\
# claw.toml: what this machine runs. Every key is in docs/reference/configuration.md, and
# `clawctl config schema` prints a schema for editors.
#
#   clawctl config validate     tells what is wrong, with file, line and key
#   clawctl plan                what a reload would change
#   clawctl reload              takes the changes in: all of them, or none
#
# Jobs may stand here, or one or several to a file in jobs.d/*.toml beside this file.

[daemon]
# timezone = "Europe/Berlin"     # of schedules; left out: the system's
# max_parallel = 64              # runs at once, services not counted

[defaults]                       # holds for every job that does not say otherwise
# grace_period = "30s"           # between the request to end and SIGKILL
# env = { LANG = "C.UTF-8" }

# A service: it is started with the daemon, and again whenever it ends.
#   clawctl status | logs -f clock | stop clock | start clock
[jobs.clock]
description = "Tells the time every ten seconds"
type = "continuous"
command = "while true; do date; sleep 10; done"
# cwd = "/srv/clock"             # left out: your home folder
# env = { MODE = "production" }
# stop_signal = "TERM"
# tags = ["example"]             # clawctl stop tag:example

# [jobs.clock.restart]
# policy = "always"              # always | on-failure | never
# preset = "exponential"         # or webhook, fixed, or delays = ["1s", "5s", "1m"]
# start_limit = 0                # so many starts in start_limit_window, and it is fatal

# A cron job: five fields, @daily, @every 90s, @reboot, or a list of them.
#   clawctl run hello            now, besides its schedule
[jobs.hello]
description = "Greets every minute"
command = "echo hello from claw"
schedule = "* * * * *"
# timezone = "America/Sao_Paulo"
# catch_up = "once"              # none | once | all: times that passed with the machine off
# on_overlap = "skip"            # skip | queue | kill_restart: while the last run goes on
# timeout = "10m"

# A job that runs when asked: clawctl run cleanup
[jobs.cleanup]
description = "Shows what lies in the temporary folder; make it delete what you like"
argv = ["ls", "-l", "/tmp"]

# A job for one point in time, which ends as `done`:
# [jobs.party]
# command = "echo happy new year"
# run_at = "2030-01-01T00:00:00"
"""


def write_starter(folder: str) -> list[str]:
    """Write the starter configuration into a folder, making that if need be.

    Returns:
        The files written.

    Raises:
        ConflictError: A configuration is there; it is left as it is.
        OSError: The folder cannot be written.
    """
    path = f"{folder.rstrip('/')}/claw.toml"
    files.make_folder(folder, _FOLDER_MODE)
    try:
        reading.create(path, STARTER.encode(), _MODE)
    except FileExistsError:
        raise ConflictError(
            f"{path} is there already", hint="edit it, or move it away first"
        ) from None
    return [path]
