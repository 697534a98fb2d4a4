"""``name.list``: what there is, for shells that complete."""

from claw.commands.method import ADMIN, MAX_PAGE
from claw.errors import ClawError
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
    if kind == "secrets" and call.peer.role == ADMIN:
        found += [one for one in await _kept(call, prefix) if one[0] not in dict(found)]
    return {"names": [{"name": name, "says": says} for name, says in found[:limit]]}


async def _kept(call: Call, prefix: str) -> list[nameview.Name]:
    """Return the secrets that are kept; none when the place where they are cannot be asked."""
    confidant = call.services.confidant
    try:
        entries = await confidant.ask(confidant.vault.entries)
    except ClawError:
        return []
    return [(name, "kept") for name in sorted(entries) if name.startswith(prefix)]
