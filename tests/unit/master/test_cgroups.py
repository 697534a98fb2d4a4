"""Where a process's control groups are, and what a launch is to have in them."""

from pathlib import Path

import pytest

from claw.master.supervision.cgroups import Groups, own_places
from claw.model.job import ResourceAction, Resources

HYBRID = """\
30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
32 24 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
33 24 0:29 / /tmp rw - tmpfs tmpfs rw
"""
LIMITS = {"memory_bytes": 1000, "cpu": 1.5, "pids": 7}


def test_each_controller_has_its_own_place() -> None:
    own = "5:cpu,cpuacct:/a\n4:memory:/b/c\n0::/\n"

    assert own_places(HYBRID, own) == {
        "memory": "/sys/fs/cgroup/memory/b/c",
        "cpu": "/sys/fs/cgroup/cpu,cpuacct/a",
        "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/a",
        "": "/sys/fs/cgroup/unified",
    }


@pytest.mark.parametrize(
    ("root", "path", "place"),
    [
        ("/", "/system.slice/clawd.service", "/sys/fs/cgroup/system.slice/clawd.service"),
        ("/docker/ab", "/docker/ab", "/sys/fs/cgroup"),
        ("/docker/ab", "/docker/ab/in", "/sys/fs/cgroup/in"),
        ("/", "/../other", None),
    ],
)
def test_what_a_container_sees_of_a_group_is_where_it_is(
    root: str, path: str, place: str | None
) -> None:
    mounts = f"32 24 0:28 {root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

    assert own_places(mounts, f"0::{path}\n").get("") == place


def test_nothing_is_mounted_and_nothing_is_found() -> None:
    assert own_places("", "0::/\n") == {}
    assert Groups().of("s1", Resources(**LIMITS)) == {}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("warn", {}),
        ("throttle", {"memory.high": "1000", "cpu.max": "150000 100000", "pids.max": "7"}),
        ("kill", {"memory.max": "1000", "memory.oom.group": "1", "pids.max": "7"}),
    ],
)
def test_version_2_holds_all_in_one_group(action: str, wanted: dict[str, str]) -> None:
    groups = Groups("/no/g", ["memory", "cpu", "pids"])

    found = groups.of("s1", Resources(**LIMITS, action=ResourceAction(action)))  # type: ignore[arg-type]

    assert found == {"/no/g/s1": wanted}


def test_version_1_has_a_group_for_each_controller() -> None:
    groups = Groups("/no/g", (), {"memory": "/no/m", "pids": "/no/p", "cpu": "/no/c"})

    found = groups.of("s1", Resources(**LIMITS))  # type: ignore[arg-type]

    assert list(found) == ["/no/g/s1", "/no/m/s1", "/no/p/s1"]
    assert found["/no/m/s1"] == {"memory.limit_in_bytes": "1000"}
    assert found["/no/g/s1"] == {}


def test_swap_is_no_way_out_where_it_can_be_counted(tmp_path: Path) -> None:
    (tmp_path / "memory.memsw.limit_in_bytes").touch()
    groups = Groups("/no/g", (), {"memory": str(tmp_path / "claw")})

    found = groups.of("s1", Resources(memory_bytes=1000))

    assert found[str(tmp_path / "claw/s1")] == {
        "memory.limit_in_bytes": "1000", "memory.memsw.limit_in_bytes": "1000",
    }  # fmt: skip
