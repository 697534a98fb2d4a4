"""``event.emit``, and ``bridge.*``: the tokens of those who may tell of events."""

from claw.commands.method import ADMIN
from claw.errors import UsageError
from claw.master.control.calls import Call, Decide, Decision, Params
from claw.master.engine import happenings
from claw.master.engine.happenings import Told
from claw.master.engine.turn import Turn
from claw.master.wiring import Json
from claw.model import happening
from claw.model.happening import Bridge, Source

_MONTH_S = 30 * 86400.0


@Decision
def emit(call: Call, params: Params) -> Decide:
    """Tell of an event."""
    connection = call.connection
    is_child = connection.run is not None or connection.bridge is not None
    is_guest = is_child and call.peer.role != ADMIN
    try:
        text = happening.text_of(call.services.confidant.redactor.mask_all(params.get("data")))
    except ValueError as error:
        raise UsageError(
            str(error), hint="put it in a file, and its path in the data"
        ) from None

    def decide(turn: Turn) -> Json:
        source = Source.EMIT if connection.run is None else Source.CHILD
        if connection.bridge is not None:
            happenings.check_bridge(turn, connection.bridge, params["event"])
            source = Source.TOKEN
        told = Told(
            name=params["event"],
            data=text,
            by=call.by,
            source=source,
            token=connection.bridge,
            is_guest=is_guest,
            parent=connection.run,
        )
        one, runs = happenings.emit(turn, told)
        if is_guest:
            return {"event": one.id, "name": one.name}
        shown = [
            {"run": run.id, "job": run.job, "state": run.state, "reason": run.reason}
            for run in runs
        ]
        return {"event": one.id, "name": one.name, "runs": shown}

    return decide


async def add(call: Call, params: Params) -> Json:
    """Make a token for events."""
    ttl_s = params.get("ttl_s", _MONTH_S)

    def decide(turn: Turn) -> Json:
        one = happenings.issue(turn, params["patterns"], ttl_s, call.by)
        return {**_wire_of(one), "token": call.services.tokens.of(one.id)}

    return await call.commit(decide)


async def list_(call: Call, _params: Params) -> Json:
    """List the tokens for events, without what makes them good."""
    known = await call.services.store.read(lambda tx: tx.bridges())
    return {"tokens": [_wire_of(one) for one in known]}


async def remove(call: Call, params: Params) -> Json:
    """Have a token be of no use any more."""
    return await call.commit(
        lambda turn: _wire_of(happenings.revoke(turn, params["id"], call.by))
    )


def _wire_of(one: Bridge) -> Json:
    return {
        "id": one.id,
        "patterns": list(one.patterns),
        "by": one.by,
        "at": one.at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
    }
