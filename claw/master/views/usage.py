"""What a job's processes use just now: processor, memory, and the last line they wrote.

The only user of psutil, whose figures come from /proc and are read in a thread.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

import psutil

from claw.master.output import logs
from claw.master.wiring import Json
from claw.model.home import Home

_MAX_LINE = 300

Children = Mapping[int, Sequence[psutil.Process]]
"""Processes by the pid of their parent."""


async def add_usage(home: Home, jobs: Sequence[Json], mask: Callable[[str], str]) -> None:
    """Add ``cpu_time``, ``memory``, ``processes``, ``last_line`` to what is shown of jobs.

    Args:
        home: The home.
        jobs: What is shown of them; changed.
        mask: Takes secrets out of what the programs have written.
    """
    found = await logs.in_thread(partial(_look, home, jobs, mask))
    for shown, more in zip(jobs, found, strict=True):
        shown.update(more)


def _look(home: Home, jobs: Sequence[Json], mask: Callable[[str], str]) -> list[Json]:
    children = children_of_all() if any(shown["pid"] for shown in jobs) else {}
    return [
        {
            **tree_usage(shown["pid"], children),
            "last_line": _last_line(home, shown["name"], mask),
        }
        for shown in jobs
    ]


def _last_line(home: Home, job: str, mask: Callable[[str], str]) -> str | None:
    parts = logs.read_parts(home, job, None, ("stdout",), 1)
    return mask(parts[0]["text"].rstrip("\n"))[:_MAX_LINE] if parts else None


def children_of_all() -> Children:
    """Return every process there is."""
    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        found.setdefault(process.info["ppid"], []).append(process)
    return found


def tree_usage(pid: int | None, children: Children) -> Json:
    """Return what a process and its descendants use; nulls when it is gone.

    ``cpu_time`` is seconds since each of them began, ``memory`` resident bytes.
    """
    used: Json = {"cpu_time": None, "memory": None, "processes": 0}
    for process in _tree(pid, children):
        try:
            times, memory = process.cpu_times(), process.memory_info().rss
        except psutil.Error:  # ended meanwhile
            continue
        used["cpu_time"] = (used["cpu_time"] or 0.0) + times.user + times.system
        used["memory"] = (used["memory"] or 0) + memory
        used["processes"] += 1
    return used


def pids_below(roots: Collection[int], children: Children) -> list[int]:
    """Return processes with their descendants; of the last of several only those.

    The last is a supervisor, which takes in what its child's tree has left behind.
    """
    front = list(roots)
    for pid in front:  # grows as it is walked
        front += [one.pid for one in children.get(pid, ()) if one.pid not in front]
    return [pid for pid in front if len(roots) == 1 or pid != [*roots][-1]]


def sum_of(pids: Iterable[int]) -> tuple[int, float, int]:
    """Return resident bytes, processor seconds and threads of processes, all together."""
    memory, cpu_s, threads = 0, 0.0, 0
    for pid in pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                memory += process.memory_info().rss
                cpu_s += times.user + times.system
                threads += process.num_threads()
        except psutil.Error:  # ended meanwhile
            continue
    return memory, cpu_s, threads


def _tree(pid: int | None, children: Children) -> list[psutil.Process]:
    if pid is None:
        return []
    try:
        tree = [psutil.Process(pid)]
    except psutil.Error:
        return []
    for process in tree:  # grows as it is walked
        tree += children.get(process.pid, ())
    return tree
