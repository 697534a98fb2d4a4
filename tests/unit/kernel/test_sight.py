"""What is in folders, and who writes there."""

from pathlib import Path

from claw.kernel import sight


def test_a_file_is_written_as_long_as_somebody_has_it_open_to_write(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w"):
        assert sight.is_written(str(path))
    assert not sight.is_written(str(path))
    with path.open("rb"):
        assert not sight.is_written(str(path))
    assert not sight.is_written(str(tmp_path / "none"))
    assert not sight.is_written(str(tmp_path))
