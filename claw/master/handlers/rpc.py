"""``hello`` and ``rpc.discover``: who is who, and what can be asked."""

import os

import claw
from claw.commands import methods
from claw.errors import UnsupportedError, UsageError
from claw.master.control.calls import Call, Params
from claw.master.wiring import Json
from claw.wire.control import PROTOCOL_VERSION

OLDEST_PROTOCOL = 1
_MAX_CLIENT = 100


async def hello(call: Call, params: Params) -> Json:
    """Agree on the highest version that both sides speak."""
    call.connection.client = params.get("client", "")[:_MAX_CLIENT]
    return {
        "protocol": _agree(params.get("protocol", [OLDEST_PROTOCOL, PROTOCOL_VERSION])),
        "version": claw.__version__,
        "role": call.peer.role,
        "pid": os.getpid(),
        "home": call.services.home.state,
    }


def _agree(spoken: list[int]) -> int:
    if len(spoken) != 2 or spoken[0] > spoken[1]:  # noqa: PLR2004
        raise UsageError("hello: 'protocol' is the lowest and the highest version spoken")
    lowest, highest = spoken
    chosen = min(highest, PROTOCOL_VERSION)
    if chosen < max(lowest, OLDEST_PROTOCOL):
        raise UnsupportedError(
            f"this master speaks protocol {OLDEST_PROTOCOL} to {PROTOCOL_VERSION}, "
            f"not {lowest} to {highest}",
            hint="use a clawctl of the master's version",
        )
    return chosen


async def discover(_call: Call, _params: Params) -> Json:
    """List all methods with their schemas."""
    return methods.discover()
