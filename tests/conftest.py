"""What all kinds of tests share."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kit.master import StartMaster, master

# A busy machine takes its time over an example, and that is no fault of what is tested.
settings.register_profile("claw", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("claw")


@pytest.fixture
def start_master(tmp_path: Path) -> Iterator[StartMaster]:
    """Return a function that starts a master with a configuration, once."""
    with contextlib.ExitStack() as stack:
        yield lambda config: stack.enter_context(master(tmp_path / "home", config))
