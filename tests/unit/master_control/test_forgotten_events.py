"""A reader of events whose cursor is older than what is kept is told so."""

from claw.master import forgetting
from claw.master.asyncstore import AsyncStore
from tests.kit.desk import Desk, job


async def test_a_reader_is_told_of_events_that_are_not_kept_any_more() -> None:
    desk = Desk(job("a"))
    desk.end(desk.begin("a"))
    store = AsyncStore(desk.database)
    assert await forgetting.told_of_gap(store, 0) == {}
    desk.do(lambda turn: turn.tx.put_meta(forgetting.EVENTS_FORGOTTEN, "3"))
    assert await forgetting.told_of_gap(store, None) == {}
    assert await forgetting.told_of_gap(store, 2) == {"forgotten_through": 3}
    assert await forgetting.told_of_gap(store, 3) == {}
