"""Why the init system ends this master: to start it again, or for good.

SIGTERM looks the same for both, so what the init system has in mind is asked for:

- systemd: which job is queued for the unit whose main process this is (systemctl(1)).
- runit: ``want down`` or ``want exit`` in supervise/stat, beneath the folder of the service,
  which is where its ``run`` begins.
- s6: ``wantedup`` of s6-svstat(1), in the same place.
- Others (OpenRC): a file that their script has just made.
"""

import logging
import os
import subprocess
import sys
from pathlib import Path

from claw.kernel import clock, files, ticks

_LOG = logging.getLogger("claw.init")
_PATIENCE_S = 5.0
_PERSISTENCE_S = 8.0
"""With two questions after it this leaves a unit's TimeoutStopSec to the jobs."""
_PAUSE_S = 1.0
_FRESH_S = 30.0
_RESTART = frozenset({"restart", "try-restart", "reload-or-start", "start"})


def is_restarting(mark: str, *, is_unit: bool) -> bool:
    """Tell whether whoever runs this process is going to start it again, or may be.

    Who gives no answer is asked again: jobs that went on by mistake can still be ended, and
    those that were ended by mistake are lost. Blocks for some milliseconds, at most 20
    seconds; call it on a thread.

    Args:
        mark: A file that an init script makes before it ends the master to start it again;
            removed. An old one means nothing.
        is_unit: Whether systemd is said to have started it.
    """
    try:
        age_s = clock.wall() - os.stat(mark).st_mtime  # noqa: PTH116
        files.remove(mark)
        if age_s < _FRESH_S:
            return True
    except OSError:
        pass
    give_up = clock.monotonic() + _PERSISTENCE_S
    while True:
        try:
            return _is_wanted(is_unit=is_unit)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if clock.monotonic() >= give_up:
                _LOG.warning("cannot tell a stop from a restart, the jobs go on: %s", error)
                return True
            _LOG.info("cannot tell a stop from a restart yet: %s", error)
        ticks.sleep(_PAUSE_S)


def _is_wanted(*, is_unit: bool) -> bool:
    if is_unit:
        job = systemd_job(files.read_all("/proc/self/cgroup").decode(), os.getpid())
        if job is not None:
            return job in _RESTART
    return _wants_up(Path("supervise"), os.getpid())


def systemd_job(cgroups: str, pid: int) -> str | None:
    """Return the type of the job that systemd has queued for the unit of a process.

    Args:
        cgroups: What /proc/PID/cgroup holds.
        pid: The process.

    Returns:
        '' when there is no job; None when the process is no unit's main process.

    Raises:
        OSError: There is no systemctl.
        subprocess.SubprocessError: It failed, or did not answer.
    """
    found = unit_of(cgroups)
    if found is None:
        return None
    unit, options = found
    shown = _ask("systemctl", *options, "show", "--property=MainPID", "--property=Job", unit)
    facts = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if facts.get("MainPID") != str(pid):
        return None
    if facts.get("Job", "0") in ("0", ""):
        return ""
    jobs = _ask("systemctl", *options, "list-jobs", "--plain", "--no-legend", "--full", unit)
    rows = [line.split() for line in jobs.splitlines()]
    types = [row[2] for row in rows if len(row) > 2 and row[0] == facts["Job"]]  # noqa: PLR2004
    return types[0] if types else ""


def unit_of(cgroups: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the service whose cgroup this is, and the options that reach its manager.

    Args:
        cgroups: What /proc/PID/cgroup holds (cgroups(7)): the line of version 2, or of
            systemd's own hierarchy.
    """
    for line in cgroups.splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers not in ("", "name=systemd"):
            continue
        parts = path.split("/")
        options: tuple[str, ...] = ()
        for place, part in enumerate(parts):
            if part.startswith("user@") and part.endswith(".service"):
                parts, options = parts[place + 1 :], ("--user",)
                break
        units = [part for part in parts if part.endswith(".service")]
        if units:
            return units[0], options
    return None


def _wants_up(folder: Path, pid: int) -> bool:
    """Tell whether runit or s6, if it is one of them, means to start this process again."""
    if not (folder / "status").exists():
        return False
    stat = folder / "stat"
    if stat.exists():
        is_ours = (folder / "pid").read_text(encoding="ascii").strip() == str(pid)
        wanted = stat.read_text(encoding="ascii")
        return is_ours and "want down" not in wanted and "want exit" not in wanted
    shown = _ask("s6-svstat", "-o", "pid,wantedup", str(folder.resolve().parent)).split()
    return shown == [str(pid), "true"]


def _ask(*words: str) -> str:
    done = subprocess.run(  # noqa: S603  the words are our own
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_S,
        check=True,
        encoding=sys.getfilesystemencoding(),
    )
    return done.stdout
