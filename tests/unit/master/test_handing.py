"""What a child is given to read lies where only its user finds it."""

import os
import stat
import threading
from pathlib import Path

import pytest
import trio
import trio.testing

from claw.master.supervision import handing, results
from claw.model.handout import Handout, Slice
from claw.model.home import Home, at_folder
from tests.kit.desk import a_run
from tests.kit.users import NOBODY, why_alone


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_folder(str(tmp_path))


def test_files_are_made_for_one_attempt_and_named_in_its_environment(home: Home) -> None:
    printed = Path(home.log) / "printed"
    printed.parent.mkdir()
    printed.write_bytes(b"one two three\nfour")
    handed = [
        Handout("CLAW_EVENT_FILE", "event.json", b"{}"),
        Handout("CLAW_PARENT_OUTPUT_FILE", "parent.out", Slice("printed", 4, 3)),
        Handout("CLAW_LINES", "lines", Slice("printed", 8, 10, from_line=True)),
    ]
    run = a_run(attempt=2)
    env = handing.place(home, run, None, handed)
    assert [Path(path).read_bytes() for path in env.values()] == [b"{}", b"two", b"four"]
    assert {Path(path).parent.name for path in env.values()} == {f"{run.id}.2"}
    assert handing.place(home, run, None, handed) == env  # it was not launched that time
    results.clear(home, run.id, 2)
    assert not results.has_folder(home, run.id, 2)


def test_output_that_is_gone_is_not_handed_out_as_if_it_were_empty(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    cut = Path(home.log) / "cut"
    cut.parent.mkdir()
    cut.write_bytes(b"")
    handed = [
        Handout("CLAW_EVENT_FILE", "event.json", b"{}"),
        Handout("CLAW_GONE", "gone", Slice("nowhere", 0, 9)),
        Handout("CLAW_CUT", "cut", Slice("cut", 0, 9)),
    ]
    env = handing.place(home, a_run(attempt=1), None, handed)
    assert set(env) == {"CLAW_EVENT_FILE"}
    assert [one.name for one in Path(env["CLAW_EVENT_FILE"]).parent.iterdir()] == ["event.json"]
    assert "CLAW_GONE is not set" in caplog.text
    assert "CLAW_CUT is not set" in caplog.text


def test_nothing_is_made_for_a_child_that_is_given_nothing(home: Home) -> None:
    assert handing.place(home, a_run(), None, []) == {}
    assert not Path(home.jobs).exists()


async def test_what_is_much_is_copied_while_other_things_go_on(home: Home) -> None:
    slow = Path(home.log) / "slow"
    slow.parent.mkdir()
    os.mkfifo(slow)  # to open it takes until somebody else does
    goes_on, seen = threading.Event(), []

    def write() -> None:
        seen.append(goes_on.wait(30))
        slow.open("wb").close()

    writer = threading.Thread(target=write)
    writer.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_hand_much, home)
        await trio.testing.wait_all_tasks_blocked()
        goes_on.set()
    writer.join()

    assert seen == [True]


async def _hand_much(home: Home) -> None:
    with pytest.raises(OSError, match="seek"):  # for it is no file in the end
        await handing.hand(
            home, a_run(attempt=1), None, [Handout("A", "a", Slice("slow", 0, 1 << 20))]
        )


@pytest.mark.skipif(bool(why_alone()), reason=why_alone())
def test_what_a_child_of_another_user_is_given_is_that_users(home: Home) -> None:
    identity = (NOBODY, NOBODY, [NOBODY])
    env = handing.place(home, a_run(attempt=1), identity, [Handout("A", "a", b"x")])
    for path in (Path(env["A"]), Path(env["A"]).parent):
        facts = path.stat()
        assert (facts.st_uid, facts.st_gid) == (NOBODY, NOBODY)
        assert not stat.S_IMODE(facts.st_mode) & 0o077
