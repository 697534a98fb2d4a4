"""The table of moves, against the picture in the documentation."""

import itertools

from claw.model.run import ACTIVE, FINAL, OPEN, TRANSITIONS, State, may_move


def test_i2_no_move_leads_out_of_a_final_state() -> None:
    assert not any(may_move(old, new) for old, new in itertools.product(FINAL, State))


def test_i2_every_open_state_leads_to_canceled() -> None:
    assert all(may_move(state, State.CANCELED) for state in OPEN)


def test_states_are_open_or_final_and_active_ones_are_open() -> None:
    assert set(State) == OPEN | FINAL
    assert not OPEN & FINAL
    assert ACTIVE < OPEN


def test_the_table_names_every_open_state_and_no_other() -> None:
    assert set(TRANSITIONS) == OPEN


def test_a_run_is_skipped_or_missed_only_before_it_is_claimed() -> None:
    for end in (State.SKIPPED, State.MISSED):
        assert [old for old in State if may_move(old, end)] == [State.QUEUED]
