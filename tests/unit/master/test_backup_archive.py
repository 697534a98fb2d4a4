"""The file of a backup: what was put into it comes back, or nothing does."""

import tarfile
from pathlib import Path

import pytest

from claw.errors import RequestError
from claw.master.backup.archive import Writer, unpack

CONTENT = {"state/claw.db": b"pages" * 5000, "config/claw.toml": b"[jobs]\n", "empty": b""}


def written(folder: Path) -> Path:
    path = folder / "made.tar.gz"
    with Writer(str(path), {"at": "now"}, lambda _count: None) as writer:
        for name, data in CONTENT.items():
            writer.add_bytes(name, data, 0o640)
    return path


def unpacked(path: Path, folder: Path) -> dict[str, bytes]:
    unpack(str(path), lambda name: f"{folder}/{name}")
    found = (one for one in folder.rglob("*") if one.is_file())
    return {str(one.relative_to(folder)): one.read_bytes() for one in found}


def again(path: Path, folder: Path, *, without: str = "", change: str = "") -> Path:
    """Return the same archive made anew by another hand, with something else in it."""
    other = folder / "other.tar.gz"
    with tarfile.open(path) as old, tarfile.open(other, "w:gz") as new:
        for info in old:
            file = old.extractfile(info)
            assert file is not None
            if info.name == change:
                held = folder / "held"
                held.write_bytes(bytes(info.size))
                with held.open("rb") as changed:
                    new.addfile(info, changed)
            elif info.name != without:
                new.addfile(info, file)
    return other


def test_what_was_put_in_comes_back(tmp_path: Path) -> None:
    path = written(tmp_path)

    assert unpacked(path, tmp_path / "out") == CONTENT
    assert (tmp_path / "out" / "empty").stat().st_mode & 0o777 == 0o640
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    data = written(tmp_path).read_bytes()
    for no, count in enumerate((0, 1, 20, len(data) // 2, len(data) - 9)):
        bad = tmp_path / f"cut{no}"
        bad.write_bytes(data[:count])
        with pytest.raises(RequestError, match="cut"):
            unpack(str(bad), lambda _name: None)


def test_a_bit_that_was_turned_is_noticed(tmp_path: Path) -> None:
    data = written(tmp_path).read_bytes()
    begin = data.index(b"\0", 10) + 1  # before that gzip has a name, which means nothing
    for at in range(begin, len(data), max(len(data) // 20, 1)):
        bad = tmp_path / f"turned{at}"
        bad.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(RequestError, match="turned"):
            unpack(str(bad), lambda _name: None)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"change": "config/claw.toml"}, "config/claw.toml is not what was put into it"),
        ({"without": "config/claw.toml"}, "config/claw.toml is not what was put into it"),
        ({"without": "manifest.json"}, "it has no manifest at its end"),
    ],
)
def test_what_another_hand_has_changed_is_refused(
    tmp_path: Path, how: dict[str, str], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        unpack(str(again(written(tmp_path), tmp_path, **how)), lambda _name: None)


@pytest.mark.parametrize("name", ["/etc/passwd", "state/../../x", "link"])
def test_a_member_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    bad = tmp_path / "bad.tar.gz"
    with tarfile.open(bad, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        if name == "link":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc"
        tar.addfile(info)

    with pytest.raises(RequestError, match="does not belong there"):
        unpack(str(bad), lambda one: f"{tmp_path}/out/{one}")
    assert not (tmp_path / "out").exists()
