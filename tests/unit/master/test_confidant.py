from pathlib import Path

import pytest

from claw.kernel import accounts
from claw.model.job import Config
from tests.kit.desk import job
from tests.kit.secrecy import confidant

ANOTHER = "nobody"


@pytest.fixture(name="key")
def _key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("a line of root's\n")
    tmp_path.chmod(0o777)  # whose files are not root's own
    return path


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
