"""Which files go when the log folder holds too much; how forwarding remembers its place."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from claw.master.output.follow import Output
from claw.master.output.forward import least_of
from claw.master.output.logfiles import Place
from claw.master.output.position import MAX_PLACES, Position
from claw.master.output.total import InUse, Kept, remove, survey, too_many

RUNS = [f"r{number:026d}" for number in range(6)]


def kept(name: str, *, job: str = "web", run: str | None = None, at: float = 0.0) -> Kept:
    return Kept(
        job=job, output=Output(run, "stdout"), path=f"/log/{job}/{name}", size=10, written_at=at
    )


def test_the_oldest_go_first_and_failures_last_and_what_is_written_never() -> None:
    files = {
        "present": kept("out.log", at=1),
        "rotated late": kept("out.log.8", at=9),
        "rotated early": kept("out.log.7.gz", at=4),
        "stopped": kept("out.log", job="off", at=2),
        "good": kept(f"{RUNS[0]}.out", run=RUNS[0], at=5),
        "bad": kept(f"{RUNS[1]}.out", run=RUNS[1], at=3),
        "open": kept(f"{RUNS[2]}.out", run=RUNS[2], at=0),
        "open, rotated": kept(f"{RUNS[2]}.out.1", run=RUNS[2], at=6),
    }
    used = InUse(jobs={"web"}, runs={RUNS[2]}, failed={RUNS[1]})
    names = {one.path: name for name, one in files.items()}

    going = too_many(80, 0, files.values(), used)

    assert [names[one.path] for one in going] == [
        "rotated early", "good", "open, rotated", "rotated late", "stopped", "bad",
    ]  # fmt: skip
    assert len(too_many(80, 61, files.values(), used)) == 2
    assert too_many(80, 80, files.values(), used) == []


@given(
    sizes=st.lists(st.integers(min_value=0, max_value=100), max_size=20),
    limit=st.integers(min_value=0, max_value=500),
)
def test_no_more_goes_than_must(sizes: list[int], limit: int) -> None:
    files = [
        Kept(
            job="a", output=Output(None, "stdout"), path=f"/log/a/out.log.{at}", size=size,
            written_at=at,
        )
        for at, size in enumerate(sizes)
    ]  # fmt: skip

    going = too_many(sum(sizes), limit, files, InUse())

    left = sum(sizes) - sum(one.size for one in going)
    assert left <= limit
    assert not going or left + going[-1].size > limit


def test_a_file_is_counted_and_removed_with_its_index(tmp_path: Path) -> None:
    (tmp_path / "clawd.log").write_bytes(b"12345")
    (tmp_path / "web").mkdir()
    for name in ("out.log", "out.log.idx", "out.log.3.gz", "out.log.3.idx", "other"):
        (tmp_path / "web" / name).write_bytes(b"1234567890")

    total, found = survey(str(tmp_path))
    by_name = {Path(one.path).name: one for one in found}
    remove(by_name["out.log.3.gz"])

    assert total == 55
    assert {name: one.size for name, one in by_name.items()} == {
        "out.log": 20, "out.log.3.gz": 20,
    }  # fmt: skip
    assert by_name["out.log.3.gz"].is_rotated
    assert {one.name for one in (tmp_path / "web").iterdir()} == {
        "out.log", "out.log.idx", "other",
    }  # fmt: skip
    assert survey(str(tmp_path / "nowhere")) == (0, [])


def test_a_position_is_found_again_and_survives_damage(tmp_path: Path) -> None:
    path = str(tmp_path / "forward/stdout-web.json")
    first = Position(path, 100.0)
    place = Place(name="web/out.log", inode=5, offset=7, number=3)
    first.advance([Place(name="web/out.log", inode=5, offset=1, number=3), place], 200.0)
    first.save()

    again = Position(path, 300.0)
    assert (again.since, again.places) == (100.0, (place,))
    Path(path).write_text("{half")
    assert (Position(path, 300.0).since, Position(path, 300.0).places) == (300.0, ())


def test_a_position_is_bounded_and_what_it_forgets_is_done_with(tmp_path: Path) -> None:
    position = Position(str(tmp_path / "p"), 100.0)
    for number in range(MAX_PLACES + 5):
        position.advance([Place(name=f"a/{number}", inode=1, offset=1)], 200.0 + number)

    assert len(position.places) == MAX_PLACES
    assert position.since == 200.0 + MAX_PLACES + 4


def test_what_all_readers_have_passed_is_known() -> None:
    def place(name: str, number: int, offset: int) -> Place:
        return Place(name=name, inode=1, offset=offset, number=number)

    ahead = [place("a", 4, 10), place("b", 1, 5)]
    behind = [place("a", 3, 90)]

    assert least_of([ahead, behind]) == [place("a", 3, 90)]
    assert least_of([ahead]) == ahead
