"""The child's tree: everything that came of it, however it hid.

A supervisor is a subreaper (prctl(2)), so whatever its child leaves behind, double-forked
or in a session of its own, becomes its own descendant. What a killed predecessor's child
left behind has become an ancestor's instead, the fork server's or, if that was killed too,
the master's or init's; it is told from others there by its session and by CLAW_RUN_ID in
its environment.
"""

from claw.kernel import cgroup, files, pidfd, process, signals
from claw.kernel.bare import os

_DEEPEST = 100
"""Generations from a process to the child that it came of; beyond, it is a stranger."""
_COUNTERS = ("memory.events", "memory.oom_control")
"""Where a group counts who was killed for want of memory: version 2, version 1."""
_PASSES = 32
"""Looks at a tree that goes on forking while it is stopped, to be killed."""


class Tree:
    """The processes of one run, as ``kill_mode`` counts them.

    Where the run has a control group, that holds them all, whatever they do to hide.

    Attributes:
        main: The child's pid, 0 when there is none.
        start: Its start time in clock ticks: when it is reaped, its number may be used again.
        foster: The fork server's pid, when an earlier supervisor of this run was killed.
        is_shared: This process is in the group too, and so is all that it begins.
    """

    __slots__ = (
        "_counters", "_groups", "_is_grouped", "_mark", "_mode", "foster", "is_shared", "main",
        "start",
    )  # fmt: skip

    def __init__(self, run: str, mode: str, groups: list[str]) -> None:
        self._mark = f"CLAW_RUN_ID={run}".encode()
        self._mode = mode
        self._groups = groups
        self._is_grouped = False  # the group is known to hold what a predecessor began
        self._counters: list[tuple[str, str]] | None = None
        self.main = 0
        self.start = 0
        self.foster = 0
        self.is_shared = False

    def turn_to(self, run: str, mode: str, groups: list[str]) -> None:
        """Be the tree of another run; of the one before nothing is left."""
        if groups != self._groups:
            self._groups = groups
            self._counters = None
            self.is_shared = False
        self._mark = f"CLAW_RUN_ID={run}".encode()
        self._mode = mode
        self._is_grouped = False
        self.main = self.start = self.foster = 0

    def share(self) -> None:
        """Join the group, to stay: who does so for each child has the kernel wait for it."""
        try:
            for group in self._groups:
                cgroup.make(group, {})
                cgroup.join(group)
        except OSError:  # it is done without, and tried again for the next run
            return
        self.is_shared = bool(self._groups)

    def _leave_alone(self) -> bool:
        """Step out of the group, back to where claw runs; False: this process is in it still.

        What it begins later has it share the group again.
        """
        if not self.is_shared:
            return True
        place = files.folder_of(files.folder_of(self._groups[0]))
        for home in (place, f"{place}/clawd"):  # see claw.master.supervision.cgroups
            try:
                cgroup.join(home)
            except OSError:
                continue
            self.is_shared = False
            return True
        return False

    def take_over(self, main: int, start: int) -> None:
        """Stand in for a killed supervisor, whose child this is; 0: there is none."""
        self.foster = os.getppid()
        self.main = main
        self.start = start
        try:
            self._is_grouped = any(cgroup.members(group) for group in self._groups[:1])
        except OSError:  # nobody knows: it is looked for where else it may be, too
            self._is_grouped = False

    def rest(self, children: list[int] | None = None) -> list[int]:
        """Return what lives on of the tree and is to end, the main process left out.

        Args:
            children: Of this process, where they are known.

        Raises:
            OSError: EMFILE, ENOMEM, ...: nobody knows.
        """
        if self._mode == "process":
            return []
        found = self._living(children)
        if self._mode == "group":  # one that has gone by now may have left a child
            found = [pid for pid in found if process.group_of(pid) in {self.main, None}]
        return found

    def rest_for_sure(self, children: list[int]) -> list[int]:
        """Return what `rest` does, however it moves.

        What becomes this process's child in the midst of a look may be missed by it, but not
        by a look at the group that it is in: while one is there, the kernel's list has one.

        Args:
            children: Of this process, as it has just seen.
        """
        return self.rest(children) or ([] if self.is_shared else self.rest())

    def spared(self, errands: list[int]) -> list[int]:
        """Return what lives on and is left to, by ``kill_mode``; nothing of ended errands."""
        if self._mode == "tree":
            return []
        mine = self.rest()
        return [
            pid
            for pid in self._living()
            if pid not in mine and not {pid, process.session_of(pid)}.intersection(errands)
        ]

    def _living(self, children: list[int] | None = None) -> list[int]:
        found = process.living_among(process.my_children() if children is None else children)
        if self.foster and not self._is_grouped:
            found += self._fostered()
        for group in self._groups[:1]:
            # Only what lives is in there: one that has gone since may have left a child.
            found += set(cgroup.members(group)).difference(found, (os.getpid(),))
        return [pid for pid in found if pid != self.main]

    def _fostered(self) -> list[int]:
        mine = [
            pid
            for ancestor in process.ancestors_of(os.getpid())
            for pid in process.children_of(ancestor)
            if pid != os.getpid() and self._is_of_this_run(pid)
        ]
        below = [one for pid in mine for one in process.descendants_of(pid)]
        return [pid for pid in mine + below if not process.is_zombie(pid)]

    def _is_of_this_run(self, pid: int) -> bool:
        if self.main:  # 0 is the session of whom another namespace's leader has
            is_used_again = pidfd.start_ticks(self.main) not in {None, self.start}
            if not is_used_again and self.main in {pid, process.session_of(pid)}:
                return True
        return self._mark in process.environment_of(pid)

    def branch_of(self, pid: int) -> int:
        """Return what a process, be it a zombie, came of: the child or one of its like.

        Those are whose parent is this process, or the fork server; 0: it is of another tree.
        """
        for _ in range(_DEEPEST):
            parent = process.parent_of(pid)
            if pid == self.main or parent == os.getpid():
                return pid
            if parent == self.foster and parent:
                return pid if self._is_of_this_run(pid) else 0
            if not parent:
                return 0
            pid = parent
        return 0

    def signal(self, number: int) -> None:
        """Signal everything that `rest` finds."""
        starts = {pid: pidfd.start_ticks(pid) or 0 for pid in self.rest()}
        for pid in self.rest() if starts else ():
            if pid in starts:  # what is found again has not left its number to a stranger
                pidfd.signal_process(pid, starts[pid], number)

    def kill(self) -> None:
        """Kill everything that `rest` finds, with no way to fork out of it."""
        if self._mode == "tree" and self._groups and self._leave_alone():
            cgroup.kill(self._groups[0])
        starts: dict[int, int] = {}
        stopped: dict[int, bool] = {}
        for _ in range(_PASSES):
            found = [pid for pid in self.rest() if pid not in stopped]
            if not found:
                break
            for pid in found:
                if pid in starts:  # found again, as above
                    stopped[pid] = pidfd.signal_process(pid, starts[pid], signals.SIGSTOP)
                else:
                    starts[pid] = pidfd.start_ticks(pid) or 0
        for pid, is_stopped in stopped.items():
            if is_stopped:
                pidfd.signal_process(pid, starts[pid], signals.SIGKILL)

    def oom_kills(self) -> int:
        """Return how often the kernel has killed in the groups, for want of memory."""
        if self._counters is None or not self.is_shared:  # else it has them or not, for good
            self._counters = [
                (group, name)
                for group in self._groups
                for name in _COUNTERS
                if files.exists(f"{group}/{name}")
            ]
        return sum(cgroup.count(group, name, "oom_kill") for group, name in self._counters)

    def leave(self) -> None:
        """Remove the groups; one in which something lives on stays, or this process."""
        if self.is_shared:
            return  # the master removes it in the end
        for group in self._groups:
            cgroup.remove(group)
            cgroup.remove_above(group)  # made again by whoever needs it

    @staticmethod
    def names(pids: list[int]) -> list[str]:
        """Return ``pid command`` for each process."""
        return [f"{pid} {process.command_of(pid)}" for pid in pids]
