"""Control groups for tests: folders of their own, and gone afterwards."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import cgroup
from claw.master.supervision.cgroups import Groups, find_groups
from claw.model import home as homes


@contextlib.contextmanager
def groups_of(folder: Path) -> Iterator[Groups]:
    """Yield where groups can be made for a home; skip the test where they cannot."""
    found = find_groups(homes.at_folder(str(folder)))
    if not found.tracking:
        pytest.skip("no control group can be made here")
    try:
        yield found
    finally:
        for place in {found.tracking, *found.older.values()}:
            cgroup.remove(place)
            assert not Path(place).exists(), place
