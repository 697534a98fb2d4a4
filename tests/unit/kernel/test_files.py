"""Files, pipes and locks do what their names say, on a real file system."""

import errno
import os
from pathlib import Path

import pytest

from claw.kernel import files, memory


def test_a_folder_is_made_with_those_above_it_and_may_be_there(tmp_path: Path) -> None:
    path = str(tmp_path / "a/b/c")

    files.make_folder(path, 0o700)
    files.make_folder(path)

    assert Path(path).stat().st_mode & 0o777 == 0o700
    assert files.is_folder(path)


def test_a_folder_below_a_link_that_leads_nowhere_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "far")

    with pytest.raises(FileNotFoundError):
        files.make_folder(str(tmp_path / "link" / "one" / "two"))


def test_no_link_is_followed_by_what_claw_writes_for_itself(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    for act in (files.open_append, files.touch, lambda path: files.open_output(path, 0o600)):
        with pytest.raises(OSError, match="symbolic links"):
            act(str(tmp_path / "link"))
    assert not (tmp_path / "elsewhere").exists()
    assert not files.is_folder(str(tmp_path / "link"))


def test_an_exclusive_file_is_made_once(tmp_path: Path) -> None:
    path = str(tmp_path / "once")

    files.create_exclusive(path, b"first")

    with pytest.raises(FileExistsError):
        files.create_exclusive(path, b"second")
    assert files.read_all(path) == b"first"


def test_an_open_file_is_read_at_any_place_while_it_is_appended_to(tmp_path: Path) -> None:
    fd = files.open_append(str(tmp_path / "journal"))
    try:
        files.append(fd, b"one\n")
        files.append(fd, b"two\n")

        assert files.read_at(fd, 4, 100) == b"two\n"
        assert files.read_at(fd, 8, 100) == b""
        assert files.size_of(fd) == 8
    finally:
        os.close(fd)


def test_a_file_that_is_not_there_reads_as_nothing_from_any_offset(tmp_path: Path) -> None:
    path = tmp_path / "file"

    assert files.read_from(str(path), 3) == b""
    path.write_bytes(b"0123456")
    assert files.read_from(str(path), 3) == b"3456"
    with pytest.raises(FileNotFoundError):
        files.read_all(str(path) + "x")


@pytest.mark.parametrize(
    ("path", "folder"), [("/a/b/c", "/a/b"), ("/a", "/"), ("a", "."), ("a/b", "a")]
)
def test_what_a_path_lies_in(path: str, folder: str) -> None:
    assert files.folder_of(path) == folder


def test_a_folder_is_removed_with_all_in_it_and_links_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    doomed = tmp_path / "doomed"
    (doomed / "deep/deeper").mkdir(parents=True)
    (doomed / "deep/file").touch()
    (doomed / "link").symlink_to(precious)

    files.remove_folder(str(doomed))
    files.remove_folder(str(tmp_path / "was never there"))

    assert not doomed.exists()
    assert (precious / "file").exists()


def test_a_lock_is_held_until_its_last_descriptor_is_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert not files.is_locked(path)
    fd = files.open_lock(path)
    assert not files.is_locked(path)

    assert files.try_lock(fd)
    copy = os.dup(fd)
    os.close(fd)
    held = files.is_locked(path)
    os.close(copy)

    assert held
    assert not files.is_locked(path)


def test_bytes_are_spliced_to_the_end_of_a_file_and_an_empty_pipe_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before\n")
    reading, writing = files.make_pipe(1 << 16)
    fd = files.open_output(str(path), 0o600)
    try:
        assert files.splice(reading, fd, 1 << 20) is None
        os.write(writing, b"after\n")
        assert files.splice(reading, fd, 1 << 20) == 6
        assert files.splice(reading, fd, 1 << 20) is None
    finally:
        for one in (reading, writing, fd):
            os.close(one)
    assert path.read_bytes() == b"before\nafter\n"


def test_what_cannot_be_spliced_to_leaves_its_bytes_in_the_pipe() -> None:
    reading, writing = files.make_pipe(1 << 16)
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        os.write(writing, b"word")
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
            files.splice(reading, full, 1 << 20)
        assert files.discard(reading, 100) == b"word"
        assert files.discard(reading, 100) is None
    finally:
        for one in (reading, writing, full):
            os.close(one)


def test_sealed_memory_holds_what_it_was_given_for_good() -> None:
    fd = memory.sealed("test", b"secret")
    try:
        for act in (lambda: os.pwrite(fd, b"x", 0), lambda: os.ftruncate(fd, 0)):
            with pytest.raises(PermissionError):
                act()
        os.lseek(fd, 0, os.SEEK_END)
        assert memory.read(fd) == b"secret"
    finally:
        os.close(fd)


@pytest.mark.parametrize("keep", [(), (0,), (2,), (0, 1, 2), (1,)])
def test_all_descriptors_but_those_named_are_closed(keep: tuple[int, ...]) -> None:
    wanted: set[int] = set()
    pid = os.fork()
    if pid == 0:
        extra = os.open("/dev/null", os.O_RDONLY)
        wanted = {*keep, os.dup2(extra, 50), os.dup2(extra, 77)}
        files.close_all_but(wanted)
        left = set()
        for fd in range(200):
            try:
                os.fstat(fd)
            except OSError:
                continue
            left.add(fd)
        os._exit(0 if left == wanted else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
