"""Leases without a server that could judge them: never two, and numbers that only grow."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from claw.model import lock
from claw.model.lock import Claimant, Hold, Phase, Record, Waiting

LEASE_S = 10.0


class Master:
    """One master with a clock of its own, as `claw.master.locks` makes them."""

    def __init__(self, name: str, clock_at: float, handles: Iterator[int]) -> None:
        self.claimant = Claimant(owner=name, host=name, run="r", lease_s=LEASE_S)
        self.waiting = Waiting()
        self.ahead_s = clock_at
        self.handle = ""
        self.fence = 0
        self.until = 0.0
        self._handles = handles

    def holds(self, now: float) -> bool:
        return bool(self.handle) and now + self.ahead_s < self.until

    def act(self, what: str, record: Record, now: float) -> Record:
        """Do one thing with the record; each is atomic, as the mutex makes it."""
        mine = now + self.ahead_s
        if what == "forget":  # killed between its grant and the commit of it
            self.handle = ""
        elif what == "acquire" and not self.handle:
            return self._acquire(record, mine)
        elif what == "renew" and self.handle:
            return self._renew(record, mine)
        elif what == "release" and self.handle:
            new = lock.release(record, self.handle)
            self.handle = ""
            return new or record
        return record

    def _acquire(self, record: Record, mine: float) -> Record:
        is_over = self.waiting.is_over("l", record, mine)
        handle = str(next(self._handles))
        new = lock.acquire(record, self.claimant, handle, is_over=is_over)
        if new is None:
            return record
        self.handle, self.until, self.fence = handle, mine + LEASE_S, new.fence
        return new

    def _renew(self, record: Record, mine: float) -> Record:
        new = lock.renew(record, self.handle)
        if new is None:
            self.handle = ""
            return record
        self.until = mine + LEASE_S
        return new


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["acquire", "acquire", "renew", "release", "forget"]),
        st.floats(0, 1.5 * LEASE_S),
    ),
    max_size=60,
)


@given(STEPS, st.tuples(*[st.floats(-1e6, 1e6)] * 3))
def test_no_two_ever_hold_a_lock_and_each_grant_has_a_greater_number(
    steps: list[tuple[int, str, float]], clocks: tuple[float, ...]
) -> None:
    handles = iter(range(10_000))
    masters = [Master(name, at, handles) for name, at in zip("abc", clocks, strict=True)]
    record, now, last = Record(), 0.0, 0

    for index, what, wait_s in steps:
        now += wait_s
        master = masters[index]
        before = master.handle
        record = master.act(what, record, now)
        if master.handle and master.handle != before:
            assert master.fence > last
            last = master.fence
        assert sum(one.holds(now) for one in masters) <= 1


def test_a_lease_is_over_when_nothing_has_changed_for_as_long_as_it_lasts() -> None:
    waiting, record = Waiting(), Record(owner="a", handle="h", fence=3, lease_s=LEASE_S)

    seen = [waiting.is_over("l", record, now) for now in (100.0, 110.0, 110.1)]
    renewed = lock.renew(record, "h")
    assert renewed is not None

    assert seen == [False, False, True]
    assert not waiting.is_over("l", renewed, 111.0)
    assert not waiting.is_over("l", renewed, 121.0)
    assert waiting.is_over("l", renewed, 121.1)


def test_a_record_that_is_another_grants_is_neither_renewed_nor_released() -> None:
    record = Record(owner="a", handle="new", fence=3, lease_s=LEASE_S)

    assert lock.renew(record, "old") is None
    assert lock.release(record, "old") is None
    assert lock.renew(Record(fence=3), "") is None
    assert lock.release(record, "new") == Record(fence=3)


def test_what_a_run_waits_for_is_said_in_words() -> None:
    held = Hold(name="l", phase=Phase.HELD, run="r" * 21 + "abcdef")
    seen = Hold(name="l", seen="held by box, run abc")

    assert lock.words("l", held, is_shared=False) == "waits for lock l: held by run abcdef"
    assert lock.words("l", seen, is_shared=True) == "waits for lock l: held by box, run abc"
    assert "being asked for" in lock.words("l", None, is_shared=True)
