"""Files that jobs watch: stored and made runs of in one decision, none lost or repeated."""

import json
from typing import Any

import pytest

from claw.master.engine import fileevents, handouts, intents
from claw.model.job import Daemon, Job, JobType
from claw.model.run import Origin, Run, State
from claw.model.watching import FileWatch, Seen, Version, Word
from tests.kit.desk import Desk, job

IN = FileWatch(paths=("/in/*",))


def watching(watch: FileWatch = IN, **values: Any) -> Job:
    return job("j", watch=watch, **values)


def file(name: str, at: int = 1, *words: Word, inode: int = 7) -> Seen:
    words = words or (Word.CLOSE_WRITE,)
    version = Version(inode, at, 5, at)
    return Seen(path=f"/in/{name}", version=version, words=frozenset(words))


def gone(name: str) -> Seen:
    return Seen(path=f"/in/{name}", version=None)


def see(desk: Desk, *seen: Seen) -> int:
    return desk.do(lambda turn: fileevents.record(turn, "j", seen))


def keys(desk: Desk) -> list[str]:
    return sorted(run.origin_key for run in desk.runs("j"))


def test_a_version_is_one_run_however_often_it_is_seen() -> None:
    desk = Desk(watching())
    for _ in range(3):
        see(desk, file("a"), file("b"))
    see(desk, file("a", 2))

    assert keys(desk) == ["j:/in/a:7:1:5", "j:/in/a:7:2:5", "j:/in/b:7:1:5"]
    assert {run.origin for run in desk.runs("j")} == {Origin.WATCH}


def test_it_is_not_repeated_when_its_run_is_forgotten() -> None:
    desk = Desk(watching())
    see(desk, file("a"))
    [run] = desk.runs("j")
    desk.end(desk.launch(desk.dispatch()[0]))
    desk.do(lambda turn: turn.tx.delete_runs([run.id]))

    see(desk, file("a"))

    assert desk.runs("j") == ()


def test_the_child_is_told_of_its_file() -> None:
    desk = Desk(watching())
    see(desk, file("a"))
    [run] = desk.runs("j")
    found = desk.do(lambda turn: handouts.of(turn, desk.config.jobs[0], run))

    assert found.env == {"CLAW_EVENT": "close_write", "CLAW_WATCH_PATH": "/in/a"}
    [handed] = found.files
    assert isinstance(handed.content, bytes)
    told = json.loads(handed.content)
    assert told["source"] == "watch"
    assert (told["data"]["path"], told["data"]["size"]) == ("/in/a", 5)


def test_a_full_queue_holds_files_back_and_loses_none() -> None:
    desk = Desk(watching(max_instances=9), daemon=Daemon(max_queue=2))
    see(desk, *(file(name) for name in "abcde"))
    assert len(desk.runs("j")) == 2

    done: list[Run] = []
    while claims := desk.dispatch():
        done += [desk.end(desk.launch(claim)) for claim in claims]

    assert [run.state for run in done] == [State.SUCCEEDED] * 5
    assert len(set(keys(desk))) == 5


def test_a_file_that_waits_and_changes_or_goes_is_handled_as_it_is_then() -> None:
    desk = Desk(watching(), daemon=Daemon(max_queue=1))
    see(desk, file("a"), file("b"), file("c"))
    see(desk, file("b", 2), gone("c"))
    for _ in range(3):
        for claim in desk.dispatch():
            desk.end(desk.launch(claim))

    assert keys(desk) == ["j:/in/a:7:1:5", "j:/in/b:7:2:5"]


@pytest.mark.parametrize("act", [intents.stop_job, intents.pause_job])
def test_what_comes_while_a_job_is_closed_is_found_later(act: object) -> None:
    desk = Desk(watching())
    desk.do(lambda turn: act(turn, "j", by="op"))  # type: ignore[operator]

    assert see(desk, file("a")) == 0
    desk.do(lambda turn: intents.start_job(turn, "j", by="op", key="k"))
    assert see(desk, file("a")) == 1
    assert "j:/in/a:7:1:5" in keys(desk)


def test_a_file_that_comes_back_is_handled_again_and_deletions_are_told_when_wanted() -> None:
    desk = Desk(watching(FileWatch(paths=("/in/*",), events=frozenset(Word))))
    see(desk, file("a"))
    see(desk, gone("a"))
    see(desk, gone("a"))
    back = Seen(path="/in/a", version=Version(7, 1, 5, 9), words=frozenset({Word.MOVED_TO}))
    see(desk, back)
    see(desk, gone("a"))

    assert len(keys(desk)) == 4


def test_since_when_a_path_is_watched_is_kept_until_it_is_not() -> None:
    desk = Desk(watching())
    first = desk.do(lambda turn: turn.tx.watches("j"))
    desk.pass_s(10)
    desk.set_config(watching(FileWatch(paths=("/in/*", "/more/*"))))
    second = desk.do(lambda turn: turn.tx.watches("j"))
    see(desk, file("a"))
    desk.set_config(job("j"))

    assert second["/in/*"] == first["/in/*"]
    assert second["/more/*"] > first["/in/*"]
    assert desk.do(lambda turn: turn.tx.watches("j")) == {}
    assert desk.do(lambda turn: turn.tx.watched("j", "/in/a")) is None


def test_a_service_is_restarted_once_for_all_that_changed_since_it_began() -> None:
    web = watching(
        FileWatch(paths=("/in/*",), events=frozenset(Word)),
        type_=JobType.CONTINUOUS,
        autostart=False,
    )
    desk = Desk(web)
    ns = int(desk.now.timestamp() * 1e9)
    begun = desk.begin("j")
    old, new = ns - 10**10, ns + 10**10

    see(desk, file("a", old), file("b", old))
    assert not desk.stops()
    see(desk, file("a", new), file("b", new), file("c", new))
    stops = desk.stops()
    see(desk, file("a", new))

    assert [stop.run for stop in stops] == [desk.run_of(begun).id]
    assert desk.stops() == []
    [told] = [event for event in desk.events(job="j") if event.type == "job.files_changed"]
    assert told.why == "/in/a and 2 more"


def test_a_service_that_does_not_run_is_not_started_by_its_files() -> None:
    desk = Desk(watching(type_=JobType.CONTINUOUS, autostart=False))
    see(desk, file("a"))
    assert desk.runs("j") == ()
