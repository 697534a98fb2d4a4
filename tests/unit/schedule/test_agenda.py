"""The agenda against a plain dictionary."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.schedule.agenda import Agenda

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = st.sampled_from("abcde")
TIMES = st.integers(0, 20).map(lambda minutes: T0 + timedelta(minutes=minutes))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.dictionaries(NAMES, st.none() | TIMES)),
        st.tuples(st.just("replace"), st.dictionaries(NAMES, TIMES)),
        st.tuples(st.just("take"), TIMES),
    )
)


@given(steps=STEPS, limit=st.integers(1, 5))
def test_what_is_due_is_taken_once_and_the_earliest_first_whatever_has_changed_before(
    steps: list[tuple[str, object]], limit: int
) -> None:
    agenda, plain = Agenda(), dict[str, datetime]()
    for what, value in steps:
        if what == "update":
            assert isinstance(value, dict)
            agenda.update(value)
            both = {**plain, **value}
            plain = {name: at for name, at in both.items() if at is not None}
        elif what == "replace":
            assert isinstance(value, dict)
            agenda.replace(value)
            plain = dict(value)
        else:
            assert isinstance(value, datetime)
            times = sorted((at, name) for name, at in plain.items() if at <= value)
            due = {name for _at, name in times[:limit]}
            assert agenda.take_due(value, limit) == due
            plain = {name: at for name, at in plain.items() if name not in due}
        assert agenda.earliest() == min(plain.values(), default=None)
        assert {name: agenda.of(name) for name in plain} == plain
