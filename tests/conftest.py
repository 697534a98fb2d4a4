"""What all kinds of tests share."""

import contextlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.kit import nursery
from tests.kit.chance import SEED
from tests.kit.master import StartMaster, master

_TESTS = Path(__file__).parent
_LONG = ("faults", "integration")

# What a shell starts in the background ignores ^C, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of daemons are started: they read what the first has compiled, as installed ones do.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine takes its time over an example, and that is no fault of what is tested.
# Without a seed the default suite tries the same examples each time: what it says of a change
# is about the change. CLAW_TEST_SEED=random, and the long forms, look further.
settings.register_profile(
    "claw",
    deadline=None,
    derandomize=not SEED,
    max_examples=100 if SEED else 50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("claw")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long: the short files at the end leave no worker idle."""
    items.sort(key=lambda item: item.path.relative_to(_TESTS).parts[0] not in _LONG)


def pytest_sessionfinish() -> None:
    """End what forks processes of claw for all tests."""
    nursery.close()


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return what chance begins with; printed, so that a failure can be tried again."""
    is_long = request.node.get_closest_marker("slow") is not None
    found = random.SystemRandom().randrange(1 << 32) if is_long or SEED else 1
    if SEED.isdigit():
        found = int(SEED)
    print(f"CLAW_TEST_SEED={found}")
    return found


@pytest.fixture
def start_master(tmp_path: Path) -> Iterator[StartMaster]:
    """Return a function that starts a master with a configuration, once."""
    with contextlib.ExitStack() as stack:
        yield lambda config: stack.enter_context(master(tmp_path / "home", config))
