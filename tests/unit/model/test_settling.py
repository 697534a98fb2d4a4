"""Paths wait until nothing has changed for long enough."""

from claw.model.settling import LONGEST_S, Settling
from claw.model.watching import Version, Word

DONE, MADE = frozenset({Word.CLOSE_WRITE}), frozenset({Word.CREATE})
V1, V2 = Version(1, 1, 1, 1), Version(1, 2, 1, 2)


def paths(settling: Settling, now: float, most: int = 10) -> list[str]:
    return [one.path for one in settling.take(now, most)]


def test_a_path_is_due_when_it_has_been_quiet_and_with_all_its_words() -> None:
    settling = Settling(2.0)
    settling.note("a", MADE, 0.0)
    settling.note("a", DONE, 1.0)

    assert settling.due_at == 3.0
    assert settling.take(2.9, 10) == ()
    [one] = settling.take(3.0, 10)
    assert one.words == MADE | DONE
    assert settling.due_at is None


def test_what_a_look_has_found_waits_as_long_as_it_changes() -> None:
    settling = Settling(0.0)
    settling.find("a", V1, 0.0, 1.0)
    settling.find("a", V1, 0.5, 1.0)
    assert settling.due_at == 1.0
    settling.find("a", V2, 0.9, 1.0)
    assert settling.due_at == 1.9


def test_a_notice_knows_better_than_a_look() -> None:
    settling = Settling(1.0)
    settling.find("a", V1, 0.0, 9.0)
    settling.note("a", DONE, 0.5)
    settling.find("a", V2, 0.6, 9.0)

    [one] = settling.take(1.5, 10)
    assert (one.words, one.is_found) == (DONE, False)


def test_many_are_taken_bit_by_bit() -> None:
    settling = Settling(0.0)
    for name in "abcde":
        settling.note(name, DONE, 0.0)

    assert [len(paths(settling, 0.0, 2)) for _ in range(4)] == [2, 2, 1, 0]


def test_a_service_settles_as_a_whole_and_not_for_ever() -> None:
    settling = Settling(1.0, is_whole=True)
    settling.note("a", DONE, 0.0)
    settling.note("b", DONE, 0.8)
    assert paths(settling, 1.5) == []
    assert paths(settling, 1.8, 1) == ["a", "b"]

    at = 10.0
    while settling.due_at is None or settling.due_at > at:
        settling.note("a", DONE, at)
        at += 0.9
    assert at <= 10.0 + LONGEST_S + 1.0
