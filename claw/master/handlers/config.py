"""``config.*``: another configuration, all of it or nothing."""

from claw.master.control.calls import Call, Params
from claw.master.wiring import Json


async def reload(call: Call, params: Params) -> Json:
    """Load the configuration, or only say what that would do."""
    return await call.services.reload(
        dry_run=params.get("dry_run", False), restart=params.get("restart", True)
    )
