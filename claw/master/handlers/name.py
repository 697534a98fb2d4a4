"""``name.list``: what there is, for shells that complete."""

from claw.commands.method import MAX_PAGE
from claw.master.control.calls import Call, Params
from claw.master.views import nameview
from claw.master.wiring import Json


async def list_(call: Call, params: Params) -> Json:
    """List names of a kind that begin with a text."""
    config = call.services.config.current
    kind, prefix = params["kind"], params.get("prefix", "")
    limit = params.get("limit", MAX_PAGE)
    found = await call.services.store.read(
        lambda tx: nameview.names(tx, config, kind, prefix, limit)
    )
    return {"names": [{"name": name, "says": says} for name, says in found]}
