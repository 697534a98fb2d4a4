"""``delivery.*`` and ``alias.*``: messages on their way out, and who is meant by a name."""

from collections.abc import Mapping

from claw.errors import NotFoundError, UsageError
from claw.master.control.calls import Call, Params
from claw.master.engine import deliveries
from claw.master.engine.turn import Turn
from claw.master.views.statusview import iso
from claw.master.wiring import Json
from claw.model.delivery import Alias, Delivery, DeliveryState
from claw.model.masking import mask_users
from claw.store.records import Tx

_LIMIT = 50


async def list_(call: Call, params: Params) -> Json:
    """List messages, newest first, and how many there are of each channel."""
    state, limit = params.get("state"), params.get("limit", _LIMIT)

    def read(tx: Tx) -> tuple[tuple[Delivery, ...], dict[str, dict[str, int]], dict[str, int]]:
        found = tx.deliveries(
            channel=params.get("channel"),
            state=None if state is None else DeliveryState(state),
            before=params.get("before"),
            limit=limit + 1,
        )
        return found, tx.delivery_counts(), tx.dropped()

    found, counts, dropped = await call.services.store.read(read)
    types = {one.name: str(one.type) for one in call.services.config.current.channels}
    names = sorted(types.keys() | counts.keys())
    if params.get("channel") is not None:
        _check_channel(call, params["channel"], counts)
        names = [name for name in names if name == params["channel"]]
    return {
        "deliveries": [_wire_of(one) for one in found[:limit]],
        "channels": [
            {
                "channel": name,
                "type": types.get(name),
                **{one: counts.get(name, {}).get(one, 0) for one in DeliveryState},
                "ever_dropped": dropped.get(name, 0),
            }
            for name in names
        ],
        "next": found[limit - 1].id if len(found) > limit else None,
    }


async def retry(call: Call, params: Params) -> Json:
    """Have messages tried at once."""
    numbers, is_all = params.get("ids") or [], bool(params.get("all"))
    if bool(numbers) == is_all:
        raise UsageError("which messages?", hint="name their numbers, or say --all")
    if params.get("channel") is not None:
        counts = await call.services.store.read(lambda tx: tx.delivery_counts())
        _check_channel(call, params["channel"], counts)

    def decide(turn: Turn) -> Json:
        if is_all:
            return {"retried": deliveries.retry_all(turn, params.get("channel"))}
        for number in dict.fromkeys(numbers):
            deliveries.retry(turn, number)
        return {"retried": len(dict.fromkeys(numbers))}

    return await call.commit(decide)


def _check_channel(call: Call, channel: str, counts: Mapping[str, object]) -> None:
    """Tell a channel without messages from one that was never there."""
    known = {one.name for one in call.services.config.current.channels}
    if channel not in known and channel not in counts:
        raise NotFoundError(f"no channel {channel!r}", hint="clawctl delivery list")


async def test(call: Call, params: Params) -> Json:
    """Send a message to see whether a channel works."""
    channel, to, by = params["channel"], params.get("to", ""), call.by

    def decide(turn: Turn) -> Json:
        return {"id": deliveries.send_test(turn, channel, to, by), "channel": channel}

    return await call.commit(decide)


async def list_aliases(call: Call, _params: Params) -> Json:
    """List all aliases."""
    found = await call.services.store.read(Tx.aliases)
    return {"aliases": [_alias_of(one) for one in found]}


async def add_alias(call: Call, params: Params) -> Json:
    """Have a name stand for a channel and an address."""
    name, channel, to, by = params["name"], params["channel"], params.get("to", ""), call.by
    return await call.commit(
        lambda turn: _alias_of(deliveries.add_alias(turn, name, channel, to, by))
    )


async def remove_alias(call: Call, params: Params) -> Json:
    """Have a name stand for nothing any more."""
    name = params["name"]

    def decide(turn: Turn) -> Json:
        deliveries.remove_alias(turn, name)
        return {"name": name.removeprefix("@")}

    return await call.commit(decide)


def _wire_of(delivery: Delivery) -> Json:
    is_pending = delivery.state is DeliveryState.PENDING
    return {
        "id": delivery.id,
        "key": delivery.key,
        "channel": delivery.channel,
        "to": mask_users(delivery.to),
        "kind": delivery.kind,
        "job": delivery.job,
        "run": delivery.run,
        "subject": delivery.subject,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "at": delivery.at.isoformat(),
        "next_at": delivery.next_at.isoformat() if is_pending else None,
        "done_at": iso(delivery.done_at),
        "problem": delivery.problem,
    }


def _alias_of(alias: Alias) -> Json:
    return {
        "name": alias.name,
        "channel": alias.channel,
        "to": mask_users(alias.to),
        "at": alias.at.isoformat(),
        "by": alias.by,
    }
