"""Which control groups claw may make here, and what a job's launch is to have of them.

Found once, by trying; what was made to try is taken away again. Version 2 is used where its
controllers are, version 1 beside it for the rest, and none where claw may not: then
descendants are found as a subreaper finds them, and what they use is watched. A folder of
claw's own, named after its home, lies in the group that claw runs in; each launch has one in
that. See cgroups(7).
"""

import hashlib
import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path

import trio

from claw.kernel import cgroup, files
from claw.model.home import Home
from claw.model.job import ResourceAction, Resources

_LEAVE_S, _LEAVE_PAUSE_S = 1.0, 0.01
_LOG = logging.getLogger("claw.cgroups")
_CPU_PERIOD_US = 100_000
_CONTROLLERS = ("memory", "cpu", "pids")
_OWN_LEAF = "/clawd"
"""DelegateSubgroup= (systemd.resource-control(5)) that leaves the group above it to claw."""


class Groups:
    """The folders in which launches get groups of their own, '' for none.

    Attributes:
        tracking: Where a launch's processes are kept together.
        unified: The controllers that this folder, then of version 2, has.
        older: Folders of version 1, by controller.
    """

    __slots__ = ("older", "tracking", "unified")

    def __init__(
        self,
        tracking: str = "",
        unified: Collection[str] = (),
        older: Mapping[str, str] | None = None,
    ) -> None:
        self.tracking = tracking
        self.unified = frozenset(unified)
        self.older = dict(older or {})

    def enforces(self, controller: str) -> bool:
        """Tell whether the kernel can hold a launch to a limit."""
        return controller in self.unified or controller in self.older

    def of(self, sid: str, resources: Resources) -> dict[str, dict[str, str]]:
        """Return the groups of a launch, the one to find its processes by first."""
        found: dict[str, dict[str, str]] = {}
        if self.tracking:
            found[f"{self.tracking}/{sid}"] = {}
        for controller in _CONTROLLERS:
            wanted = self._settings(controller, resources)
            if wanted and controller in self.unified:
                found[f"{self.tracking}/{sid}"].update(wanted)
            elif wanted and controller in self.older:
                found[f"{self.older[controller]}/{sid}"] = wanted
        return found

    def _settings(self, controller: str, resources: Resources) -> dict[str, str]:
        is_new, action = controller in self.unified, resources.action
        if action is ResourceAction.WARN:
            return {}
        if controller == "memory" and resources.memory_bytes is not None:
            return self._memory(resources.memory_bytes, action, is_new=is_new)
        if controller == "pids" and resources.pids is not None:
            return {"pids.max": str(resources.pids)}
        if controller == "cpu" and resources.cpu is not None:
            return _cpu(resources.cpu, action, is_new=is_new)
        return {}

    def _memory(self, most: int, action: ResourceAction, *, is_new: bool) -> dict[str, str]:
        if action is ResourceAction.THROTTLE:
            return {"memory.high": str(most)} if is_new else {}
        if is_new:
            wanted = {"memory.max": str(most), "memory.oom.group": "1"}
            return wanted | self._if_there(self.tracking, "memory.swap.max", "0")
        limited = {"memory.limit_in_bytes": str(most)}
        folder = files.folder_of(self.older.get("memory", ""))  # its own is made with a launch
        return limited | self._if_there(folder, "memory.memsw.limit_in_bytes", str(most))

    def _if_there(self, folder: str, name: str, value: str) -> dict[str, str]:
        return {name: value} if files.exists(f"{folder}/{name}") else {}

    def leave(self, living: Collection[str]) -> bool:
        """Remove the folders, unless launches go on in them; False: some may go in a moment."""
        self.sweep(living)
        left: set[str] = set()
        for folder in {self.tracking, *self.older.values()} - {""}:
            cgroup.remove_empty(folder)
            left.update(_names_in(folder))
        return left <= {*living}

    def sweep(self, living: Collection[str]) -> None:
        """Remove the groups of supervisors that are no more; what has processes stays."""
        for folder in {self.tracking, *self.older.values()} - {""}:
            for name in _names_in(folder):
                if name not in living:
                    cgroup.remove(f"{folder}/{name}")

    def drop(self, sid: str) -> None:
        """Remove the group of a supervisor that has ended, if it was in there itself."""
        if self.tracking:
            cgroup.remove(f"{self.tracking}/{sid}")
            cgroup.remove_above(f"{self.tracking}/{sid}")


def _cpu(processors: float, action: ResourceAction, *, is_new: bool) -> dict[str, str]:
    if action is not ResourceAction.THROTTLE:
        return {}  # it is watched, and what follows is an action
    quota = int(processors * _CPU_PERIOD_US)
    if is_new:
        return {"cpu.max": f"{quota} {_CPU_PERIOD_US}"}
    return {"cpu.cfs_quota_us": str(quota)}


def _names_in(folder: str) -> list[str]:
    try:
        return [one.name for one in os.scandir(folder) if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def find_groups(home: Home, mounts: str | None = None, own: str | None = None) -> Groups:
    """Return where groups can be made, having made a folder in each such place.

    Args:
        home: Names the folders, so that two claws do not share one.
        mounts: What /proc/self/mountinfo says, for tests.
        own: What /proc/self/cgroup says, for tests.
    """
    digest = hashlib.sha256(home.state.encode()).hexdigest()[:8]
    places = own_places(_read("mountinfo", mounts), _read("cgroup", own))
    tracking, unified = _unified(places.pop("", ""), f"claw-{digest}")
    older = {
        controller: folder
        for controller in _CONTROLLERS
        if controller not in unified
        and (folder := _made(places.get(controller, ""), f"claw-{digest}"))
    }
    tracking = tracking or next(iter(older.values()), "")
    for folder in {tracking, *older.values()} - {""}:
        cgroup.remove_above(f"{folder}/any")  # a launch makes it again; so none is left over
    _LOG.info("control groups: %s; limits: %s", tracking or "none", [*unified, *older])
    return Groups(tracking, unified, older)


def _read(name: str, given: str | None) -> str:
    if given is not None:
        return given
    try:
        return Path(f"/proc/self/{name}").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def own_places(mountinfo: str, own: str) -> dict[str, str]:
    """Return the folder of this process's group by controller; '' is version 2."""
    mounts: dict[str, tuple[str, str]] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.partition(" ")
        root, point = left.split()[3:5]
        if kind == "cgroup2":
            mounts.setdefault("", (root, point))
        elif kind == "cgroup":
            for name in options.split()[-1].split(","):
                mounts.setdefault(name, (root, point))
    places = {}
    for line in own.splitlines():
        _number, names, path = line.split(":", 2)
        for name in names.split(","):
            root, point = mounts.get(name, ("", ""))
            inner = path.removeprefix(root) if root != "/" else path
            if point and "/.." not in inner:
                places[name] = f"{point}/{inner.strip('/')}".rstrip("/")
    return places


def _made(place: str, name: str) -> str:
    """Return a folder of claw's own in a group, '' when claw may not make one there."""
    folder = f"{place}/{name}"
    try:
        if place:
            files.make_folder(folder, 0o755)
            if os.access(f"{folder}/cgroup.procs", os.W_OK):
                return folder
    except OSError:
        pass
    return ""


def _unified(place: str, name: str) -> tuple[str, list[str]]:
    """Return claw's folder of version 2, and the controllers that groups in it have.

    No process may be in a group whose groups have controllers, but for the root: so that of
    a unit is used only when claw itself runs in one below it.
    """
    delegated = place.endswith(_OWN_LEAF)
    place = place.removesuffix(_OWN_LEAF) if delegated else place
    folder = _made(place, name)
    if not folder:
        return "", []
    return folder, [
        controller
        for controller in _CONTROLLERS
        if _enable(place, controller) and _enable(folder, controller)
    ]


def _enable(folder: str, controller: str) -> bool:
    try:
        cgroup.write(f"{folder}/cgroup.subtree_control", f"+{controller}")
    except OSError:
        return False
    return True


async def leave(groups: Groups, living: Collection[str]) -> None:
    """Leave the groups; supervisors that have just ended are in some for a moment more.

    Args:
        groups: Which.
        living: Supervisors, by id; it changes meanwhile.
    """
    with trio.move_on_after(_LEAVE_S):
        while not groups.leave(living):  # noqa: ASYNC110  nothing tells of it
            await trio.sleep(_LEAVE_PAUSE_S)
