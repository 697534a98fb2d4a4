"""``alert.*``: what is said at every turn until somebody takes note."""

from claw.errors import NotFoundError
from claw.master.control.calls import Call, Params
from claw.master.engine.turn import Turn
from claw.master.wiring import Json
from claw.model.event import Alert
from claw.store.records import Tx

_MOST = (1 << 63) - 1


async def list_(call: Call, _params: Params) -> Json:
    """List alerts, newest first."""
    alerts = await call.services.store.read(Tx.alerts)
    return {"alerts": [_wire_of(alert) for alert in alerts]}


async def ack(call: Call, params: Params) -> Json:
    """Take note of an alert, or of all."""
    number = params.get("id")

    def decide(turn: Turn) -> Json:
        known = number is None or 0 <= number <= _MOST
        acked = turn.tx.ack_alerts(number, turn.now) if known else 0
        if number is not None and acked == 0:
            raise NotFoundError(
                f"there is no open alert {number}", hint="clawctl alerts list lists them"
            )
        return {"acked": acked}

    return await call.commit(decide)


def _wire_of(alert: Alert) -> Json:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "text": alert.text,
        "at": alert.at.isoformat(),
        "acked_at": None if alert.acked_at is None else alert.acked_at.isoformat(),
    }
