import os
from pathlib import Path

import pytest

from claw.model.reference import Reference, Source
from claw.secrets.resolving import MOST_BYTES, Resolver, UnresolvedError


def looked_up(source: Source, name: str, **environment: str) -> str:
    one = Reference(source, name)
    found = Resolver(environment, {"K": "kept"}.__getitem__).resolve([one])
    return found[one]


def test_each_source_is_asked(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("given\n")
    path = tmp_path / "db"

    assert looked_up(Source.SECRET, "K") == "kept"
    assert looked_up(Source.ENV, "A", A="around") == "around"
    assert looked_up(Source.FILE, str(path)) == "given"
    assert looked_up(Source.CREDENTIAL, "db", CREDENTIALS_DIRECTORY=str(tmp_path)) == "given"


@pytest.mark.parametrize(("data", "value"), [(b"x\r\n", "x"), (b"x\n\n", "x\n"), (b"", "")])
def test_one_newline_at_the_end_of_a_file_is_none_of_the_value(
    data: bytes, value: str, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(data)

    assert looked_up(Source.FILE, str(tmp_path / "f")) == value


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"ab\0cd", "NUL"), (b"\xff", "UTF-8"), (b"x" * (MOST_BYTES + 1), "64 KiB")],
)
def test_what_no_program_can_be_given_is_refused_without_a_word_of_it(
    data: bytes, told: str, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(data)

    with pytest.raises(UnresolvedError, match=told) as error:
        looked_up(Source.FILE, str(tmp_path / "f"))
    assert "ab" not in error.value.message
    assert not error.value.is_passing


def test_what_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnresolvedError, match="no NOPE"):
        looked_up(Source.ENV, "NOPE")
    with pytest.raises(UnresolvedError, match="given no credentials"):
        looked_up(Source.CREDENTIAL, "db")
    (tmp_path / "db").write_bytes(b"\xff")
    with pytest.raises(UnresolvedError, match=r"\$\{credential:db\}: .* UTF-8"):
        looked_up(Source.CREDENTIAL, "db", CREDENTIALS_DIRECTORY=str(tmp_path))
    with pytest.raises(UnresolvedError, match=r"\$\{file:/.*/none\}: No such file"):
        looked_up(Source.FILE, str(tmp_path / "none"))


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")

    with pytest.raises(UnresolvedError, match="Invalid argument"):
        looked_up(Source.FILE, str(tmp_path / "f"))


def test_a_file_that_others_may_change_is_not_read_for_another_user(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("root's")
    tmp_path.chmod(0o777)
    one = Reference(Source.FILE, str(path))

    with pytest.raises(UnresolvedError, match="root's own"):
        Resolver({}, str).resolve([one], for_another=True)
