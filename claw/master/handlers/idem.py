"""``idem.*``: the idempotency ledger, for people and for the children of runs."""

from datetime import datetime, timedelta

from claw.errors import UsageError
from claw.kernel import clock
from claw.master.control.calls import Call, Params
from claw.master.engine import idem as ledger
from claw.master.engine.turn import Turn
from claw.master.wiring import Json
from claw.model import idem
from claw.model.idem import Claimant, Entry

_PAGE = 500
_MOST_PRUNED = 10_000


async def list_(call: Call, params: Params) -> Json:
    """List what the ledger holds, in the order of the keys."""
    after = params.get("after", "")
    page = await call.services.store.read(lambda tx: tx.idem_page(after, _PAGE))
    now = clock.now()
    return {
        "keys": [_wire_of(entry, now) for entry in page],
        "next": page[-1].key if len(page) == _PAGE else None,
    }


async def check(call: Call, params: Params) -> Json:
    """Tell whether a key is free, and who has it otherwise."""
    key, now = _key_of(params), clock.now()
    entry = await call.services.store.read(lambda tx: tx.idem(key))
    if entry is None or entry.is_expired(now):
        return {"key": key, "state": "free"}
    return _wire_of(entry, now)


async def claim(call: Call, params: Params) -> Json:
    """Claim a key, if nobody has it."""
    key = _key_of(params)
    kept = idem.KEPT if "ttl_s" not in params else timedelta(seconds=params["ttl_s"])

    def decide(turn: Turn) -> Json:
        entry, is_claimed = ledger.claim(turn, key, _claimant(call), kept)
        return {"claimed": is_claimed, **_wire_of(entry, turn.now)}

    return await call.commit(decide)


async def release(call: Call, params: Params) -> Json:
    """Forget a key, so that it can be claimed again."""

    def decide(turn: Turn) -> Json:
        entry = ledger.release(turn, params["key"], _claimant(call))
        return _wire_of(entry, turn.now)

    return await call.commit(decide)


async def prune(call: Call, _params: Params) -> Json:
    """Forget the keys that have expired."""
    return await call.commit(
        lambda turn: {"pruned": turn.tx.prune_idem(turn.now, _MOST_PRUNED)}
    )


def _key_of(params: Params) -> str:
    """Return the key that is asked about.

    Raises:
        UsageError: It is blank, and would stand for all work whose key is missing.
    """
    key: str = params["key"]
    if not key.strip():
        raise UsageError(
            "the key is empty", hint="is it a variable that is not set? write it as ${NAME:?}"
        )
    return key


def _claimant(call: Call) -> Claimant:
    return Claimant(run=call.connection.run, by=call.by)


def _wire_of(entry: Entry, now: datetime) -> Json:
    state = "claimed" if entry.done_at is None else "done"
    return {
        "key": entry.key,
        "state": "expired" if entry.is_expired(now) else state,
        "run": entry.run,
        "by": entry.by,
        "at": entry.at.isoformat(),
        "done_at": None if entry.done_at is None else entry.done_at.isoformat(),
        "expires_at": entry.expires_at.isoformat(),
    }
