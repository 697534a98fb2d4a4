"""The audit log: a chain that tells of every change made to it."""

import gzip
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.client import auditlog
from claw.master.control import audit
from claw.master.control.audit import AuditLog, Entry
from claw.model import auditchain
from claw.model.redact import Redactor

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def entry(**params: object) -> Entry:
    return Entry(
        at=AT,
        uid=7,
        user="alice",
        role="operator",
        pid=8,
        method="job.stop",
        params=params,
        outcome="ok",
    )


def filled(path: Path, count: int) -> Path:
    log = AuditLog(str(path))
    for number in range(count):
        log.append(entry(number=number))
    log.close()
    return path


def problems(path: Path) -> list[str]:
    return list(auditlog.verify_all(str(path.parent)))


def test_each_line_vouches_for_the_one_before(tmp_path: Path) -> None:
    path = filled(tmp_path / "log" / "audit.log", 5)

    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert [line["params"]["number"] for line in lines] == [0, 1, 2, 3, 4]
    assert lines[0]["prev"] == auditchain.START
    assert problems(path) == []
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_chain_goes_on_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for _ in range(4):
        filled(path, 3)

    assert len(path.read_text().splitlines()) == 12
    assert problems(path) == []


@pytest.mark.parametrize("number", [0, 3, 8])
def test_a_changed_line_shows(tmp_path: Path, number: int) -> None:
    path = filled(tmp_path / "audit.log", 10)
    lines = path.read_text().splitlines()

    lines[number] = lines[number].replace("job.stop", "job.halt")
    path.write_text("\n".join(lines) + "\n")

    assert problems(path) == [
        f"audit.log: line {number + 2}: it does not follow the line before it"
    ]


@pytest.mark.parametrize("number", [0, 5, 8])
def test_a_line_taken_out_or_put_in_shows(tmp_path: Path, number: int) -> None:
    path = filled(tmp_path / "audit.log", 10)
    lines = path.read_text().splitlines()

    path.write_text("\n".join(lines[:number] + lines[number + 1 :]) + "\n")
    assert problems(path)
    path.write_text("\n".join([*lines[:number], lines[0], *lines[number:]]) + "\n")
    assert problems(path)


@given(cut=st.integers(min_value=1, max_value=400))
def test_a_torn_line_is_ended_and_covered(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = filled(tmp_path_factory.mktemp("audit") / "audit.log", 3)
    path.write_bytes(path.read_bytes()[:-cut])

    filled(path, 2)

    assert problems(path) == []
    assert path.read_bytes().endswith(b"\n")


def test_what_came_before_a_torn_line_cannot_be_changed_either(tmp_path: Path) -> None:
    path = filled(tmp_path / "audit.log", 3)
    path.write_bytes(path.read_bytes()[:-30])
    filled(path, 2)
    lines = path.read_text().splitlines()

    lines[1] = lines[1].replace("job.stop", "job.halt")
    path.write_text("\n".join(lines) + "\n")

    assert problems(path) == ["audit.log: line 4: lines before the torn one were changed"]


# -- several files -----------------------------------------------------------------------------


def rotated(folder: Path, count: int) -> list[Path]:
    """Write entries into files of five lines or so; return them, oldest first."""
    log = AuditLog(str(folder / "audit.log"), max_bytes=1000)
    for number in range(count):
        log.append(entry(number=number))
    log.close()
    return [folder / name for name in auditlog.files_in(str(folder))]


def numbers(paths: list[Path]) -> list[object]:
    lines = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [line["params"]["number"] for line in lines if "number" in line["params"]]


def test_a_file_that_is_full_is_followed_by_one_that_vouches_for_it(tmp_path: Path) -> None:
    paths = rotated(tmp_path, 40)

    assert len(paths) > 3
    assert set(numbers(paths)) == set(range(40))
    assert len(numbers(paths)) == 40
    first = json.loads(paths[-1].read_text().splitlines()[0])
    assert first["method"] == "audit.rotated"
    assert first["params"]["from"].startswith("audit-20260302T120000")
    assert problems(tmp_path / "audit.log") == []
    rotated(tmp_path, 7)
    assert problems(tmp_path / "audit.log") == []


@pytest.mark.parametrize("which", [0, 1, -2])
def test_a_file_that_is_taken_out_shows(tmp_path: Path, which: int) -> None:
    paths = rotated(tmp_path, 40)

    chain = [one for one in paths if one.name != "audit.log"]
    chain[which].unlink()

    assert any("is gone" in text for text in problems(tmp_path / "audit.log"))


@pytest.mark.parametrize("line", [0, 1, -1])
def test_a_line_that_is_changed_in_an_older_file_shows(tmp_path: Path, line: int) -> None:
    older = rotated(tmp_path, 40)[1]
    lines = older.read_text().splitlines()

    lines[line] = lines[line].replace("alice", "carol").replace("uid ", "uid  ")
    older.write_text("\n".join(lines) + "\n")

    assert problems(tmp_path / "audit.log")


def test_a_file_that_somebody_else_moves_away_is_followed_too(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    log.append(entry(number=1))
    path.rename(tmp_path / "audit.log.1")
    log.append(entry(number=2))
    log.close()
    path.rename(tmp_path / "audit.log.2")
    filled(path, 2)

    assert problems(path) == []
    packed = gzip.compress((tmp_path / "audit.log.1").read_bytes())
    (tmp_path / "audit.log.1.gz").write_bytes(packed)
    (tmp_path / "audit.log.1").unlink()
    assert problems(path) == []


def test_a_file_that_is_packed_before_the_next_one_begins_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path), max_bytes=1000)
    while not path.exists() or len(auditlog.files_in(str(tmp_path))) < 3:
        log.append(entry(number=1))
    while path.exists():
        log.append(entry(number=2))
    log.close()
    newest = max(tmp_path.iterdir(), key=lambda one: one.stat().st_mtime_ns)
    newest.with_name(f"{newest.name}.gz").write_bytes(gzip.compress(newest.read_bytes()))
    newest.unlink()

    filled(path, 2)  # by another master

    assert problems(path) == []


def test_a_packed_file_that_is_damaged_shows_and_holds_up_no_entry(tmp_path: Path) -> None:
    packed = tmp_path / "audit-20260302T120000.log.gz"
    packed.write_bytes(gzip.compress(b"{}\n" * 100)[:-9])

    path = filled(tmp_path / "audit.log", 2)

    assert problems(path) == [f"{packed.name}: damaged since it was packed"]


def test_a_packed_file_that_is_damaged_is_told_until_it_was_seen_to(tmp_path: Path) -> None:
    path = filled(tmp_path / "audit.log", 2)
    packed = tmp_path / "audit-20260302T120000.log.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-9])
    path.unlink()
    log = AuditLog(str(path))
    log.append(entry(number=1))

    marks = [one.mark for one in auditlog.unseen(str(tmp_path))]
    log.append(replace(entry(marks=marks), method="audit.seen"))
    log.close()
    assert problems(path) == []

    packed.write_bytes(packed.read_bytes()[:-1])
    assert problems(path) == [f"{packed.name}: damaged since it was packed"], "once more"


def test_a_beginning_that_a_crash_has_torn_still_vouches_for_the_file_before(
    tmp_path: Path,
) -> None:
    path = filled(tmp_path / "audit.log", 3)
    path.rename(tmp_path / "audit-20260302T120000.log")
    path.write_bytes(b'{"at":"2026-03-0')

    filled(path, 2)

    assert problems(path) == []
    (tmp_path / "audit-20260302T120000.log").unlink()
    assert problems(path) == [
        "audit.log: the file that it follows is gone, or its end was changed"
    ]


def test_where_nothing_was_asked_for_nothing_is_wrong(tmp_path: Path) -> None:
    assert list(auditlog.verify_all(str(tmp_path / "nowhere"))) == []
    assert list(auditlog.verify_all(str(tmp_path))) == []


def test_a_torn_line_longer_than_is_looked_at_first_is_covered(tmp_path: Path) -> None:
    path = filled(tmp_path / "audit.log", 2)
    with path.open("a") as file:
        file.write("x" * 200_000)

    filled(path, 1)

    assert problems(path) == []


def test_secrets_are_masked_and_long_values_cut() -> None:
    shown = audit.masked(
        {
            "env": {"PASSWORD": "hunter2"},
            "token": "hunter2",
            "text": "x" * 1000,
            "targets": ["t"] * 1000,
            "deep": [[[[[[[[[["hunter2"]]]]]]]]]],
        }
    )

    text = json.dumps(shown)
    assert "hunter2" not in text
    assert len(text) < 2000
    assert shown["env"] == {"PASSWORD": "****"}  # type: ignore[index]


MARK = "hunter2"


@pytest.mark.parametrize(
    "params",
    [
        {"job": "a", "table": {}, "was": f'[jobs.a.env]\nDB = "{MARK}"\n'},
        {"jobs": {"a": {"env": {"DB": MARK}, "ping": f"https://hc.example/{MARK}"}}},
        {"jobs": {"a": {"ready": {"url": f"http://{MARK}@h/"}, "env": [f"A={MARK}"]}}},
        {"jobs": {"a": {"command": f"psql postgres://me:{MARK}@db/x"}}},
        {"jobs": {"a": {"headers": {"Authorization": MARK}, "dsn": MARK, "api_token": MARK}}},
        {"runs": [{"env": {"A": MARK}}], "env": {"B": MARK}},
        {"changes": [f"env.A={MARK}", f"env={{A='{MARK}'}}", f"env+={MARK}"]},
        {"changes": [f"ready.url=http://{MARK}@h/", f"ping=https://hc.example/{MARK}"]},
        {"changes": [{"key": "env", "value": {"A": MARK}}, {"key": "env.A", "value": MARK}]},
    ],
    ids=str,
)
def test_no_secret_of_a_job_is_kept_however_it_is_said(params: dict[str, object]) -> None:
    assert MARK not in json.dumps(audit.masked(params))


def test_a_value_that_is_known_to_be_a_secrets_is_kept_nowhere(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.add([MARK])
    path = tmp_path / "audit.log"
    log = AuditLog(str(path), hide=redactor.mask)

    log.append(
        entry(
            event="orders.new",
            data={MARK: [MARK, {"deep": f"<{MARK}>"}]},
            args=["-p", MARK],
            env={MARK: "x"},
            key="x" * 297 + MARK,  # of which the cut would leave some
        )
    )
    log.close()

    assert MARK[:3] not in path.read_text()
    assert json.loads(path.read_text())["params"]["args"] == ["-p", "****"]


def test_what_is_no_secret_is_kept_in_its_words() -> None:
    params = {
        "jobs": {"token-watch": {"argv": ["curl", "http://h/x?a=b"], "tags": ["x"]}},
        "changes": ["tags+=blue", "command=x --env=1", "env.A="],
    }
    shown = json.loads(json.dumps(audit.masked(params)))
    assert shown == {**params, "changes": ["tags+=blue", "command=x --env=1", "env.A=****"]}


@pytest.mark.parametrize(
    ("end", "told"), [(b"garbage\n", "it is no entry"), (b'{"at":"2026', "it has no end")]
)
def test_a_last_line_that_is_no_entry_is_told_until_the_next_one_vouches_for_it(
    end: bytes, told: str, tmp_path: Path
) -> None:
    path = filled(tmp_path / "audit.log", 3)
    with path.open("ab") as file:
        file.write(end)

    [problem] = problems(path)
    assert problem.startswith(f"audit.log: line 4: {told}")
    filled(path, 1)
    assert problems(path) == []


def test_a_line_that_somebody_cuts_off_meanwhile_is_told_and_takes_no_other_with_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path))
    for number in range(3):
        log.append(entry(number=number))
    os.truncate(path, path.stat().st_size - 20)

    log.append(entry(number=3))
    log.append(entry(number=4))
    log.close()

    assert problems(path) == ["audit.log: line 4: it does not follow the line before it"]
    assert numbers_at_end(path) == [3, 4]


def numbers_at_end(path: Path) -> list[object]:
    return [json.loads(line)["params"]["number"] for line in path.read_text().splitlines()[-2:]]


def test_what_was_seen_to_is_told_no_more_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = filled(tmp_path / "audit.log", 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[2]]))
    [wrong] = auditlog.unseen(str(tmp_path))
    assert wrong.text == "audit.log: line 2: it does not follow the line before it"

    log = AuditLog(str(path))
    log.append(replace(entry(marks=["0" * 12]), method="audit.seen"))
    log.append(replace(entry(marks=[wrong.mark]), method="audit.seen", outcome="denied"))
    assert len(problems(path)) == 1
    log.append(replace(entry(marks=[wrong.mark]), method="audit.seen"))
    assert problems(path) == []

    path.rename(tmp_path / "audit-1.log")
    log.append(entry(number=9))
    assert problems(path) == []
    (tmp_path / "audit-1.log").unlink()
    assert problems(path) != [], "what is lost together with the word of it is told again"
    log.close()
