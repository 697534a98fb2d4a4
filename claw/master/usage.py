"""What a job's processes use just now: processor, memory, and the last line they wrote.

The only user of psutil, whose figures come from /proc and are read in a thread.
"""

from collections.abc import Sequence
from functools import partial

import psutil

from claw.master import logs
from claw.master.wiring import Json
from claw.model.home import Home

_LAST_LINE = 1
_MAX_LINE = 300


async def add_usage(home: Home, jobs: Sequence[Json]) -> None:
    """Add ``cpu_time``, ``memory``, ``processes``, ``last_line`` to what is shown of jobs."""
    for shown in jobs:
        shown.update(await logs.in_thread(partial(_look_at, home, shown)))


def _look_at(home: Home, shown: Json) -> Json:
    parts = logs.read_parts(home, str(shown["name"]), None, ("stdout",), _LAST_LINE)
    last_line = parts[0]["text"].rstrip("\n")[:_MAX_LINE] if parts else None
    return {**tree_usage(shown["pid"]), "last_line": last_line}


def tree_usage(pid: int | None) -> Json:
    """Return what a process and its descendants use; nulls when it is gone.

    ``cpu_time`` is seconds since each of them began, ``memory`` resident bytes.
    """
    used: Json = {"cpu_time": None, "memory": None, "processes": 0}
    if pid is None:
        return used
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return used
    for process in tree:
        try:
            times, memory = process.cpu_times(), process.memory_info().rss
        except psutil.Error:  # ended meanwhile
            continue
        used["cpu_time"] = (used["cpu_time"] or 0.0) + times.user + times.system
        used["memory"] = (used["memory"] or 0) + memory
        used["processes"] += 1
    return used
