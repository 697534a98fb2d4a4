"""What is said when supervisors cannot be followed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from claw.kernel import channel
from claw.master.supervision.journals import Apply
from claw.master.supervision.links import Links
from claw.model.home import Home


def evidencing(apply: Apply) -> Any:
    """Return what takes in journals."""
    return SimpleNamespace(apply=apply)


def test_a_failure_that_all_supervisors_share_is_said_once_in_thirty_seconds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    sids = ("s1", "s2", "s3")
    for sid in sids:
        Path(f"{home.spool}/{sid}/lock").mkdir(parents=True)  # cannot be opened as a file

    async def apply(_sid: str, data: bytes, offset: int) -> int:
        return offset + len(data)

    async def answer(_sid: str) -> bool:
        return True

    async def main() -> None:
        links = Links(home, evidencing(apply), answer, answer)
        async with trio.open_nursery() as nursery:
            for sid in sids:
                nursery.start_soon(links.watch, sid, 0)
            await trio.sleep(45)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    assert len(caplog.records) == 2
    assert all("Is a directory" in record.getMessage() for record in caplog.records)
    assert not any(record.exc_info for record in caplog.records)


def test_one_that_took_another_run_and_has_gone_is_read_from_where_its_journal_goes_on(
    tmp_path: Path,
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    folder = Path(home.spool) / "s1"
    folder.mkdir(parents=True)
    old, new = b'{"ev":"ended"}\n', b'{"ev":"launch"}\n'
    (folder / "journal").write_bytes(old + new)
    pieces = []

    async def apply(_sid: str, data: bytes, offset: int) -> int:
        pieces.append((offset, data))
        return offset + len(data)

    async def knows(_sid: str) -> bool:
        return False

    async def lost(_sid: str) -> bool:
        return True

    async def main() -> None:
        links = Links(home, evidencing(apply), knows, lost)
        links.expect("s1", len(old))
        await links.watch("s1", len(old))

    trio.run(main)

    assert pieces == [(len(old), new)]


async def test_a_link_that_cannot_be_heard_is_closed_and_made_again(tmp_path: Path) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    (Path(home.spool) / "s1").mkdir(parents=True)

    async def apply(_sid: str, data: bytes, offset: int) -> int:
        return offset + len(data)

    async def answer(_sid: str) -> bool:
        return True

    links = Links(home, evidencing(apply), answer, answer)
    ours, theirs = channel.pair()
    links._hearing._epoll.register(ours.fileno())  # so it cannot be added: EEXIST
    link = links.link_over(ours, "s1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(links.watch, "s1", 0, link)
        await trio.testing.wait_all_tasks_blocked()
        is_closed, one = link.is_closed, links.all["s1"]
        nursery.cancel_scope.cancel()
    link.close()
    theirs.close()
    links.close()

    assert is_closed
    assert one.link is None
