"""I3, I4, I5: masters, fork servers and supervisors are killed at random instants.

No child is interrupted, and no byte of output, exit status or run is lost or doubled.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.campaign import Campaign

SHORT, LONG = 25, 300


@pytest.fixture
def campaign(tmp_path: Path, seed: int) -> Iterator[Campaign]:
    """Yield a campaign; the seed says which one."""
    made = Campaign(tmp_path, seed)
    try:
        yield made
    finally:
        made.close()
        print("\n".join(made.log))


def test_i3_i4_twenty_five_kills_lose_nothing(campaign: Campaign) -> None:
    campaign.run(SHORT)

    assert "\n".join(campaign.wrongs()) == ""


@pytest.mark.slow
def test_i3_i4_three_hundred_kills_lose_nothing(campaign: Campaign) -> None:
    campaign.run(LONG)

    assert "\n".join(campaign.wrongs()) == ""
