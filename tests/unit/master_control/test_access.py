"""Roles by names, when those who keep names do not answer."""

import threading
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from claw.kernel import accounts
from claw.master.control import access as accesses
from claw.master.control.access import Access
from claw.master.control.peers import Peer
from claw.model.access import Members, Roles
from claw.model.job import Daemon

ADA = Peer(pid=1, uid=41_000, gid=41_000, role="", name="ada", groups=())
TABLE = Roles(operator=Members(users=("ada",)))
OTHER = Roles(operator=Members(users=("ada", "bob")))


class Names:
    """What says who ada is, until it is silent."""

    def __init__(self) -> None:
        self.is_silent = False
        self.goes_on = threading.Event()

    def user_id(self, _name: str) -> int | None:
        if self.is_silent:
            self.goes_on.wait()
        return ADA.uid


@pytest.fixture(name="names")
def _names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    found = Names()
    monkeypatch.setattr(accounts, "user_id", found.user_id)
    monkeypatch.setattr(accesses, "REFRESH_S", 0.0)
    yield found
    found.goes_on.set()


async def test_a_role_holds_while_nobody_says_who_has_it_but_no_other_is_given(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = [TABLE]
    access = Access(lambda: Daemon(roles=roles[0]))
    assert await access.role_of(ADA) == "operator"

    names.is_silent = True
    monkeypatch.setattr(accesses, "PATIENCE_S", 0.05)
    assert await access.role_of(ADA) == "operator"
    roles[0] = OTHER
    assert await access.role_of(ADA) == ""


async def test_who_waits_for_names_can_be_given_up(names: Names) -> None:
    names.is_silent = True
    access = Access(lambda: Daemon(roles=TABLE))

    with trio.fail_after(20.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(access.role_of, ADA)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
