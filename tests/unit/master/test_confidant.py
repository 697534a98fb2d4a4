from pathlib import Path

import pytest

from claw.kernel import accounts
from claw.model.job import Config
from claw.secrets.resolving import UnresolvedError
from tests.kit.desk import job
from tests.kit.secrecy import confidant

ANOTHER = "nobody"


@pytest.mark.parametrize(("user", "is_learned"), [("", True), (ANOTHER, False)])
async def test_no_file_is_read_beforehand_that_a_launch_for_another_user_would_not_get(
    user: str, is_learned: bool, key: Path
) -> None:
    assert accounts.user_id(ANOTHER) is not None
    config = Config(jobs=(job("a", env=(("KEY", f"${{file:{key}}}"),), user=user),))
    knowing = confidant()

    await knowing.learn(config)

    told = knowing.redactor.mask("a line of root's")
    assert told == ("****" if is_learned else "a line of root's")


@pytest.mark.parametrize("user", ["", ANOTHER])
async def test_an_address_is_filled_with_what_a_launch_for_the_same_user_would_get(
    user: str, key: Path
) -> None:
    said = f"http://127.0.0.1/${{file:{key}}}"

    if user:
        with pytest.raises(UnresolvedError, match="has to be root's own"):
            await confidant().fill(said, user=user)
    else:
        assert await confidant().fill(said, user=user) == "http://127.0.0.1/a line of root's"
