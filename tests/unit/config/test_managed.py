"""managed.toml as clawctl changes it: what is set is there, what is taken back is gone."""

import stat
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.config import fields, origins, setting
from claw.config.load import load
from claw.config.managed import Managed
from claw.config.setting import Change, Op
from claw.errors import (
    ClawError,
    ConfigError,
    ConflictError,
    NotFoundError,
    UnsupportedError,
    UsageError,
)

Write = Callable[..., Path]

WEB = """\
[jobs.web]
type = "continuous"
command = "serve"
env = { A = "1" }
tags = ["x", "y"]
timeout = "5m"
"""


def _managed(folder: Path) -> Managed:
    return Managed(str(folder), as_root=False)


def _set(folder: Path, *words: str, job: str = "web") -> Managed:
    managed = _managed(folder)
    managed.change(job, [setting.read(word) for word in words])
    load(str(folder), env={}, instead={"managed.toml": managed.raw()})
    managed.install()
    return managed


@pytest.fixture
def home(write: Write, tmp_path: Path) -> Path:
    """A configuration with one job written by hand."""
    write(WEB, "jobs.d/web.toml")
    return tmp_path


def test_words_are_read_as_the_keys_kind_has_them(home: Path) -> None:
    _set(
        home,
        "tags+=blue",
        "tags-=x",
        "timeout=30s",
        "env.MODE=3",
        "restart.policy=never",
        "success_codes=0,2",
        "autostart=false",
        "limits.nofile=512",
        "restart.delays=1s,2s",
        "umask=027",
        "nice=5",
    )

    (job,) = load(str(home), env={}).jobs
    assert job.tags == ("y", "blue")
    assert (job.timeout_s, dict(job.env)) == (30, {"A": "1", "MODE": "3"})
    assert (job.restart.policy, job.restart.delays_s) == ("never", (1, 2))
    assert (job.success_codes, job.autostart, job.umask, job.nice) == ((0, 2), False, 0o27, 5)
    assert job.limits == (("nofile", 512, 512),)
    assert (home / "jobs.d/web.toml").read_text() == WEB


def test_what_is_set_back_to_what_the_file_says_overrides_nothing(home: Path) -> None:
    _set(home, "tags+=blue", "timeout=30s")
    managed = _set(home, "tags-=blue", "timeout=5m")

    assert "web" not in managed.jobs


def test_an_override_is_taken_back_by_an_empty_value(home: Path) -> None:
    _set(home, "restart.policy=never", "env.A=2", "timeout=1s")
    managed = _set(home, "restart.policy=", "env.A=")

    assert managed.jobs == {"web": {"timeout": "1s"}}


def test_the_other_of_two_keys_is_set_back(home: Path) -> None:
    _set(home, 'argv=["a", "b"]')
    _set(home, "command=serve")

    (job,) = load(str(home), env={}).jobs
    assert (job.command, job.argv) == ("serve", ("serve",))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("colour=1", "unknown key"),
        ("comand=x", 'did you mean "command"'),
        ("restart.polcy=x", "unknown key of restart"),
        ("restart=x", "is a table"),
        ("timeout=soon", "no duration"),
        ("nice=99", "19"),
        ("tags-=z", "to take away"),
        ("timeout+=3", "a duration is written"),
        ("nice+=3", "expected|list"),
        ("timeout", "is no change"),
        ("=3", "is no change"),
        ("env..A=3", "no key"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(word: str, told: str, home: Path) -> None:
    with pytest.raises(ClawError, match=told):
        _set(home, word)
    assert not (home / "managed.toml").exists()


def test_a_job_is_added_once_and_again_with_the_same_definition(home: Path) -> None:
    for table in ({"command": "x"}, {"command": "x"}):
        managed = _managed(home)
        managed.add("new", table, origin="cli:7")
        managed.install()

    assert tomllib.loads((home / "managed.toml").read_text()) == {
        "jobs": {"new": {"command": "x", "origin": "cli:7"}}
    }
    with pytest.raises(ConflictError, match=r"there already, in .*managed\.toml"):
        _managed(home).add("new", {"command": "y"}, origin="cli:7")
    with pytest.raises(ConflictError, match=r"there already, in .*web\.toml:1"):
        _managed(home).add("web", {"command": "y"}, origin="cli:7")
    with pytest.raises(UsageError, match="no good name"):
        _managed(home).add("all", {"command": "y"}, origin="cli:7")


def test_only_what_clawctl_made_is_removed(home: Path) -> None:
    managed = _managed(home)
    managed.add("new", {"command": "x"}, origin="")
    managed.change("web", [setting.read("timeout=1s")])

    managed.remove("new", override=False)
    with pytest.raises(ConflictError, match=r"by hand in .*web\.toml:1"):
        managed.remove("web", override=False)
    managed.remove("web", override=True)
    assert managed.jobs == {}
    for name, override in (("new", False), ("web", True), ("nobody", False)):
        with pytest.raises(NotFoundError):
            managed.remove(name, override=override)


@pytest.mark.parametrize("default", ["", "[defaults]\nenabled = false\n"])
@pytest.mark.parametrize("own", ["", "enabled = true\n", "enabled = false\n"])
def test_a_switch_says_no_more_than_it_must(
    default: str, own: str, write: Write, home: Path
) -> None:
    write(default)
    write(WEB + own, "jobs.d/web.toml")
    before = load(str(home), env={}).jobs[0].enabled
    for on in (not before, before):
        managed = _managed(home)
        managed.switch("web", on=on)
        managed.install()
        (job,) = load(str(home), env={}).jobs
        assert job.enabled is on
        assert bool(managed.jobs) is (on is not before)


def test_a_broken_file_is_left_alone(write: Write, home: Path) -> None:
    broken = write("[jobs.x\n", "managed.toml")

    with pytest.raises(ConfigError, match="not TOML"):
        _managed(home)
    assert broken.read_text() == "[jobs.x\n"


def test_one_file_has_no_managed_part(write: Write) -> None:
    with pytest.raises(UnsupportedError, match="one file"):
        Managed(str(write(WEB)), as_root=False)


def test_what_people_wrote_in_it_stays(write: Write, home: Path) -> None:
    write('[jobs.mine]\ncommand = "x"\nrun_at = 2030-01-01T00:00:00Z\n', "managed.toml")
    _set(home, "timeout=1s")

    assert set(load(str(home), env={}).job("mine").argv) == {"x"}  # type: ignore[union-attr]
    assert tomllib.loads((home / "managed.toml").read_text())["jobs"]["mine"]["run_at"].year


def test_permissions_stay_and_a_new_file_is_its_owners(home: Path) -> None:
    file = home / "managed.toml"
    _set(home, "timeout=1s")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)

    _set(home, "timeout=2s")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert {one.name for one in home.iterdir()} == {"jobs.d", "managed.toml"}


def test_a_link_stays_a_link(write: Write, home: Path) -> None:
    real = write("", "elsewhere.toml")
    (home / "managed.toml").symlink_to(real)
    _set(home, "timeout=1s")

    assert (home / "managed.toml").is_symlink()
    assert "timeout" in real.read_text()


def test_a_file_that_changed_meanwhile_is_not_overwritten(write: Write, home: Path) -> None:
    managed = _managed(home)
    managed.change("web", [setting.read("timeout=1s")])
    write("# mine\n", "managed.toml")

    with pytest.raises(ConflictError, match="changed just now"):
        managed.install()
    assert (home / "managed.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("before", [None, '[jobs.a]\ncommand = "x"\n'])
def test_what_was_installed_is_taken_back(before: str | None, write: Write, home: Path) -> None:
    if before is not None:
        write(before, "managed.toml")
    managed = _managed(home)
    managed.change("web", [setting.read("timeout=1s")])
    managed.install()
    managed.take_back()

    path = home / "managed.toml"
    assert (path.read_text() if path.exists() else None) == before


def test_each_value_is_told_with_who_says_it(write: Write, home: Path) -> None:
    write('[defaults]\ngrace_period = "7s"\ntimeout = "1s"\nenv = { Z = "0", A = "0" }\n')
    _set(home, "env.B=2", "tags+=z")

    found = origins.definition(str(home), "web", f"{home}/jobs.d/web.toml")
    assert found is not None
    told = {".".join(one.key): (one.value, one.by, one.line) for one in found.values}
    assert told["type"] == ("continuous", "file", 2)
    assert told["tags"][:2] == (["x", "y", "z"], "managed")
    assert told["env.A"] == ("1", "file", 4)
    assert told["env.B"][:2] == ("2", "managed")
    assert told["env.Z"] == ("0", "defaults", 4)
    assert told["grace_period"] == ("7s", "defaults", 2)
    assert told["timeout"] == ("5m", "file", 6)


_VALUES: Mapping[str, st.SearchStrategy[object]] = {
    "description": st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=9),
    "timeout": st.integers(0, 9999).map("{}s".format),
    "tags": st.lists(st.from_regex(r"\A[a-z]{1,5}\Z"), max_size=4, unique=True),
    "nice": st.integers(-20, 19),
    "autostart": st.booleans(),
    "env.MODE": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
    "restart.policy": st.sampled_from(["always", "never", "on-failure"]),
    "log.keep": st.integers(1, 99),
}


@given(data=st.data(), keys=st.lists(st.sampled_from(sorted(_VALUES)), unique=True))
def test_what_is_set_is_shown_and_taken_back_is_as_before(
    data: st.DataObject, keys: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "claw.toml").write_text(WEB)
        before = load(name, env={}).jobs
        wanted = {key: data.draw(_VALUES[key]) for key in keys}
        managed = _managed(folder)
        changes = [Change(setting.path_of(key), Op.SET, value) for key, value in wanted.items()]
        managed.change("web", changes)
        managed.install()

        found = origins.definition(name, "web", f"{name}/claw.toml")
        assert found is not None
        told = {".".join(one.key): one.value for one in found.values}
        assert {key: told[key] for key in wanted} == wanted
        load(name, env={})

        managed = _managed(folder)
        managed.change("web", [setting.read(f"{key}=") for key in keys])
        managed.install()
        assert not managed.jobs
        assert load(name, env={}).jobs == before


def test_every_key_that_is_known_can_be_named() -> None:
    for key in fields.JOB.fields:
        assert setting.path_of(key) == (key,)
