"""Keys of the idempotency ledger: what they are, and who gets one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import idem
from claw.model.idem import Claimant, Entry
from claw.model.run import Origin
from tests.kit.desk import T0, a_run

DAY = timedelta(days=1)


def test_a_key_is_that_of_job_and_slot_whatever_the_run_is_called() -> None:
    first = a_run(job="report", origin=Origin.SCHEDULE, slot_at=T0, id="r" + "1" * 26)
    again = a_run(job="report", origin=Origin.AT, slot_at=T0, id="r" + "2" * 26, attempt=4)
    zone = a_run(job="report", slot_at=T0.astimezone(tz=None))

    assert idem.key_of(first) == idem.key_of(again) == idem.key_of(zone)
    assert idem.is_own(idem.key_of(first))


@pytest.mark.parametrize(
    "other",
    [
        {"job": "other", "slot_at": T0},
        {"job": "report", "slot_at": T0 + DAY},
        {"job": "report", "origin_key": "7"},
        {"job": "report", "origin": Origin.AT},
    ],
)
def test_other_work_has_another_key(other: dict[str, object]) -> None:
    one = a_run(job="report", slot_at=T0)
    assert idem.key_of(a_run(**other)) != idem.key_of(one)


@pytest.mark.parametrize("key", ["invoice-7", "0" * 31, "0" * 33, "A" * 32])
def test_keys_of_people_are_told_from_those_of_runs(key: str) -> None:
    assert not idem.is_own(key)


WHO = st.sampled_from(
    [Claimant(run=None, by="eve"), Claimant(run="r1", by="a"), Claimant(run="r2", by="a")]
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "succeed", "fail", "wait"]), WHO, st.integers(1, 5)),
    max_size=30,
)


@given(STEPS)
def test_at_any_time_at_most_one_has_a_key_and_nobody_what_is_done(
    steps: list[tuple[str, Claimant, int]],
) -> None:
    """The ledger against a model: who holds the key, until when, and whether it is done."""
    now, entry = T0, None
    holder: Claimant | None = None
    is_done, until = False, T0
    for what, who, days in steps:
        if holder is not None and now >= until:
            holder, is_done = None, False
        if what == "wait":
            now += days * DAY
        elif what == "claim":
            is_own = holder is not None and holder.run == who.run and who.run is not None
            may = holder is None or (is_own and not is_done)
            entry, is_claimed = idem.claim(entry, "k", who, now, days * DAY)
            assert is_claimed is may
            if holder is None:
                holder, until = who, now + days * DAY
        elif entry is not None and entry.run == who.run and who.run and not entry.done_at:
            entry = _settled(entry, ok=what == "succeed", now=now)
            if holder is not None and holder.run == who.run:
                holder, is_done = (holder, True) if entry else (None, False)


def _settled(entry: Entry, *, ok: bool, now: object) -> Entry | None:
    made = {name: getattr(entry, name) for name in ("key", "run", "by", "at", "expires_at")}
    return Entry(**made, done_at=now) if ok else None  # type: ignore[arg-type]
