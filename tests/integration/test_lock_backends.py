"""What every place where locks are kept has to do; a folder, and real etcd and PostgreSQL."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from claw.master.locks.backend import Backend, Holder, LockTroubleError
from claw.master.locks.etcd import Etcd
from claw.master.locks.folder import Folder
from claw.master.locks.postgres import Postgres
from claw.model import lock
from claw.model.lock import Claimant, Grant, Locks
from tests.kit import lockservers
from tests.kit.sharing import Shared

PATIENCE_S = 30.0
A = Claimant(owner="a", host="host-a", run="run-a", lease_s=60)
B = Claimant(owner="b", host="host-b", run="run-b", lease_s=60)
MADE: dict[lock.Backend, Callable[[Locks], Backend]] = {
    lock.Backend.FOLDER: Folder,
    lock.Backend.ETCD: Etcd,
    lock.Backend.POSTGRES: Postgres,
}

needs_etcd = pytest.mark.skipif(
    bool(lockservers.why_no_etcd()), reason=lockservers.why_no_etcd() or "-"
)
needs_postgres = pytest.mark.skipif(
    bool(lockservers.why_no_postgres()), reason=lockservers.why_no_postgres() or "-"
)

SERVERS = [
    pytest.param("etcd", marks=needs_etcd),
    pytest.param("postgres", marks=needs_postgres),
]


@pytest.fixture(
    name="settings",
    scope="module",
    params=["folder", *SERVERS],
)
def _settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Locks]:
    with contextlib.ExitStack() as stack:
        match request.param:
            case "etcd":
                address = stack.enter_context(lockservers.etcd())
                yield Locks(
                    backend=lock.Backend.ETCD, endpoints=("http://127.0.0.1:9", address)
                )
            case "postgres":
                dsn = stack.enter_context(lockservers.postgres())
                yield Locks(backend=lock.Backend.POSTGRES, dsn=dsn)
            case _:
                folder = str(tmp_path_factory.mktemp("locks"))
                yield Locks(backend=lock.Backend.FOLDER, folder=folder)


def place(settings: Locks) -> Backend:
    """Return the place as a master of its own sees it."""
    return MADE[settings.backend](settings)


async def taken(at: Backend, name: str, claimant: Claimant) -> Grant:
    found = await at.acquire(name, claimant)
    assert isinstance(found, Grant), found
    return found


async def test_one_has_it_until_it_lets_go_and_numbers_grow(settings: Locks) -> None:
    one, other = place(settings), place(settings)

    first = await taken(one, "turns", A)
    busy = await other.acquire("turns", B)
    seen = await other.look("turns")
    assert await one.renew("turns", A, first)
    await one.release("turns", first)
    free = await one.look("turns")
    second = await taken(other, "turns", B)

    assert isinstance(busy, Holder)
    assert (busy.owner, busy.host, busy.run, busy.fence) == (
        "a",
        "host-a",
        "run-a",
        first.fence,
    )
    assert seen is not None
    assert seen.owner == "a"
    assert free is None
    assert second.fence > first.fence
    assert not await one.renew("turns", A, first)
    await one.release("turns", first)  # it is not its any more, and stays the other's
    assert await other.renew("turns", B, second)


async def test_what_is_not_renewed_is_anothers_after_the_lease(settings: Locks) -> None:
    one, other = place(settings), place(settings)
    first = await taken(one, "stale", replace(A, lease_s=1))

    found = await other.acquire("stale", B)
    with trio.fail_after(PATIENCE_S):
        while isinstance(found, Holder):
            await trio.sleep(0.05)
            found = await other.acquire("stale", B)

    assert found.fence > first.fence
    assert not await one.renew("stale", A, first)


async def test_what_is_renewed_stays_beyond_the_lease(settings: Locks) -> None:
    one, other = place(settings), place(settings)
    brief = replace(A, lease_s=1)
    began = renewed = trio.current_time()
    grant = await taken(one, "kept", brief)

    with trio.fail_after(PATIENCE_S):
        while trio.current_time() < began + 1.5:
            at = trio.current_time()
            is_ours = await one.renew("kept", brief, grant)
            found = await other.acquire("kept", B)
            if trio.current_time() - renewed < brief.lease_s:
                assert is_ours
                assert isinstance(found, Holder)
                renewed = at
            else:  # this machine was too busy to renew in time: that says nothing
                if isinstance(found, Grant):
                    await other.release("kept", found)
                began = renewed = trio.current_time()
                grant = await taken(one, "kept", brief)
            await trio.sleep(0.1)


async def test_a_grant_that_its_master_never_heard_of_is_taken_again(settings: Locks) -> None:
    before, after = place(settings), place(settings)
    unheard = await taken(before, "crash", A)

    grant = await taken(after, "crash", A)

    assert grant.fence > unheard.fence
    assert not await before.renew("crash", A, unheard)
    assert await after.renew("crash", A, grant)
    await before.release("crash", unheard)
    assert await after.renew("crash", A, grant)


async def test_what_is_taken_away_is_lost(settings: Locks) -> None:
    one, other = place(settings), place(settings)
    grant = await taken(one, "away", A)

    holder = await other.take_away("away")

    assert holder is not None
    assert holder.run == "run-a"
    assert not await one.renew("away", A, grant)
    assert await other.take_away("away") is None
    assert (await taken(other, "away", B)).fence > grant.fence


async def test_of_many_that_ask_at_once_one_gets_it(settings: Locks) -> None:
    found: list[Grant | Holder] = []

    async def ask(number: int) -> None:
        claimant = replace(A, owner=f"m{number}")
        with contextlib.suppress(LockTroubleError):  # it changes hands just now
            found.append(await place(settings).acquire("rush", claimant))

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(ask, number)

    assert sum(isinstance(one, Grant) for one in found) == 1


@pytest.mark.parametrize(
    "settings",
    [
        Locks(backend=lock.Backend.FOLDER, folder="/nonexistent"),
        Locks(backend=lock.Backend.ETCD, endpoints=("http://127.0.0.1:9",)),
        pytest.param(
            Locks(backend=lock.Backend.POSTGRES, dsn="host=127.0.0.1 port=9"),
            marks=needs_postgres,
        ),
    ],
    ids=lambda one: one.backend,
)
async def test_a_place_that_cannot_be_asked_is_trouble(settings: Locks) -> None:
    at, grant = place(settings), Grant(1, "7")

    for ask in (
        lambda: at.acquire("x", A),
        lambda: at.renew("x", A, grant),
        lambda: at.release("x", grant),
        lambda: at.look("x"),
        lambda: at.take_away("x"),
    ):
        with pytest.raises(LockTroubleError):
            await ask()


async def test_a_broken_record_is_told_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "l.json").write_text("half")
    at = place(Locks(backend=lock.Backend.FOLDER, folder=str(tmp_path)))

    with pytest.raises(LockTroubleError, match="no record"):
        await at.acquire("l", A)
    assert (tmp_path / "l.json").read_text() == "half"


@pytest.mark.parametrize("settings", SERVERS, indirect=True)
def test_two_masters_share_it(settings: Locks, tmp_path: Path) -> None:
    table = f"""
backend = "{settings.backend}"
folder = "{settings.folder}"
endpoints = {list(settings.endpoints)}
dsn = "{settings.dsn}"
"""
    shared = Shared(tmp_path, "6s", table.replace("'", '"'))
    with shared.two() as pair:
        runs = [(claw, claw.submit("short")) for claw in pair]
        states = [claw.ended(run)["state"] for claw, run in runs]
        first = pair[0].submit("stays")
        shared.begun(pair[0], first)
        pair[1].ctl("lock", "release", "only")
        ended = pair[0].ended(first)

    assert states == ["succeeded"] * 2
    assert "both" not in shared.lines()
    assert shared.fences() == sorted(set(shared.fences()))
    assert (ended["state"], ended["reason"]) == ("failed", "lock_lost")
