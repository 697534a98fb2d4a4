"""Masters that share their locks, and runs that say when two of them are at work at once."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.kit.master import MasterUnderTest, master


class Shared:
    """Two masters with homes of their own, and a folder for the locks of both."""

    def __init__(self, folder: Path, lease: str, table: str = "") -> None:
        """Take where all lies, the lease, and the rest of ``[locks]``; '': a folder."""
        self.folder = folder
        self._table = table or f'backend = "folder"\nfolder = "{folder}/locks"'
        self.lease = lease
        self.seen = folder / "seen"
        self.go = folder / "go"
        (folder / "locks").mkdir()
        self.seen.touch()

    @property
    def config(self) -> str:
        """Return jobs that say when they are at it alone, and that they are not."""
        alone = (
            f"cd {self.folder}; mkdir busy || echo both >> seen; "
            'echo "$CLAW_RUN_ID $CLAW_LOCK_FENCE" >> seen; '
        )
        held = "until [ -e go ]; do sleep 0.02; done; "
        return f"""
[locks]
{self._table}
lease = "{self.lease}"
[defaults]
lock = "only"
grace_period = "5s"
[jobs.short]
command = '{alone} sleep 0.05; rmdir busy'
[jobs.long]
command = '{alone} {held} rmdir busy'
[jobs.stays]
command = '{alone} sleep 1000'
"""

    @contextlib.contextmanager
    def two(self) -> Iterator[tuple[MasterUnderTest, MasterUnderTest]]:
        """Run both masters."""
        with (
            master(self.folder / "a", self.config) as one,
            master(self.folder / "b", self.config) as other,
        ):
            yield one, other

    def lines(self) -> list[str]:
        """Return what the runs have said, in order."""
        return self.seen.read_text().splitlines()

    def fences(self) -> list[int]:
        """Return the fencing numbers of the runs that began, in order."""
        return [int(line.split(" ")[1]) for line in self.lines()]

    def begun(self, claw: MasterUnderTest, run: str) -> None:
        """Wait until the child of a run says that it has begun."""
        claw.wait_until(lambda: any(run in line for line in self.lines()), f"run {run}")
