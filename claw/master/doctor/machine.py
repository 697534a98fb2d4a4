"""The machine: kernel, limits, clock, time zones, what Python brings along."""

import os
import platform
import re
import resource
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec

from claw.kernel import files, hostclock, pidfd
from claw.master.doctor.case import Case
from claw.master.supervision.cgroups import own_places
from claw.model.finding import Finding, bad, doubtful, good, unknown
from claw.schedule import zone
from claw.store import examine

_OLDEST_KERNEL = (5, 4)
_KERNEL_THAT_TELLS_ENDS = (6, 15)
_FEW_FILES, _FILES_OF_A_RUN = 1024, 6
_FEW_PROCESSES = 512
_FEW_WATCHES, _FEW_INSTANCES = 8192, 16
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
_FAR_OFF_S = 5.0
_OLDEST_SQLITE = (3, 37)  # STRICT tables
_IMPORTED_LATE = {
    "cryptography": "cryptography",
    "httpx": "httpx",
    "keyring": "keyring",
    "prometheus_client": "prometheus-client",
    "tomli_w": "tomli-w",
}
"""By module, what to install; what is imported at once is there."""


def kernel(_case: Case) -> Iterator[Finding]:
    """What the kernel can do for supervision."""
    release = platform.release()
    version = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    try:
        os.close(pidfd.open_pid(os.getpid()))
    except OSError as error:
        yield bad(
            f"pidfd_open(2) is refused: {error.strerror}",
            "Linux 5.4 or later; in a container, a seccomp profile that allows it",
        )
        return
    if version < _OLDEST_KERNEL:
        yield bad(f"Linux {release} is older than 5.4", "a newer kernel")
    elif version < _KERNEL_THAT_TELLS_ENDS:
        yield good(
            f"Linux {release}; before 6.15 an exit status may get lost when a supervisor and"
            " the fork server are killed together"
        )
    else:
        yield good(f"Linux {release}")


def groups(_case: Case) -> Iterator[Finding]:
    """Whether each job can have a control group of its own."""
    try:
        mounts = files.read_all("/proc/self/mountinfo").decode(errors="replace")
        own = files.read_all("/proc/self/cgroup").decode(errors="replace")
    except OSError as error:
        yield unknown(f"/proc does not tell: {error.strerror}")
        return
    places = own_places(mounts, own)
    writable = sorted({one for one in places.values() if one and os.access(one, os.W_OK)})
    if writable:
        yield good(f"groups can be made in {', '.join(writable[:3])}")
    else:
        yield doubtful(
            "no control group can be made: `resources` are watched, not enforced",
            "Delegate=yes in the unit (clawctl service install), or run as root",
        )


def limits(case: Case) -> Iterator[Finding]:
    """How many files, processes and watches there may be."""
    yield _files(case)
    soft = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if 0 <= soft < _FEW_PROCESSES:
        yield doubtful(
            f"{soft} processes of this user at most (ulimit -u)", "LimitNPROC=, or limits.conf"
        )
    for name, least in (("watches", _FEW_WATCHES), ("instances", _FEW_INSTANCES)):
        path = f"/proc/sys/fs/inotify/max_user_{name}"
        most = _number_in(path)
        if most is not None and most < least:
            yield doubtful(
                f"fs.inotify.max_user_{name} is {most}: following files falls back to looking"
                " each second",
                f"sysctl fs.inotify.max_user_{name}={least * 8}",
            )


def _files(case: Case) -> Finding:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    shown = "unlimited" if hard < 0 else str(hard)
    running = len(case.known.supervisors) if case.known else 0
    parallel = case.configuration.current.daemon.max_parallel
    needed = (running + parallel) * _FILES_OF_A_RUN
    if 0 <= hard < max(_FEW_FILES, needed):
        return doubtful(
            f"{shown} open files at most, for {running} running and {parallel} parallel runs",
            f"LimitNOFILE={max(needed * 2, 65536)} in the unit, or ulimit -Hn",
        )
    return good(f"{shown} open files")


def _number_in(path: str) -> int | None:
    try:
        return int(files.read_all(path))
    except (OSError, ValueError):
        return None


def clock(case: Case) -> Iterator[Finding]:
    """Whether the time is right, as far as can be told from here."""
    if case.now < _BUILT:
        yield bad(f"the clock says {case.now:%Y-%m-%d}", "set it; enable NTP")
        return
    kept = hostclock.synchronised()
    if kept is None:
        yield unknown("the kernel does not say whether the clock is kept")
    elif not kept[0]:
        yield doubtful(
            "nobody keeps the clock right: jobs may run at wrong times",
            "enable NTP: timedatectl set-ntp true, or chrony",
        )
    elif kept[1] > _FAR_OFF_S:
        yield doubtful(f"the clock may be {kept[1]:.0f} s off", "look at chronyc tracking")
    else:
        yield good("the clock is kept by NTP")


def zones(case: Case) -> Iterator[Finding]:
    """Whether there is data about time zones, and for all that jobs name."""
    named = sorted({job.timezone for job in case.configuration.current.jobs} - {"UTC"})
    missing = [one for one in named if not _is_zone(one)]
    if missing:
        yield bad(f"no data for the time zone {missing[0]}", "apt install tzdata")
    elif not zoneinfo.available_timezones():
        yield doubtful("there is no data about time zones", "apt install tzdata")
    else:
        yield good(f"data about {len(zoneinfo.available_timezones())} zones")


def _is_zone(name: str) -> bool:
    try:
        zone.load_zone(name)
    except (ValueError, OSError):
        return False
    return True


def program(_case: Case) -> Iterator[Finding]:
    """Python, SQLite, and the packages that are imported late."""
    missing = [name for module, name in _IMPORTED_LATE.items() if find_spec(module) is None]
    if missing:
        yield bad(f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    if examine.sqlite_version() < _OLDEST_SQLITE:
        yield bad(
            f"SQLite {_dotted(examine.sqlite_version())} is too old", "SQLite 3.37 or later"
        )
    if not missing:
        yield good(
            f"Python {platform.python_version()}, SQLite {_dotted(examine.sqlite_version())}"
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
