"""What tests of the master share."""

from pathlib import Path

import pytest


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Path:
    """Return a file that others than root may put something else in the place of."""
    path = tmp_path / "key"
    path.write_text("a line of root's\n")
    tmp_path.chmod(0o777)
    return path
