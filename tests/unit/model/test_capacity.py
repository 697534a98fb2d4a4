"""Capacities: never exceeded, served in order, and nobody waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from claw.model import capacity
from claw.model.capacity import Room
from claw.model.job import Job, JobType
from claw.model.pool import PoolUse

Wants = tuple[tuple[str, int], ...]
TOTALS = {"pool a": 3, "pool b": 2, capacity.MAX_PARALLEL: 4}
wants = st.lists(
    st.tuples(st.sampled_from(["lock l", "pool a", "pool b"]), st.integers(1, 3)),
    max_size=2,
    unique_by=lambda want: want[0],
).map(lambda found: (*sorted(found), (capacity.MAX_PARALLEL, 1)))


def _job(pool: PoolUse | None = None, type_: JobType = JobType.MANUAL) -> Job:
    return Job(name="j", argv=("x",), pool=pool, type=type_)


def test_a_run_asks_for_its_pool_first_and_services_for_no_place_of_the_daemon() -> None:
    gpu = PoolUse("gpu", 2)
    assert capacity.wanted(_job()) == (("max_parallel", 1),)
    assert capacity.wanted(_job(gpu)) == (("pool gpu", 2), ("max_parallel", 1))
    assert capacity.wanted(_job(gpu, JobType.CONTINUOUS)) == (("pool gpu", 2),)


def test_what_is_held_is_the_sum_over_the_active_runs() -> None:
    found = capacity.held([(_job(PoolUse("gpu", 2)), 3), (_job(), 1)])
    assert found == {"pool gpu": 6, "max_parallel": 4}


def test_a_run_that_does_not_fit_is_not_overtaken_within_its_pool() -> None:
    room = Room({"pool a": 3}, {"pool a": 2})
    lack = room.take([("pool a", 2)])
    assert lack is not None
    assert lack.why == "pool a: 2 of its 3 slots are taken, 2 are needed"
    behind = room.take([("pool a", 1)])
    assert behind is not None
    assert behind.why == "pool a: a run before this one waits for more of its 3 slots"


def test_what_no_pool_could_ever_give_holds_up_nobody() -> None:
    room = Room({"pool a": 1}, {})
    lack = room.take([("pool a", 2)])
    assert lack is not None
    assert lack.why == "pool a: it has 1 slot, and 2 are needed"
    assert room.take([("pool a", 1)]) is None


def test_who_waits_for_one_thing_keeps_what_it_has_got_already() -> None:
    room = Room({"pool a": 1}, {"lock l": 0, "max_parallel": 0})
    wanted = (("lock l", 1), ("pool a", 1), ("max_parallel", 1))
    lack = room.take(wanted)
    assert lack is not None
    assert lack.name == "max_parallel"
    assert room.free("lock l") == 0
    assert room.free("pool a") == 0


def test_a_lock_is_there_once_and_a_pool_that_is_gone_not_at_all() -> None:
    room = Room({}, {"lock x": 1})
    assert (room.free("lock x"), room.free("lock y"), room.free("pool p")) == (0, 1, 0)


@given(st.lists(wants, max_size=12), st.integers(0, 5))
def test_no_capacity_is_ever_exceeded(asked: list[Wants], parallel: int) -> None:
    held = {capacity.MAX_PARALLEL: parallel}
    room = Room(TOTALS, held)
    for one in asked:
        if room.take(one) is None:
            for name, amount in one:
                held[name] = held.get(name, 0) + amount
    for name, amount in held.items():
        assert amount <= max(room.total(name), parallel if "max" in name else 0)


@given(st.lists(wants, min_size=1, max_size=12))
def test_everybody_goes_in_the_end_and_the_first_of_all_never_waits_for_a_later_one(
    asked: list[Wants],
) -> None:
    waiting = [one for one in asked if all(n <= Room(TOTALS, {}).total(c) for c, n in one)]
    rounds = 0
    while waiting:
        room = Room(TOTALS, {})  # all that went have ended
        gone = [one for one in waiting if room.take(one) is None]
        assert waiting[0] in gone
        for one in gone:
            waiting.remove(one)
        rounds += 1
    assert rounds <= len(asked)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=10), st.integers(0, 3))
def test_within_one_pool_nobody_is_overtaken(amounts: list[int], taken: int) -> None:
    room = Room({"pool a": 3}, {"pool a": taken})
    went = [room.take([("pool a", amount)]) is None for amount in amounts]
    assert went == sorted(went, reverse=True)
