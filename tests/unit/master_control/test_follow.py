"""Following files: which are shown from their ends, which from their beginnings."""

import os
from pathlib import Path

from claw.master.output import follow
from claw.master.output.follow import Follower, Output, Source, newest_run, parse_name
from claw.master.output.logfiles import Place

RUNS = [f"r{number:026d}" for number in range(20)]


def write(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a") as file:
        file.write(text)


def read(follower: Follower) -> dict[str, str]:
    """Return what there is to read, by file."""
    found: dict[str, str] = {}
    while True:
        for chunk in follower.read(0.0, limit_bytes=1):
            name = chunk.end.name
            found[name] = found.get(name, "") + chunk.text
        if not follower.has_more:
            return found


def follower_of(*sources: Source, lines: int = 10, since: tuple[Place, ...] = ()) -> Follower:
    follower = Follower(lines=lines, limit_bytes=1 << 20, since=since)
    for source in sources:
        follower.add(source)
    return follower


def test_names_of_files_tell_run_and_stream() -> None:
    assert parse_name("out.log") == Output(None, "stdout")
    assert parse_name("err.log") == Output(None, "stderr")
    assert parse_name(f"{RUNS[1]}.err") == Output(RUNS[1], "stderr")
    assert parse_name("out.log.17") == parse_name("out.log.17.gz") == Output(None, "stdout")
    for name in ("out.log.1x", "out.log.idx", "out.log.1.gz.tmp", "x.out", f"{RUNS[1]}.out.gz",
                 "out.log.1.idx", "out.txt"):  # fmt: skip
        assert parse_name(name) is None
    for output in (Output(None, "stderr"), Output(RUNS[2], "stdout")):
        assert parse_name(output.name) == output


def test_a_jobs_newest_output_is_shown_by_its_last_lines(tmp_path: Path) -> None:
    folder = tmp_path / "etl"
    for run in RUNS[:3]:
        write(folder, f"{run}.out", f"1 of {run}\n2 of {run}\n")

    found = read(follower_of(Source(job="etl", folder=str(folder)), lines=1))

    assert found == {f"etl/{RUNS[2]}.out": f"2 of {RUNS[2]}\n"}


def test_a_job_that_became_a_service_shows_what_was_written_last(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    write(folder, "out.log", "service\n")
    write(folder, f"{RUNS[0]}.out", "run\n")
    os.utime(folder / "out.log", (1000, 1000))
    os.utime(folder / f"{RUNS[0]}.out", (2000, 2000))

    outputs = follow.list_outputs(str(folder))
    assert newest_run(outputs) == RUNS[0]
    os.utime(folder / "out.log", (3000, 3000))
    assert newest_run(follow.list_outputs(str(folder))) is None


def test_a_run_that_still_writes_beside_the_newest_is_followed_from_now(tmp_path: Path) -> None:
    folder = tmp_path / "etl"
    for run in RUNS[:3]:
        write(folder, f"{run}.out", "old\n")
    follower = follower_of(Source(job="etl", folder=str(folder)), lines=0)

    write(folder, f"{RUNS[0]}.out", "new\n")
    follower.note(frozenset({f"{folder}/{RUNS[0]}.out"}))

    assert read(follower) == {f"etl/{RUNS[0]}.out": "new\n"}


def test_anything_may_have_changed_means_all_is_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "etl"
    for run in RUNS[:3]:
        write(folder, f"{run}.out", "old\n")
    follower = follower_of(Source(job="etl", folder=str(folder)), lines=0)
    read(follower)

    write(folder, f"{RUNS[0]}.out", "more\n")
    write(folder, f"{RUNS[5]}.out", "other\n")
    follower.note(None)

    assert read(follower) == {
        f"etl/{RUNS[0]}.out": "more\n",
        f"etl/{RUNS[5]}.out": "other\n",
    }


def test_files_of_very_old_runs_are_taken_as_over(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(follow, "MAX_KNOWN", 3)
    folder = tmp_path / "etl"
    for run in RUNS[:6]:
        write(folder, f"{run}.out", "old\n")
    follower = follower_of(Source(job="etl", folder=str(folder)), lines=0)
    read(follower)

    for run in RUNS[:6]:
        write(folder, f"{run}.out", "new\n")
    follower.note(None)

    assert sorted(read(follower)) == [f"etl/{run}.out" for run in RUNS[3:6]]


def test_a_place_takes_up_where_another_left_off(tmp_path: Path) -> None:
    folder = tmp_path / "web"
    write(folder, "out.log", "one\ntwo\n")
    inode = (folder / "out.log").stat().st_ino
    source = Source(job="web", folder=str(folder))

    same = Place(name="web/out.log", inode=inode, offset=4)
    other = Place(name="web/out.log", inode=inode + 1, offset=4)

    assert read(follower_of(source, since=(same,))) == {"web/out.log": "two\n"}
    assert read(follower_of(source, since=(other,))) == {"web/out.log": "one\ntwo\n"}


def test_runs_that_came_since_a_place_are_read_whole(tmp_path: Path) -> None:
    folder = tmp_path / "etl"
    for run in RUNS[:4]:
        write(folder, f"{run}.out", f"{run[-2:]}\n")
    inode = (folder / f"{RUNS[1]}.out").stat().st_ino
    place = Place(name=f"etl/{RUNS[1]}.out", inode=inode, offset=3)

    found = read(follower_of(Source(job="etl", folder=str(folder)), since=(place,)))

    assert found == {f"etl/{RUNS[2]}.out": "02\n", f"etl/{RUNS[3]}.out": "03\n"}


def test_several_files_are_read_in_turn(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    sources = [Source(job=name, folder=str(tmp_path / name)) for name in names]
    for name in names:
        write(tmp_path / name, "out.log", f"{name}\n" * 100_000)
    follower = follower_of(*sources, lines=1_000_000)

    chunks = follower.read(0.0, limit_bytes=6 * 65_536)

    assert [chunk.job for chunk in chunks] == ["a", "b", "c"] * 2
    assert follower.has_more
    follower.close()
    assert not follower.has_more
