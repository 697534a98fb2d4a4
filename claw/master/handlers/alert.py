"""``alert.*``: what is said at every turn until somebody takes note, or it is over."""

from claw.errors import NotFoundError
from claw.master.control.calls import Call, Params
from claw.master.engine import alerts
from claw.master.engine.turn import Turn
from claw.master.views.statusview import iso
from claw.master.wiring import Json
from claw.model.alerts import Alert
from claw.store.records import Tx


async def list_(call: Call, params: Params) -> Json:
    """List alerts, newest first."""
    store = call.services.store
    if params.get("all"):
        found = await store.read(Tx.alerts)
    else:
        found = (await store.read(Tx.all_standing_alerts))[::-1]
    return {"alerts": [_wire_of(alert) for alert in found]}


async def ack(call: Call, params: Params) -> Json:
    """Take note of alerts, of all of some jobs, or of all there are."""
    targets = params.get("targets") or []

    def decide(turn: Turn) -> Json:
        if not targets:
            chosen = [alert.id for alert in turn.tx.open_alerts()]
        else:
            chosen = [number for text in targets for number in _meant(turn, text)]
        return {"acked": sum(alerts.ack(turn, number) for number in dict.fromkeys(chosen))}

    return await call.commit(decide)


def _meant(turn: Turn, text: str) -> list[int]:
    """Return the numbers of the alerts that a number, or the name of a job, means."""
    if text.isascii() and text.isdigit():
        return [int(text)]
    found = turn.tx.standing_alerts(text)
    if not found and turn.config.job(text) is None:
        raise NotFoundError(
            f"{text!r} is neither an alert's number nor a job",
            hint="clawctl alerts list lists them",
        )
    return [alert.id for alert in found]


def _wire_of(alert: Alert) -> Json:
    return {
        "id": alert.id,
        "kind": alert.kind,
        "job": alert.job,
        "run": alert.run,
        "text": alert.text,
        "at": alert.at.isoformat(),
        "last_at": iso(alert.last_at),
        "times": alert.times,
        "acked_at": iso(alert.acked_at),
        "resolved_at": iso(alert.resolved_at),
    }
