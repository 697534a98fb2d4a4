"""Locks: of one master, and of two that share a folder. Never two runs at once."""

from pathlib import Path

from tests.kit.master import Json, MasterUnderTest, StartMaster, master
from tests.kit.sharing import Shared

LONG = "90s"
"""A lease that outlasts a restart of the master, also on a busy machine."""

BRIEF = "5s"
"""A lease that can be waited for, and that a busy machine renews nevertheless."""


def why(claw: MasterUnderTest, run: str) -> str:
    return str(show(claw, run)["reason"])


def show(claw: MasterUnderTest, run: str) -> Json:
    return dict(claw.call("run.show", run=run))


def lock(claw: MasterUnderTest) -> Json:
    [found] = claw.call("lock.list")["locks"]
    return dict(found)


def test_a_lock_of_one_master_is_listed_and_taken_away(
    start_master: StartMaster,
) -> None:
    claw = start_master('[jobs.a]\ncommand = "sleep 1000"\nlock = "l"\n')
    first, second = claw.submit("a"), claw.submit("a")
    claw.wait_state("a", "running")

    table, waiting = claw.ctl("lock", "list"), why(claw, second)
    said = claw.ctl("lock", "release", "l")

    assert "held" in table
    assert first[-6:] in table
    assert "max_instances" in waiting or "lock l" in waiting
    assert first[-6:] in said
    ended = claw.ended(first)
    assert (ended["state"], ended["reason"]) == ("failed", "lock_lost")
    claw.wait_until(lambda: lock(claw)["run"] == second, "second holder")
    assert lock(claw)["fence"] == 2
    claw.ctl("lock", "release", "x", status=4)


def test_of_two_masters_that_share_a_folder_one_runs_at_a_time(tmp_path: Path) -> None:
    shared = Shared(tmp_path, LONG)
    with shared.two() as pair:
        runs = [(claw, claw.submit("short")) for _ in range(3) for claw in pair]
        states = [claw.ended(run)["state"] for claw, run in runs]

    assert states == ["succeeded"] * 6
    assert "both" not in shared.lines()
    assert shared.fences() == sorted(set(shared.fences()))


def test_a_killed_master_loses_no_lock_when_another_comes_within_the_lease(
    tmp_path: Path,
) -> None:
    shared = Shared(tmp_path, LONG)
    with shared.two() as (one, other):
        first = one.submit("long")
        shared.begun(one, first)
        second = other.submit("long")
        other.wait_until(lambda: "held by" in why(other, second), "word of the holder")

        one.kill()
        assert lock(other)["state"] == "elsewhere"
        one.start()
        waited = show(other, second)["state"]
        held = lock(one)
        shared.go.touch()
        ends = one.ended(first)["state"], other.ended(second)["state"]

    assert waited == "queued"
    assert (held["state"], held["run"], held["fence"]) == ("held", first, 1)
    assert ends == ("succeeded", "succeeded")
    assert [line.split(" ") for line in shared.lines()] == [[first, "1"], [second, "2"]]


def test_a_lock_is_free_a_lease_after_its_host_died_and_the_old_run_is_ended(
    tmp_path: Path,
) -> None:
    shared = Shared(tmp_path, BRIEF)
    with shared.two() as (one, other):
        first = one.submit("stays")
        shared.begun(one, first)
        one.kill()  # nobody renews any more; what it ran goes on
        second = other.submit("stays")
        shared.begun(other, second)

        one.start()
        ended = one.ended(first)
        still = show(other, second)["state"]

    assert (ended["state"], ended["reason"]) == ("failed", "lock_lost")
    assert still == "running"
    old, new = (int(line.split(" ")[1]) for line in shared.lines() if line != "both")
    assert new > old


def test_a_lock_that_is_taken_away_elsewhere_ends_its_run(tmp_path: Path) -> None:
    shared = Shared(tmp_path, BRIEF)
    with shared.two() as (one, other):
        first = one.submit("stays")
        shared.begun(one, first)

        said = other.ctl("lock", "release", "only")
        ended = one.ended(first)

    assert first[-6:] in said
    assert (ended["state"], ended["reason"]) == ("failed", "lock_lost")


def test_a_folder_that_is_not_there_holds_the_run_and_says_so(tmp_path: Path) -> None:
    shared = Shared(tmp_path, LONG)
    (tmp_path / "locks").rmdir()
    with master(tmp_path / "a", shared.config) as claw:
        run = claw.submit("short")
        claw.wait_until(lambda: "No such file" in why(claw, run), "the reason")
        assert lock(claw)["state"] == "unknown"

        (tmp_path / "locks").mkdir()
        assert claw.ended(run)["state"] == "succeeded"


def test_a_folder_that_goes_while_a_lock_is_held_is_told_once_and_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    shared = Shared(tmp_path, "12s")
    with master(tmp_path / "a", shared.config) as claw:
        shared.begun(claw, claw.submit("stays"))
        (tmp_path / "locks").rename(tmp_path / "away")
        claw.wait_until(lambda: "cannot be renewed" in claw.stderr, "word of it")
        (tmp_path / "away").rename(tmp_path / "locks")
        claw.wait_until(lambda: "can be renewed again" in claw.stderr, "the end of it")
        assert lock(claw)["state"] == "held"

        (tmp_path / "locks").rename(tmp_path / "away")
        claw.wait_until(lambda: "lock only is lost" in claw.stderr, "the loss")
        assert claw.stderr.count("cannot be renewed: ") == 2
