"""Who makes room for another connection."""

from dataclasses import dataclass

from claw.commands.method import OPERATOR
from claw.master.control.peers import Peer
from claw.master.control.room import greedier


def peer(uid: int, pid: int) -> Peer:
    return Peer(pid=pid, uid=uid, gid=uid, role=OPERATOR, name=f"user {uid}")


@dataclass
class Guest:
    peer: Peer
    active_at: float = 0.0
    is_idle: bool = True


def test_a_user_with_many_children_shuts_out_no_other_user() -> None:
    guests = [Guest(peer(1, pid), active_at=pid) for pid in range(10, 18)]
    assert greedier(guests, peer(2, 99), by_user=True) is guests[0]
    assert greedier(guests, peer(2, 99), by_user=False) is None


def test_a_greedy_user_is_not_spared_for_being_busy_but_what_is_idle_goes_first() -> None:
    busy = [Guest(peer(1, pid), is_idle=False) for pid in range(10, 14)]
    idle = Guest(peer(1, 20), active_at=99.0)
    assert greedier(busy, peer(2, 99), by_user=True) is busy[0]
    assert greedier([*busy, idle], peer(2, 99), by_user=True) is idle


def test_nobody_goes_for_who_would_have_as_many() -> None:
    guests = [Guest(peer(uid, uid)) for uid in (1, 1, 2, 2)]
    assert greedier(guests, peer(2, 2), by_user=True) is None


def test_of_one_user_the_process_with_most_makes_room() -> None:
    guests = [Guest(peer(1, pid)) for pid in (5, 5, 5, 6)]
    assert greedier(guests, peer(1, 7), by_user=True) is guests[0]
    guests[0].is_idle = False
    assert greedier(guests, peer(1, 7), by_user=False) is guests[1]
