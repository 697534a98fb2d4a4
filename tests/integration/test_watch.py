"""Files that jobs watch, and the spool folder, in a real master that is killed meanwhile."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.master import Json, MasterUnderTest, master

JOB = """
[jobs.{name}]
command = 'printf "%s %s" "$CLAW_EVENT" "$CLAW_WATCH_PATH"'
watch = {{ paths = [{paths}] {more} }}
max_instances = 4
"""
SERVICE = """
[jobs.web]
command = "exec sleep 1000"
type = "continuous"
watch = {{ paths = ["{top}/web/**/*.py"], settle = "300ms" }}
"""
SPOOL = """
[jobs.spooled]
command = 'cat "$CLAW_EVENT_FILE"'
events = ["orders.*", "note"]
max_instances = 4
[jobs.alike]
command = 'cat "$CLAW_EVENT_FILE"'
events = ["alike"]
[jobs.last]
command = "true"
events = ["last"]
[jobs.slow]
command = 'cat "$CLAW_EVENT_FILE"'
events = ["slow", "tail"]
"""


def configuration(top: Path) -> str:
    """Return a job for each test, and what it watches."""
    jobs = {
        "kept": (f'"{top}/kept/*.csv"', ""),
        "old": (f'"{top}/old/*.csv"', ', existing = "run"'),
        "later": (f'"{top}/later/x/y/**/*.csv"', ""),
        "link": (f'"{top}/link/now/*"', ""),
        "paused": (f'"{top}/paused/*"', ""),
        "changed": (f'"{top}/changed/*"', ""),
        "many": (f'"{top}/many/*"', ""),
        "utf": (f'"{top}/utf/**/*"', ""),
    }
    made = [
        JOB.format(name=name, paths=paths, more=more) for name, (paths, more) in jobs.items()
    ]
    return "[daemon]\nmax_queue = 50\n" + "".join(made) + SERVICE.format(top=top) + SPOOL


@pytest.fixture(name="top", scope="module")
def _top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("watched")
    for name in ("kept", "old", "later", "link", "paused", "changed", "many", "web", "utf"):
        (top / name).mkdir()
    (top / "kept" / "old.csv").write_text("before")
    (top / "old" / "old.csv").write_text("before")
    (top / "link" / "v1").mkdir()
    (top / "link" / "v2").mkdir()
    (top / "link" / "now").symlink_to("v1")
    return top


@pytest.fixture(name="claw", scope="module")
def _claw(top: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("home"), configuration(top)) as found:
        yield found


def said(claw: MasterUnderTest, job: str, count: int) -> list[str]:
    """Return what so many runs of a job have printed, all of them ended; there are no more."""

    def ended() -> list[Json] | None:
        runs = claw.runs(job)
        return runs if len([run for run in runs if run["ended_at"]]) >= count else None

    runs = claw.wait_until(ended, f"{count} runs that have ended")
    assert runs is not None
    assert len(runs) == count
    return sorted(claw.output(f"{job}/{run['id']}.out").decode() for run in runs)


def paths_of(found: list[str]) -> list[str]:
    return sorted(one.partition(" ")[2] for one in found)


def drop(path: Path, text: str = "x") -> None:
    """Have a file appear at once, whole."""
    aside = path.parent / f".{path.name}.tmp"
    aside.write_text(text)
    aside.rename(path)


def test_what_is_written_moved_in_or_missed_is_one_run_each(
    top: Path, claw: MasterUnderTest
) -> None:
    place = top / "kept"
    (place / "a.csv").write_text("a")
    drop(place / "b.csv")
    (place / "c.txt").write_text("not meant")
    found = said(claw, "kept", 2)
    assert found == [f"close_write {place}/a.csv", f"moved_to {place}/b.csv"]

    claw.kill()
    (place / "d.csv").write_text("d")
    claw.start()

    assert paths_of(said(claw, "kept", 3))[2] == f"{place}/d.csv"


def test_what_was_there_counts_when_that_is_wanted(top: Path, claw: MasterUnderTest) -> None:
    assert said(claw, "old", 1) == [f"close_write {top}/old/old.csv"]


def test_folders_may_come_later_go_and_come_back_under_another_name(
    top: Path, claw: MasterUnderTest
) -> None:
    place = top / "later"
    inner = place / "x" / "y"
    (inner / "deep").mkdir(parents=True)
    drop(inner / "deep" / "1.csv")
    said(claw, "later", 1)

    (place / "x").rename(place / "away")
    drop(place / "away" / "y" / "deep" / "unseen.csv")
    (inner / "deep").mkdir(parents=True)
    drop(inner / "deep" / "2.csv")
    said(claw, "later", 2)

    (place / "away" / "y" / "deep").rename(inner / "moved-in")

    assert paths_of(said(claw, "later", 4)) == [
        f"{inner}/deep/1.csv",
        f"{inner}/deep/2.csv",
        f"{inner}/moved-in/1.csv",
        f"{inner}/moved-in/unseen.csv",
    ]


def test_a_link_to_another_folder_is_followed_to_the_new_one(
    top: Path, claw: MasterUnderTest
) -> None:
    place = top / "link"
    drop(place / "v1" / "a")
    said(claw, "link", 1)

    (place / "next").symlink_to("v2")
    (place / "next").rename(place / "now")
    drop(place / "v2" / "b")

    assert paths_of(said(claw, "link", 2)) == [f"{place}/now/a", f"{place}/now/b"]


def test_what_comes_while_a_job_is_paused_is_found_when_it_is_resumed(
    top: Path, claw: MasterUnderTest
) -> None:
    claw.ctl("pause", "paused")
    drop(top / "paused" / "a")
    assert "found when it is started again" in claw.ctl("why", "paused")
    claw.ctl("resume", "paused")
    assert said(claw, "paused", 1) == [f"close_write {top}/paused/a"]
    assert f"it watches {top}/paused/*" in claw.ctl("why", "paused")


def test_a_reload_watches_another_folder_and_nothing_that_was_there(
    top: Path, claw: MasterUnderTest
) -> None:
    other = top / "other"
    other.mkdir()
    (other / "old").write_text("before")
    text = configuration(top)
    claw.configure(text.replace(f'"{top}/changed/*"', f'"{top}/changed/*", "{other}/*"'))
    claw.ctl("reload")
    drop(other / "new")

    assert paths_of(said(claw, "changed", 1)) == [f"{other}/new"]


def test_more_files_than_the_queue_has_room_for_are_all_handled(
    top: Path, claw: MasterUnderTest
) -> None:
    for no in range(120):
        drop(top / "many" / f"{no:04}")

    assert paths_of(said(claw, "many", 120)) == [f"{top}/many/{no:04}" for no in range(120)]


def test_a_service_is_restarted_once_when_its_files_change(
    top: Path, claw: MasterUnderTest
) -> None:
    before = claw.wait_until(lambda: claw.job("web")["pid"], "a child")
    (top / "web" / "pkg").mkdir()
    for name in ("a.py", "b.py", "c.py"):
        (top / "web" / "pkg" / name).write_text("x = 1")

    claw.wait_until(lambda: claw.job("web")["pid"] not in {before, None}, "a restart")
    wanted = {"job": "web", "type": "job.files_changed"}
    told = claw.call("event.list", filter=wanted)["events"]

    assert len(told) == 1
    assert "and 2 more" in told[0]["why"]


def told(claw: MasterUnderTest, count: int) -> list[tuple[str, object]]:
    """Return name and data of so many events from the spool folder."""
    events = [json.loads(text) for text in said(claw, "spooled", count)]
    assert {one["source"] for one in events} == {"spool"}
    return sorted(((one["name"], one["data"]) for one in events), key=str)


def test_files_in_the_spool_folder_are_events_once_whether_or_not_a_master_lives(
    claw: MasterUnderTest,
) -> None:
    spool = Path(claw.home.event_spool)
    (spool / "orders.new.json").write_text('{"id": 7}')
    drop(spool / "note", "plain text")
    (spool / ".hidden").write_text("left alone")
    (spool / "later.tmp").write_text("left alone")
    (spool / "not a name").write_text("{}")
    assert told(claw, 2) == [("note", "plain text"), ("orders.new", {"id": 7})]
    note = spool / "rejected" / "not a name.why"
    claw.wait_until(note.exists, "a note on what was rejected")
    assert "no event can be called so" in note.read_text()
    assert spool.stat().st_mode & 0o777 == 0o700

    claw.kill()
    for no in range(60):
        drop(spool / f"orders.{no}.json", str(no))
    (spool / ".claimed.00000000000001.note").write_text('"begun by the one before"')
    claw.start()
    claw.restart()

    found = told(claw, 63)
    assert ("note", "begun by the one before") in found
    assert {data for _, data in found if isinstance(data, int)} == set(range(60))
    claw.wait_until(
        lambda: sorted(os.listdir(spool)) == [".hidden", "later.tmp", "rejected"],  # noqa: PTH208
        "a spool folder that is empty but for what is left alone",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: two users take part")
def test_another_users_file_is_no_event(claw: MasterUnderTest) -> None:
    spool, before = Path(claw.home.event_spool), len(claw.runs("spooled"))
    aside = spool / ".aside"
    aside.write_text("{}")
    os.chown(aside, 65534, 65534)
    aside.rename(spool / "orders.x")
    (spool / "orders.y").symlink_to("/etc/passwd")

    claw.wait_until((spool / "rejected" / "orders.x.why").exists, "a note")
    claw.wait_until((spool / "rejected" / "orders.y.why").exists, "another note")
    assert "another user" in (spool / "rejected" / "orders.x.why").read_text()
    assert len(claw.runs("spooled")) == before


def test_files_alike_in_all_but_what_they_say_are_an_event_each(claw: MasterUnderTest) -> None:
    spool = Path(claw.home.event_spool)
    for no in range(10):  # the inode of the one before is used again at once
        aside = spool / ".aside"
        aside.write_text(str(no))
        os.utime(aside, (1_000_000_000, 1_000_000_000))
        aside.rename(spool / "alike.json")
        claw.wait_until(lambda: not list(spool.glob(".claimed.*")), "a claim that is gone")
        claw.wait_until(lambda: not (spool / "alike.json").exists(), "its end")

    found = [json.loads(text)["data"] for text in said(claw, "alike", 10)]
    assert sorted(found) == list(range(10))


def test_a_name_that_is_no_utf_8_is_passed_over_and_ends_nothing(
    top: Path, claw: MasterUnderTest
) -> None:
    before = claw.call("daemon.status")["pid"]
    place = os.fsencode(top / "utf")
    with open(place + b"/\xff", "wb"):  # noqa: PTH123
        pass
    os.mkdir(place + b"/\xfe")  # noqa: PTH102
    drop(top / "utf" / "a")

    assert paths_of(said(claw, "utf", 1)) == [f"{top}/utf/a"]
    assert claw.call("daemon.status")["pid"] == before


def test_a_file_that_is_written_slowly_is_one_event_and_whole(claw: MasterUnderTest) -> None:
    spool = Path(claw.home.event_spool)
    (spool / ("x" * 255)).touch()  # nothing can be done with it
    with (spool / "slow.json").open("w") as file:
        file.write('{"a":')
        file.flush()
        (spool / ".tail").write_text("NaN")
        (spool / "tail").hardlink_to(spool / ".tail")  # is found by a look, as the other would
        said(claw, "slow", 1)
        file.write("1}")

    found = [json.loads(text) for text in said(claw, "slow", 2)]
    assert {one["name"]: one["data"] for one in found} == {"slow": {"a": 1}, "tail": "NaN"}
    (spool / ".tail").unlink()
    (spool / ("x" * 255)).unlink()


def test_what_cannot_be_put_aside_holds_up_nothing(claw: MasterUnderTest) -> None:
    spool = Path(claw.home.event_spool)
    rejected = spool / "rejected"
    for name in ("folder", "bad name.why"):
        (rejected / name).mkdir(parents=True)
        (rejected / name / "full").touch()
    (spool / "bad name").touch()
    aside = spool / ".folder"
    aside.mkdir()
    (aside / "full").touch()
    aside.rename(spool / "folder")

    claw.wait_until(lambda: list(rejected.glob("*.folder.why")), "a note under a free name")
    claw.wait_until(lambda: list(rejected.glob("*.bad name.why")), "another note")
    drop(spool / "last", "1")
    said(claw, "last", 1)
    claw.wait_until(lambda: not list(spool.glob(".claimed.*")), "an empty folder")
