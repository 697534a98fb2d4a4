"""Output read and followed over real sockets, from files that grow, move and shrink."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from claw.kernel import clock
from claw.master.control.limits import Limits
from claw.master.control.streams import Stream
from claw.master.engine import intake, intents
from claw.master.output import logfiles, logstream, watch
from claw.master.output.logstream import Following, LogStream
from claw.model.job import Config, JobType, Log, Stderr
from claw.model.run import Origin
from tests.kit.control import PATIENCE_S, Client, Desk, job, laggards, serving, until

WEB = job("web", JobType.CONTINUOUS, log=Log(stderr=Stderr.SEPARATE), tags=("front",))
API = job("api", JobType.CONTINUOUS)
ETL = job("etl")
RUNS = [f"r{number:026d}" for number in range(10)]


def write(desk: Desk, job: str, name: str, data: bytes | str, *, mode: str = "ab") -> Path:
    """Write to an output file, as a supervisor does."""
    path = Path(desk.home.job_log(job)) / name
    path.parent.mkdir(exist_ok=True)
    with path.open(mode) as file:
        file.write(data.encode() if isinstance(data, str) else data)
    return path


async def text_of(client: Client, count: int) -> str:
    """Return the next output, of so many characters, whatever its chunks."""
    text = ""
    while len(text) < count:
        text += (await client.notification("log"))["text"]
    assert len(text) == count, text[-200:]
    return text


async def submit(desk: Desk, name: str) -> str:
    ask = intake.Ask(job=name, origin=Origin.MANUAL, key=clock.random(8).hex())
    return (await desk.decide(lambda turn: intake.submit(turn, ask))).id


async def cancel(desk: Desk, run: str) -> None:
    await desk.decide(lambda turn: intents.cancel_run(turn, run, by="test"))


async def test_the_last_lines_are_read_of_a_job_or_a_run(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()
        write(desk, "web", "out.log", "".join(f"line {number}\n" for number in range(100)))
        write(desk, "web", "err.log", "oops\nhalf")
        runs = [await submit(desk, "etl") for _ in range(2)]
        for run in runs:
            write(desk, "etl", f"{run}.out", f"this is {run}\n")

        web = await client.call("log.read", target="web", lines=2, stream="stdout")
        both = await client.call("log.read", target="web", lines=1)
        err = await client.call("log.read", target="web", stream="stderr")
        none = await client.call("log.read", target="web", lines=0)
        newest = await client.call("log.read", target="etl")
        first = await client.call("log.read", target=runs[0])

        assert web["text"] == "line 98\nline 99\n"
        assert web["path"].endswith("/web/out.log")
        assert both["text"] == "line 99\nhalf"
        assert err["text"] == "oops\nhalf"
        assert none["text"] == ""
        assert newest["text"] == f"this is {runs[1]}\n"
        assert first["text"] == f"this is {runs[0]}\n"


async def test_what_has_no_output_has_no_text(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()

        answer = await client.call("log.read", target="web")
        merged = await client.refusal("log.read", target="etl", stream="stderr")
        unknown = await client.refusal("log.read", target="../../etc")

        assert (answer["text"], answer["path"]) == ("", None)
        assert "stdout" in merged["message"]
        assert unknown["data"]["name"] == "not_found"


async def test_bytes_that_are_no_text_are_shown_as_such(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        write(desk, "web", "out.log", b"\xff\xfe\x00 ok \xc3\xa4\xc3\n")

        answer = await client.call("log.read", target="web")

        assert answer["text"] == "��\0 ok ä�\n"


async def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        secret = write(desk, "other", "secret", "hunter2\n")
        write(desk, "web", "err.log", "").with_name("out.log").symlink_to(secret)

        answer = await client.call("log.read", target="web")

        assert answer["text"] == ""


async def test_output_of_a_job_that_is_gone_can_still_be_read(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        write(desk, "old", "out.log", "bye\n")

        answer = await client.call("log.read", target="old")

        assert answer["text"] == "bye\n"


async def test_a_reply_is_bounded_however_long_the_lines_are(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        write(desk, "web", "out.log", b"x" * (9 << 20) + b"\n" + b"y" * 100)

        answer = await client.call("log.read", target="web", lines=100, stream="stdout")

        assert len(answer["text"]) == 2 << 20
        assert answer["text"].endswith("\n" + "y" * 100)


@pytest.fixture(params=["inotify", "polling"])
def file_events(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Follow with and without file events."""
    if request.param == "polling":

        def fail() -> None:
            raise OSError("too many inotify instances")

        monkeypatch.setattr("claw.master.output.watch.pyinotify.WatchManager", fail)
        monkeypatch.setattr(watch, "POLL_S", 0.02)
    return str(request.param)


@pytest.mark.usefixtures("file_events")
async def test_a_service_is_followed_as_it_writes(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        write(desk, "web", "out.log", "old 1\nold 2\nold 3\n")

        await client.call("log.follow", targets=["web"], lines=2)
        before = await text_of(client, 12)
        for number in range(50):
            write(desk, "web", "out.log", f"new {number:02}\n")
            assert await text_of(client, 7) == f"new {number:02}\n"
        write(desk, "web", "err.log", "oops\n")
        told = await client.notification("log")

        assert before == "old 2\nold 3\n"
        assert (told["job"], told["run"], told["stream"]) == ("web", None, "stderr")


@pytest.mark.usefixtures("file_events")
async def test_a_line_comes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (logfiles, logstream):
        monkeypatch.setattr(module, "IDLE_S", PATIENCE_S)
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"])

        write(desk, "web", "out.log", "one\ntw")
        first = await client.notification("log")
        write(desk, "web", "out.log", "o\nthree: ä".encode()[:-1])
        second = await client.notification("log")
        write(desk, "web", "out.log", "ä\n".encode()[1:])
        third = await client.notification("log")

        texts = [told["text"] for told in (first, second, third)]
        assert texts == ["one\n", "two\n", "three: ä\n"]


@pytest.mark.usefixtures("file_events")
async def test_a_begun_line_comes_when_it_has_been_idle_but_no_half_character(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"])

        write(desk, "web", "out.log", "three: ä".encode()[:-1])
        first = await client.notification("log")
        write(desk, "web", "out.log", "ä\n".encode()[1:])
        second = await client.notification("log")

        assert [told["text"] for told in (first, second)] == ["three: ", "ä\n"]


@pytest.mark.usefixtures("file_events")
async def test_files_and_folders_that_appear_later_are_followed_from_their_start(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()
        write(desk, "etl", f"{RUNS[0]}.out", "before\n")
        await client.call("log.follow", targets=["all"], lines=0)

        told = []
        for job_name, name in (
            ("web", "out.log"),
            ("etl", f"{RUNS[1]}.out"),
            ("etl", f"{RUNS[2]}.err"),
            ("etl", f"{RUNS[0]}.out"),
        ):
            write(desk, job_name, name, f"in {name}\n")
            told.append(await client.notification("log"))

        shown = [(each["job"], each["run"], each["stream"], each["text"]) for each in told]
        assert shown == [
            ("web", None, "stdout", "in out.log\n"),
            ("etl", RUNS[1], "stdout", f"in {RUNS[1]}.out\n"),
            ("etl", RUNS[2], "stderr", f"in {RUNS[2]}.err\n"),
            ("etl", RUNS[0], "stdout", f"in {RUNS[0]}.out\n"),
        ]


@pytest.mark.usefixtures("file_events")
async def test_a_file_that_is_rotated_is_read_to_its_end_and_then_the_next(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"])
        for number in range(20):
            path = write(desk, "web", "out.log", f"{number:02} first\n")
            assert await text_of(client, 9) == f"{number:02} first\n"
            moved = path.rename(f"{path}.{number}")
            append(moved, "the last of it\n")
            write(desk, "web", "out.log", f"{number:02} second\n")

            wanted = f"the last of it\n{number:02} second\n"
            assert await text_of(client, len(wanted)) == wanted


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.mark.usefixtures("file_events")
async def test_a_file_cut_to_nothing_or_removed_is_read_from_its_beginning(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"])
        path = write(desk, "web", "out.log", "a long line that is cut away\n")
        await client.notification("log")

        os.truncate(path, 0)
        write(desk, "web", "out.log", "short\n")
        cut = await client.notification("log")
        path.unlink()
        path.parent.rmdir()
        write(desk, "web", "out.log", "made again, and longer than before\n")
        again = await client.notification("log")
        shutil.rmtree(desk.home.log)
        await until(lambda: Path(desk.home.log).exists())
        write(desk, "web", "out.log", "and again\n")
        last = await client.notification("log")

        texts = [told["text"] for told in (cut, again, last)]
        assert texts == ["short\n", "made again, and longer than before\n", "and again\n"]


async def test_following_one_run_ends_with_it_and_with_the_last_of_its_output(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, ETL) as desk:
        client, other = await desk.connect(), await desk.connect()
        run = await submit(desk, "etl")
        await client.call("log.follow", targets=[run[-6:]])
        write(desk, "etl", f"{run}.out", "one\n")
        first = await client.notification("log")

        write(desk, "etl", f"{run}.out", "no newline")
        await cancel(desk, run)
        last = await client.notification("log")
        end = await client.notification("end")
        await other.call("log.follow", targets=[run], lines=1)
        afterwards = [await other.notification(name) for name in ("log", "end")]

        assert (first["text"], last["text"]) == ("one\n", "no newline")
        assert end == {"subscription": 1, "reason": "canceled"}
        assert afterwards[0]["text"] == "no newline"


async def test_a_run_that_is_over_before_anybody_told_of_its_file_is_shown_whole(
    tmp_path: Path,
) -> None:
    told: list[tuple[str, str]] = []

    class Listener(Stream):
        async def send(self, method: str, params: Mapping[str, Any]) -> None:
            told.append((method, params["text"]))

        def send_last(self, method: str, params: Mapping[str, Any]) -> None:
            told.append((method, params["reason"]))

    async with serving(tmp_path, ETL) as desk:
        run = await submit(desk, "etl")
        watcher = watch.Watcher()  # not served: it tells of nothing
        following = LogStream(
            desk.services(watcher, Limits()),
            Following(targets=(), jobs=(), runs=(("etl", run),)),
        )
        await following.open()

        write(desk, "etl", f"{run}.out", "all\n")
        await cancel(desk, run)
        await following.serve(Listener.__new__(Listener))
        watcher.close()

    assert told == [("log", "all\n"), ("end", "canceled")]


async def test_following_one_run_leaves_out_the_others(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        runs = [await submit(desk, "etl") for _ in range(3)]
        write(desk, "etl", f"{runs[0]}.out", "first\n")

        await client.call("log.follow", targets=[runs[1]])
        write(desk, "etl", f"{runs[2]}.out", "third\n")
        write(desk, "etl", f"{runs[1]}.out", "second\n")
        told = await client.notification("log")
        await cancel(desk, runs[1])

        assert told["text"] == "second\n"
        assert (await client.notification("end"))["reason"] == "canceled"


async def test_jobs_that_a_reload_adds_are_followed_too(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        write(desk, "api", "out.log", "from a former life\n")
        await client.call("log.follow", targets=["all"], lines=0)

        desk.config.current = Config(jobs=(WEB, API))
        await desk.happen("job.added", job="api")
        write(desk, "api", "out.log", "here I am\n")
        text = ""
        while not text.endswith("here I am\n"):  # what is older may come before it, or with it
            text += (await client.notification("log"))["text"]


async def test_a_cursor_goes_on_where_another_subscription_ended(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client, other = await desk.connect(), await desk.connect()
        write(desk, "web", "out.log", "1\n2\n")
        write(desk, "etl", f"{RUNS[1]}.out", "a\n")
        await client.call("log.follow", targets=["all"])
        cursors = [(await client.notification("log"))["cursor"] for _ in range(2)]

        write(desk, "web", "out.log", "3\n")
        write(desk, "etl", f"{RUNS[2]}.out", "b\n")
        await other.call("log.follow", targets=["all"], **{"from": cursors})
        texts = [(await other.notification("log"))["text"] for _ in range(2)]
        bad = await other.refusal("log.follow", targets=["all"], **{"from": ["x"]})

        assert sorted(texts) == ["3\n", "b\n"]
        assert bad["data"]["name"] == "usage"


async def test_a_flood_reaches_a_slow_reader_whole(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, limits=Limits(lag_s=PATIENCE_S)) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"], lines=0)
        lines = "".join(f"{number:07}\n" for number in range(300_000))

        write(desk, "web", "out.log", lines)
        text, chunks = "", 0
        while len(text) < len(lines):
            text += (await client.notification("log"))["text"]
            chunks += 1
            if chunks % 10 == 0:
                await trio.sleep(0.01)

        assert text == lines


async def test_a_reader_that_takes_nothing_is_told_where_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lagging = laggards(monkeypatch)
    async with serving(tmp_path, WEB, limits=Limits(lag_s=0.1)) as desk:
        client = await desk.connect()
        await client.call("log.follow", targets=["web"], lines=0)
        lines = "".join(f"{number:07}\n" for number in range(300_000))

        write(desk, "web", "out.log", lines)
        await until(lambda: lagging, "the reader to lag")
        text = ""
        while len(text) < len(lines):
            message = await client.line()
            if message["method"] == "log":
                text += message["params"]["text"]
                continue
            assert message["method"] == "lagged"
            resume = message["params"]["resume_from"]
            await client.call("log.follow", targets=["web"], lines=0, **{"from": resume})

        assert text == lines


async def test_a_follower_that_has_gone_leaves_nothing_open(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        other = await desk.connect()
        write(desk, "web", "out.log", "1\n")
        await other.call("daemon.status")
        before = open_outputs(desk)

        client = await desk.connect()
        await client.call("log.follow", targets=["all"])
        await client.notification("log")
        during = open_outputs(desk)
        await client.stream.aclose()
        await until(lambda: not open_outputs(desk))

        assert (before, during) == (0, 1)


def open_outputs(desk: Desk) -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(_target(link).startswith(desk.home.log) for link in links)


def _target(link: Path) -> str:
    try:
        return os.fspath(link.readlink())
    except FileNotFoundError:
        return ""
