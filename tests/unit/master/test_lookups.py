"""Users and groups that are asked for while their database does not answer."""

import errno
import threading

import pytest
import trio

from claw.master.supervision import lookups
from claw.master.supervision.lookups import LookUps


async def test_what_is_not_answered_holds_up_nobody_else_and_an_old_answer_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silence, asked = threading.Event(), list[str]()

    def find(user: str, group: str) -> str:
        asked.append(user)
        if user == "far" and len(asked) > 1:
            silence.wait()
        return f"{user}:{group}"

    names = LookUps(find)
    assert await names.of("far", "") == await names.of("far", "") == "far:"
    assert asked == ["far"]
    monkeypatch.setattr(lookups, "KEPT_S", 0.0)
    names = LookUps(find)
    asked.clear()
    assert await names.of("far", "") == "far:"
    monkeypatch.setattr(lookups, "_PATIENCE_S", 0.05)
    try:
        assert await names.of("far", "") == "far:"
        with pytest.raises(OSError, match="not answered") as failure:
            await names.of("far", "other")
        assert failure.value.errno == errno.ETIMEDOUT
        monkeypatch.setattr(lookups, "_PATIENCE_S", 20.0)
        with trio.fail_after(20.0):
            assert await names.of("near", "a") == "near:a"
    finally:
        silence.set()


async def test_what_is_not_there_is_asked_for_again() -> None:
    there: set[str] = set()

    def find(user: str, _group: str) -> str:
        if user not in there:
            raise LookupError(user)
        return user

    names = LookUps(find)
    with pytest.raises(LookupError):
        await names.of("new", "")
    there.add("new")

    assert await names.of("new", "") == "new"
