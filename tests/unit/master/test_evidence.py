"""What the files of an ended attempt say, and at which cost it is looked for."""

import json
import os
from pathlib import Path

import pytest
import trio

from claw.kernel import trees, untrusted
from claw.master.asyncstore import AsyncStore
from claw.master.engine.histories import Spool
from claw.master.forgetting import Forgetting
from claw.master.reaper import Reaper
from claw.master.supervision import evidence, outputs, results
from claw.master.supervision.outputs import Extent
from claw.model.evidence import NOTHING, Evidence, Evidences, Printed
from claw.model.home import Home, at_folder
from claw.model.job import Config
from claw.model.keeping import Budget
from claw.model.outputcheck import Check, Then
from claw.model.redact import Redactor
from claw.wire import supervision
from tests.kit.desk import Desk, job

RUN, OTHER = "r" + "0" * 26, "r" + "1" * 26


def _line(ev: str, **values: object) -> bytes:
    return supervision.encode({"ev": ev, "at": 1.0, "b": 1.0, **values})


def _launch(run: str = RUN, kind: str = "once") -> bytes:
    return _line("launch", run=run, attempt=1, job="a", kind=kind)


def _exited(run: str = RUN, **values: object) -> bytes:
    return _line("exited", run=run, attempt=1, **values)


def _ended(run: str = RUN) -> bytes:
    return _line("ended", run=run, attempt=1, why="exit")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "log/a").mkdir(parents=True)
    (tmp_path / "run/job/own").mkdir(parents=True)
    return at_folder(str(tmp_path))


# -- which attempts end ------------------------------------------------------------------


def test_an_attempt_that_has_printed_nothing_and_left_no_result_is_not_looked_at() -> None:
    (one,), after = evidence.endings_in(_launch() + _exited(out=[0, 0]) + _ended(), None)
    assert one.says_nothing
    assert one.is_over
    assert after is None


def test_what_an_earlier_piece_said_of_an_attempt_is_known_when_its_run_ends() -> None:
    first, after = evidence.endings_in(_launch() + _exited(out=[0, 5], result=True), None)
    (one,), over = evidence.endings_in(_ended(), after)
    assert not first[0].is_over
    assert one.is_over
    assert one.has_result
    assert one.extents == first[0].extents == (("out", Extent(0, 5)),)
    assert over is None


def test_a_services_attempts_are_no_evidence() -> None:
    found, _ = evidence.endings_in(_launch(kind="service") + _exited() + _ended(), None)
    assert found == []


async def test_nothing_is_remembered_of_a_supervisor_that_has_ended_or_is_lost(
    home: Home,
) -> None:
    async def apply(_sid: str, data: bytes, offset: int, _found: Evidences) -> int:
        return offset + len(data)

    one = evidence.Evidencing(home, Config, None, apply, None, Redactor())  # type: ignore[arg-type]
    await one.apply("service", _launch(kind="service") + _exited(), 0)
    await one.apply("lost", _launch(OTHER), 0)
    assert one.count == 2
    await one.apply("service", _ended(), 100)
    assert one.count == 1
    one.forget("lost")
    assert one.count == 0


def test_runs_that_follow_each_other_in_one_journal_are_told_apart() -> None:
    data = _launch() + _exited(out=[0, 7]) + _ended()
    data += _launch(OTHER) + _exited(OTHER, out=[0, 0]) + _ended(OTHER)
    found, after = evidence.endings_in(data, None)
    assert [(one.run, one.says_nothing) for one in found] == [(RUN, False), (OTHER, True)]
    assert after is None


@pytest.mark.parametrize("out", [None, [1], [5, 2], ["a", "b"], [True, None], {}, "x"])
def test_an_extent_that_says_nothing_sensible_is_unknown(out: object) -> None:
    (one,), _ = evidence.endings_in(_launch() + _exited(out=out), None)
    assert not one.says_nothing
    assert not one.is_short


def test_a_line_that_is_not_whole_ends_nothing() -> None:
    data = _launch() + _exited(out=[0, 3])[:-1]
    assert evidence.endings_in(data, None)[0] == []


# -- output ------------------------------------------------------------------------------


def _read(path: Path, extent: Extent, most: int = 100, attempt: int = 1) -> Printed:
    return outputs.read(str(path), "stdout", extent, RUN, attempt, most)


def test_short_output_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "o"
    file.write_bytes(b"one\ntwo\n")
    found = _read(file, Extent(0, 8))
    assert (found.head, found.tail, found.is_whole) == (b"one\ntwo\n", b"one\ntwo\n", True)


def test_of_long_output_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    file = tmp_path / "o"
    data = b"first\n" + b"x" * 10_000 + b"\nlast\n"
    file.write_bytes(data)
    found = _read(file, Extent(0, len(data)))
    assert (found.size, found.head, found.is_whole) == (len(data), data[:100], False)
    assert found.tail == data[-4096:]


def test_what_a_later_attempt_has_added_is_not_an_earlier_ones(tmp_path: Path) -> None:
    file = tmp_path / "o"
    file.write_bytes(b"one\ntwo\nthree\n")
    assert _read(file, Extent(4, 8)).head == b"two\n"


def test_an_unknown_beginning_is_found_in_the_index(tmp_path: Path) -> None:
    file = tmp_path / "o"
    file.write_bytes(b"one\ntwo\n")
    lines = [f"1.0 0 begin 1 {RUN} 1", f"1.0 0 start {RUN} 1", f"2.0 4 start {RUN} 2", "torn"]
    Path(f"{file}.idx").write_text("\n".join(lines))
    assert _read(file, Extent(), attempt=1).head == b"one\ntwo\n"
    assert _read(file, Extent(), attempt=2).head == b"two\n"


def test_of_output_whose_beginning_was_put_aside_the_end_is_known(tmp_path: Path) -> None:
    file = tmp_path / "o"
    file.write_bytes(b"the end\n")
    found = _read(file, Extent(-1000, 8))
    assert (found.size, found.head, found.tail) == (1008, b"", b"the end\n")


def test_a_file_that_is_gone_or_shorter_tells_what_is_there(tmp_path: Path) -> None:
    assert _read(tmp_path / "none", Extent(0, 8)).size == 0
    file = tmp_path / "o"
    file.write_bytes(b"one")
    assert _read(file, Extent(0, 8)).head == b"one"
    assert _read(file, Extent(5, 8)).size == 0


def test_first_line_and_tail_are_text_whatever_the_bytes() -> None:
    raw = b"\xff one\r\ntwo"
    found = Evidence(printed=(Printed(stream="stdout", size=9, head=raw, tail=raw),))
    assert found.first_line == "� one"
    assert found.tail.endswith("two")
    assert NOTHING.first_line == NOTHING.tail == ""


def _print(home: Home, ending: str, data: bytes) -> None:
    Path(home.log, "a", f"{RUN}.{ending}").write_bytes(data)


async def test_both_streams_are_gathered(home: Home) -> None:
    _print(home, "out", b"said\n")
    _print(home, "err", b"cried\n")
    data = _launch() + _exited(out=[0, 5], err=[0, 6]) + _ended()
    one = evidence.Evidencing(home, Config, None, None, Reaper(), Redactor())  # type: ignore[arg-type]
    (spool,) = await one.look_into([Spool("s", data)])
    found = spool.evidences(data)[RUN, 1]
    assert [(one.stream, one.head) for one in found.printed] == [
        ("stdout", b"said\n"),
        ("stderr", b"cried\n"),
    ]
    assert found.size == 11


async def test_what_checks_find_is_known_of_a_journal_that_is_read_whole(home: Home) -> None:
    check = Check(match="^Traceback", then=Then.FAIL)
    config = Config(jobs=(job("a", checks=(check,), output=Budget(store=1 << 17)),))
    text = b"so\nTraceback\n" + b"x" * (1 << 17)
    _print(home, "out", text)
    reaper = Reaper()
    one = evidence.Evidencing(home, lambda: config, None, None, reaper, Redactor())  # type: ignore[arg-type]
    data = _launch() + _exited(out=[0, 1 << 17]) + _ended()
    (spool,) = await one.look_into([Spool("s", data)])
    found = spool.evidences(data)[RUN, 1]
    assert found.found == (check,)
    (printed,) = found.printed
    assert printed.is_whole
    with trio.fail_after(30):
        while reaper._own:  # noqa: ASYNC110  its process is reaped
            await trio.sleep(0.01)


# -- results -----------------------------------------------------------------------------


def _own(home: Home) -> Path:
    return Path(results.path_of(home, RUN, 1, is_own=True))


def test_a_result_is_kept_compact(home: Home) -> None:
    _own(home).write_text('{ "rows": [1, 2.5, null],\n "who": "Zoë" }\n')
    assert results.take(home, RUN, 1) == ('{"rows":[1,2.5,null],"who":"Zoë"}', None)


def test_no_result_is_no_complaint(home: Home) -> None:
    assert results.take(home, RUN, 1) == (None, None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "no JSON"),
        (b"\xff", "not UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b"[" * 200 + b"]" * 200, "deeper than 100"),
        (b"[" * 100_000, "deeper than 100"),
        (b"9" * 5000, "no JSON"),
        (b'"' + b"x" * results.MOST_BYTES + b'"', "larger than"),
    ],
)
def test_what_is_no_json_is_refused_in_words(home: Home, data: bytes, why: str) -> None:
    _own(home).write_bytes(data)
    value, complaint = results.take(home, RUN, 1)
    assert value is None
    assert complaint is not None
    assert why in complaint


def test_a_result_of_the_largest_size_is_taken(home: Home) -> None:
    _own(home).write_bytes(b'"' + b"x" * (results.MOST_BYTES - 2) + b'"')
    value, complaint = results.take(home, RUN, 1)
    assert complaint is None
    assert len(json.loads(value or "")) == results.MOST_BYTES - 2


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _hard_link(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("{}")
    path.hardlink_to(other)


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_link, "symbolic link"),
        (_hard_link, "2 names"),
        (_fifo, "no regular file"),
        (_folder, "no regular file"),
    ],
)
def test_only_a_plain_file_with_one_name_is_a_result(
    home: Home, make: "object", why: str
) -> None:
    make(_own(home))  # type: ignore[operator]
    value, complaint = results.take(home, RUN, 1)
    assert (value, why in (complaint or "")) == (None, True)


def test_a_file_of_another_user_is_no_result(home: Home) -> None:
    _own(home).write_text("1")
    with pytest.raises(untrusted.UnfitError, match="another user"):
        untrusted.read_own(str(_own(home)), 10, os.geteuid() + 1)


def test_a_users_own_folder_is_cleared_with_all_that_is_in_it(home: Home) -> None:
    file = Path(results.path_of(home, RUN, 1, is_own=False))
    file.parent.mkdir()
    file.write_text("[1]")
    (file.parent / "link").symlink_to("/etc")
    (file.parent / "more").mkdir()
    assert results.take(home, RUN, 1) == ("[1]", None)
    results.clear(home, RUN, 1)
    assert not file.parent.exists()


def _deep(folder: Path, depth: int) -> None:
    """Make folders in each other, deeper than any path can be long."""
    folder.mkdir()
    fd = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("in", dir_fd=fd)
        inner = os.open("in", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)


def test_what_a_child_has_left_goes_however_deep_it_is(home: Home) -> None:
    theirs = Path(results.path_of(home, RUN, 1, is_own=False)).parent
    _deep(theirs, 3000)
    results.clear(home, RUN, 1)
    while theirs.exists():
        assert not results.discard(str(theirs)) or not theirs.exists()
    assert results.places(home) == []


def test_of_much_only_some_is_removed_at_a_time(home: Home) -> None:
    folder = _own(home)
    folder.mkdir()
    for no in range(20):
        (folder / str(no)).mkdir()
        (folder / str(no) / "file").touch()
    turns = 1
    while not trees.remove(str(folder), 10):
        turns += 1
    assert turns >= 4
    assert not folder.exists()


def test_a_folder_in_place_of_a_result_goes_with_its_run(home: Home) -> None:
    _own(home).mkdir()
    (_own(home) / "file").touch()
    results.clear(home, RUN, 1)
    assert not _own(home).exists()


def test_where_a_link_leads_nothing_is_removed(home: Home, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (kept / "more").mkdir(parents=True)
    (kept / "more" / "file").touch()
    folder = _own(home)
    folder.mkdir()
    (folder / "to").symlink_to(kept)
    (home_link := Path(f"{home.own_results}/{OTHER}.1.json")).symlink_to(kept)
    assert results.discard(str(folder))
    assert results.discard(str(home_link))
    assert results.places(home) == []
    assert (kept / "more" / "file").exists()


def test_what_cannot_be_removed_is_said_and_stays(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    assert results.discard(f"{home.own_results}/{'x' * 300}")
    assert "cannot be removed" in caplog.text


async def test_what_runs_have_left_is_swept_and_what_they_use_is_not(tmp_path: Path) -> None:
    desk = Desk(job("a"))
    run = desk.run_of(desk.begin("a"))
    home = at_folder(str(tmp_path))
    (tmp_path / "run/job/own").mkdir(parents=True)
    used = Path(results.path_of(home, run.id, 1, is_own=True))
    old, strange = used.with_name(f"{OTHER}.1.json"), used.with_name("new.tmp")
    for path in (used, strange):
        path.write_text("1")
    _deep(old, 2000)
    one = Forgetting(home, AsyncStore(desk.database), None, lambda: desk.config)  # type: ignore[arg-type]
    await one.sweep()
    assert sorted(used.parent.iterdir()) == sorted([used, strange])
    await one.sweep(is_start=True)
    assert list(used.parent.iterdir()) == [used]
