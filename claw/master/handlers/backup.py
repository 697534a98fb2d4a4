"""``backup.*``."""

from collections.abc import Mapping
from typing import Any

from claw.master.backup.backups import Backups
from claw.master.control.calls import Call, Params
from claw.master.wiring import Json
from claw.model.backups import Backup


async def create(call: Call, params: Params) -> Json:
    """Make one."""
    return await created(call.services.backups, params)


async def list_(call: Call, params: Params) -> Json:
    """List them."""
    return await listed(call.services.backups, params)


async def prune(call: Call, params: Params) -> Json:
    """Remove those that have served."""
    return await pruned(call.services.backups, params)


async def created(backups: Backups, params: Mapping[str, Any]) -> Json:
    """Make a backup, and return what ``backup.create`` answers."""
    made, place = await backups.create(params.get("to", ""))
    return {"backup": wire_of(made), "place": place.shown}


async def listed(backups: Backups, params: Mapping[str, Any]) -> Json:
    """Return what ``backup.list`` answers."""
    found, place = await backups.all(params.get("to", ""))
    return {
        "backups": [wire_of(one) for one in found],
        "place": place.shown,
        "making": backups.making,
    }


async def pruned(backups: Backups, params: Mapping[str, Any]) -> Json:
    """Remove what has served, and return what ``backup.prune`` answers."""
    is_dry = params.get("dry_run", False)
    gone, left, place = await backups.prune(
        params.get("to", ""), params.get("keep_s"), is_dry=is_dry
    )
    return {
        "removed": [wire_of(one) for one in gone],
        "left": left,
        "place": place.shown,
        "dry_run": is_dry,
    }


def wire_of(one: Backup) -> Json:
    """Return a backup as it is sent."""
    return {
        "id": one.id,
        "at": one.at.isoformat(),
        "size": one.size,
        "version": one.version,
        "name": one.name,
    }
