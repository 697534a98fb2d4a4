"""Jobs of managed.toml that runs have made: they lean on nothing, and go over nothing."""

from pathlib import Path

from claw.config.load import load
from claw.config.managed import Managed
from claw.config.setting import Change, Op

MADE = '[jobs.x]\nargv = ["id"]\nuser = "0"\norigin = "run:r' + "0" * 26 + ':1"\n'


def configured(folder: Path, main: str) -> Path:
    (folder / "claw.toml").write_text(main)
    (folder / "managed.toml").write_text(MADE)
    (folder / "managed.toml").chmod(0o600)
    return folder


def test_a_job_that_a_run_has_made_takes_nothing_from_defaults(tmp_path: Path) -> None:
    main = '[defaults]\nenv = { SECRET = "hush" }\ntimeout = "1h"\n[jobs.y]\ncommand = "true"\n'

    config = load(str(configured(tmp_path, main)))

    found, other = config.job("x"), config.job("y")
    assert found is not None
    assert (found.env, found.timeout_s) == ((), 0.0)
    assert other is not None
    assert other.env == (("SECRET", "hush"),)


def test_a_job_that_a_run_has_made_goes_over_none_that_somebody_writes(tmp_path: Path) -> None:
    main = '[jobs.x]\ncommand = "true"\nenv = { SECRET = "hush" }\n'
    place = str(configured(tmp_path, main))

    found = load(place).job("x")

    assert found is not None
    assert (found.argv, found.user, found.origin) == (("true",), "", "")
    managed = Managed(place, as_root=False)
    managed.change("x", [Change(("timeout",), Op.SET, "5s")])
    assert managed.jobs["x"] == {"timeout": "5s"}
