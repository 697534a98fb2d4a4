"""What all kinds of tests share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.master import StartMaster, master


@pytest.fixture
def start_master(tmp_path: Path) -> Iterator[StartMaster]:
    """Return a function that starts a master with a configuration, once."""
    with contextlib.ExitStack() as stack:
        yield lambda config: stack.enter_context(master(tmp_path / "home", config))
