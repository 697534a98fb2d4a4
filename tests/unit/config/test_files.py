"""Which files count, in what order, and what happens with those that cannot be believed."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claw.config.load import digest_now, load
from claw.errors import ConfigError
from tests.kit import users

Write = Callable[..., Path]


def _refused(place: Path, **how: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(str(place), env={}, **how)  # type: ignore[arg-type]
    return tuple(line.replace(f"{place}/", "") for line in caught.value.diagnostics)


def test_a_folder_without_files_is_a_configuration_without_jobs(tmp_path: Path) -> None:
    config = load(str(tmp_path / "nothing"), env={})

    assert not config.jobs
    assert not config.files
    assert config.daemon.max_parallel == 64


def test_an_empty_file_is_good(write: Write, tmp_path: Path) -> None:
    write("")
    write("\n# only a comment\n", "jobs.d/a.toml")

    assert load(str(tmp_path), env={}).jobs == ()


def test_files_are_read_by_name_between_claw_and_managed(write: Write, tmp_path: Path) -> None:
    for name, job in (
        ("managed.toml", "m"),
        ("jobs.d/20-b.toml", "b"),
        ("jobs.d/10-a.toml", "a"),
        ("claw.toml", "c"),
    ):
        write(f'[jobs.{job}]\ncommand = "x"\n', name)

    config = load(str(tmp_path), env={})

    assert [job.name for job in config.jobs] == ["c", "a", "b", "m"]
    assert [path.removeprefix(f"{tmp_path}/") for path in config.files] == [
        "claw.toml",
        "jobs.d/10-a.toml",
        "jobs.d/20-b.toml",
        "managed.toml",
    ]
    assert config.job("b").file == f"{tmp_path}/jobs.d/20-b.toml"  # type: ignore[union-attr]


def test_only_visible_toml_files_of_jobs_d_count(write: Write, tmp_path: Path) -> None:
    for name in ("a.toml~", "b.bak", ".#c.toml", ".d.toml", "e.TOML"):
        write("not toml at all", f"jobs.d/{name}")

    assert load(str(tmp_path), env={}).files == ()


def test_a_file_of_jobs_d_sees_the_defaults_of_claw_toml(write: Write, tmp_path: Path) -> None:
    write('[defaults]\ngrace_period = "7s"\n[daemon]\ntimezone = "Europe/Berlin"\n')
    write('[jobs.a]\ncommand = "x"\nschedule = "@daily"\n', "jobs.d/a.toml")

    (job,) = load(str(tmp_path), env={}).jobs

    assert job.grace_period_s == 7
    assert job.timezone == "Europe/Berlin"


@pytest.mark.parametrize("table", ["daemon", "control", "defaults"])
@pytest.mark.parametrize("name", ["jobs.d/a.toml", "managed.toml"])
def test_the_daemons_tables_belong_in_claw_toml(
    table: str, name: str, write: Write, tmp_path: Path
) -> None:
    write(f"# a comment\n[{table}]\n", name)

    assert _refused(tmp_path) == (
        f"{name}:2: {table}: belongs in claw.toml: this file may hold [jobs.NAME] only",
    )


def test_one_file_may_hold_everything_whatever_its_name(write: Write) -> None:
    path = write('[daemon]\nmax_parallel = 3\n[jobs.a]\ncommand = "x"\n', "managed.toml")

    config = load(str(path), env={})

    assert config.daemon.max_parallel == 3
    assert [job.name for job in config.jobs] == ["a"]


def test_a_job_in_two_files_names_both_places(write: Write, tmp_path: Path) -> None:
    write('\n\n[jobs.web]\ncommand = "x"\n', "jobs.d/a.toml")
    write('[jobs]\nweb.command = "y"\n', "jobs.d/b.toml")

    (told,) = _refused(tmp_path)

    assert told.startswith(
        "jobs.d/b.toml:2: jobs.web: a job of that name is defined in jobs.d/a.toml:3 already: "
    )


def test_names_that_differ_only_by_case_are_two_jobs(write: Write) -> None:
    path = write('[jobs.web]\ncommand = "x"\n[jobs.Web]\ncommand = "x"\n')

    assert [job.name for job in load(str(path), env={}).jobs] == ["web", "Web"]


def test_the_mistakes_of_all_files_come_in_the_order_of_the_files(
    write: Write, tmp_path: Path
) -> None:
    write("[daemon]\nx = 1\n")
    write('[jobs.a]\ncommand = ""\n', "jobs.d/a.toml")
    write("[jobs.b\n", "jobs.d/b.toml")
    write("[jobs.c]\n", "managed.toml")

    told = _refused(tmp_path)

    assert [line.split(": ")[0] for line in told] == [
        "claw.toml:2",
        "jobs.d/a.toml:2",
        "jobs.d/b.toml:1",
        "managed.toml:1",
    ]


def test_no_second_mistake_is_made_of_defaults_that_cannot_be_read(
    write: Write, tmp_path: Path
) -> None:
    write('[defaults]\ncommand = "x\n')
    write('[jobs.a]\ntimeout = "1s"\n[jobs.b]\ntimeout = "soon"\n', "jobs.d/a.toml")

    told = _refused(tmp_path)

    assert [line.split(": ")[0] for line in told] == ["claw.toml:2", "jobs.d/a.toml:4"]


def test_a_byte_order_mark_and_dos_lines_are_passed_over(write: Write) -> None:
    path = write(b'\xef\xbb\xbf[jobs.web]\r\ncommand = "x"\r\nbad = 1\r\n')

    with pytest.raises(ConfigError) as caught:
        load(str(path), env={})

    assert caught.value.diagnostics[0].startswith(f"{path}:3: jobs.web.bad: unknown key")


@pytest.mark.parametrize(
    ("raw", "line", "byte"),
    [
        (b'[jobs.web]\ncommand = "\xe9t\xe9"\n', 2, "0xe9"),
        ("[jobs.web]\n".encode("utf-16"), 1, "0xff"),
        (b"# fine \xc3\xa9\n\n\n# cut \xc3", 4, "0xc3"),
    ],
    ids=["latin-1", "utf-16", "a cut letter"],
)
def test_what_is_not_utf_8_is_told_by_its_line(
    raw: bytes, line: int, byte: str, write: Write, tmp_path: Path
) -> None:
    write(raw)

    assert _refused(tmp_path) == (
        f"claw.toml:{line}: byte {byte} is not UTF-8: save the file as UTF-8",
    )


def test_a_missing_file_is_refused_when_it_is_named(tmp_path: Path) -> None:
    assert _refused(tmp_path / "web.toml") == (
        f"{tmp_path}/web.toml: cannot be read: No such file or directory",
    )


def test_a_fifo_is_refused_and_not_waited_for(write: Write, tmp_path: Path) -> None:
    write("", "jobs.d/a.toml")
    os.mkfifo(tmp_path / "jobs.d/b.toml")

    assert _refused(tmp_path) == ("jobs.d/b.toml: it is a named pipe, not a regular file",)


def test_a_device_is_refused(write: Write, tmp_path: Path) -> None:
    write("", "jobs.d/a.toml")
    (tmp_path / "jobs.d/b.toml").symlink_to("/dev/zero")

    assert _refused(tmp_path) == ("jobs.d/b.toml: it is a device, not a regular file",)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claw.toml").mkdir()

    assert _refused(tmp_path) == ("claw.toml: it is a folder, not a regular file",)


def test_a_dangling_link_is_refused_and_never_an_empty_configuration(tmp_path: Path) -> None:
    (tmp_path / "claw.toml").symlink_to("elsewhere.toml")

    assert _refused(tmp_path) == (
        "claw.toml: cannot be read: a link to a file that is not there",
    )


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "claw.toml").symlink_to("claw.toml")

    assert _refused(tmp_path) == (
        "claw.toml: cannot be read: Too many levels of symbolic links",
    )


def test_a_file_in_place_of_jobs_d_is_refused(write: Write, tmp_path: Path) -> None:
    write("", "jobs.d")

    assert _refused(tmp_path) == ("jobs.d: cannot be read: Not a directory",)


def test_a_name_that_is_no_text_can_still_be_told(write: Write, tmp_path: Path) -> None:
    write("", "jobs.d/a.toml")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/jobs.d/\xff\n.toml")).write_text("x")

    (told,) = _refused(tmp_path)

    assert told.startswith("jobs.d/\\udcff\\n.toml:1: x: not TOML: expected '='")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach too; pytest's own are root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def _as_nobody() -> Iterator[None]:
    """Be a user to whom permissions apply."""
    old = os.geteuid()
    if old == 0:
        if why := users.why_alone():
            pytest.skip(why)
        os.seteuid(users.NOBODY)
    yield
    os.seteuid(old)


@pytest.fixture
def secret(open_folder: Path) -> Path:
    path = open_folder / "claw.toml"
    path.write_text("")
    path.chmod(0)
    return open_folder


@pytest.mark.usefixtures("secret", "_as_nobody")
def test_an_unreadable_file_is_refused(secret: Path) -> None:
    (told,) = _refused(secret)

    assert told.startswith("claw.toml: cannot be read: permission denied: the daemon's user ")


@pytest.fixture
def locked(open_folder: Path) -> Iterator[Path]:
    (open_folder / "home").mkdir()
    (open_folder / "home/claw.toml").write_text('[jobs.a]\ncommand = "x"\n')
    (open_folder / "home").chmod(0)
    yield open_folder / "home"
    (open_folder / "home").chmod(0o700)


@pytest.mark.usefixtures("locked", "_as_nobody")
def test_a_folder_that_cannot_be_searched_is_never_an_empty_configuration(locked: Path) -> None:
    told = _refused(locked)

    assert [line.split(":")[0] for line in told] == ["claw.toml", "jobs.d", "managed.toml"]
    assert all("permission denied" in line for line in told)


def test_the_digest_tells_every_change_of_the_files(write: Write, tmp_path: Path) -> None:
    write("# 1\n")
    write("", "jobs.d/a.toml")
    loaded = load(str(tmp_path), env={}).digest
    assert digest_now(str(tmp_path)) == loaded

    seen = {loaded}
    changes: tuple[Callable[[], object], ...] = (
        lambda: write("# 2\n"),
        lambda: write("", "jobs.d/b.toml"),
        lambda: (tmp_path / "jobs.d/b.toml").rename(tmp_path / "jobs.d/c.toml"),
        (tmp_path / "jobs.d/c.toml").unlink,
        lambda: write("x = ", "managed.toml"),
        (tmp_path / "claw.toml").unlink,
        (tmp_path / "claw.toml").mkdir,
    )
    for change in changes:
        before = digest_now(str(tmp_path))
        change()
        after = digest_now(str(tmp_path))
        assert after != before
        seen.add(after)
    assert len(seen) == 7, "only removing what was added leads back"


def test_files_that_claw_does_not_read_leave_the_digest_alone(
    write: Write, tmp_path: Path
) -> None:
    write("")
    loaded = digest_now(str(tmp_path))

    write("", "notes.txt")
    write("", "jobs.d/a.toml~")

    assert digest_now(str(tmp_path)) == loaded


def test_the_digest_of_one_file_is_its_own(write: Write) -> None:
    path = write("", "web.toml")
    loaded = load(str(path), env={}).digest
    assert digest_now(str(path)) == loaded

    write("#", "web.toml")

    assert digest_now(str(path)) != loaded


@pytest.mark.root
class TestWhatRootBelieves:
    """As root, nobody else may be able to write the configuration."""

    @pytest.fixture(autouse=True)
    def _needs_root(self) -> None:
        if why := users.why_alone():
            pytest.skip(why)

    def test_files_of_root_alone_are_believed(self, write: Write, tmp_path: Path) -> None:
        write("")
        write("", "jobs.d/a.toml")

        assert len(load(str(tmp_path), env={}, uid=0).files) == 2

    @pytest.mark.parametrize("mode", [0o664, 0o646])
    def test_a_file_that_others_can_write_is_refused(
        self, mode: int, write: Write, tmp_path: Path
    ) -> None:
        write("").chmod(mode)

        assert _refused(tmp_path, uid=0) == (
            "claw.toml: the file can be written by others than root: chmod go-w it",
        )

    def test_a_file_of_somebody_else_is_refused(self, write: Write, tmp_path: Path) -> None:
        os.chown(write(""), 1234, -1)

        assert _refused(tmp_path, uid=0) == (
            "claw.toml: the file belongs to user 1234, not to root: chown root it",
        )

    def test_a_folder_that_others_can_write_is_refused(
        self, write: Write, tmp_path: Path
    ) -> None:
        write("", "jobs.d/a.toml")
        (tmp_path / "jobs.d").chmod(0o777)

        (told,) = _refused(tmp_path, uid=0)

        assert told.startswith("jobs.d/a.toml: its folder ")
        assert told.endswith(" can be written by others than root: chmod go-w it")

    def test_a_link_into_somebody_elses_folder_is_refused(
        self, write: Write, tmp_path: Path
    ) -> None:
        write("", "theirs/claw.toml")
        os.chown(tmp_path / "theirs", 1234, -1)
        (tmp_path / "claw.toml").symlink_to("theirs/claw.toml")

        (told,) = _refused(tmp_path, uid=0)

        assert "theirs belongs to user 1234" in told

    def test_another_user_believes_what_he_can_read(self, write: Write, tmp_path: Path) -> None:
        write("").chmod(0o666)

        assert load(str(tmp_path), env={}, uid=1000).files

    def test_a_project_is_believed_as_it_is(self, write: Write, tmp_path: Path) -> None:
        path = write("")
        path.chmod(0o666)

        assert load(str(path), project_dir=str(tmp_path), env={}, uid=0).files
