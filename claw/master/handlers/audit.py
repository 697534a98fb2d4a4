"""``audit.seen``: what is wrong with the audit log, and an admin has seen to."""

from functools import partial

from claw.client import auditlog
from claw.errors import NotFoundError, RequestError
from claw.kernel import causes
from claw.master.control.calls import Call, Params
from claw.master.output import logs
from claw.master.wiring import Json


async def seen(call: Call, params: Params) -> Json:
    """Take note of it: the line of this request in the audit log is what keeps it."""
    look = partial(auditlog.unseen, call.services.home.log)
    try:
        known = {one.mark: one.text for one in await logs.in_thread(lambda: list(look()))}
    except OSError as error:
        raise RequestError(
            f"the audit log cannot be read: {causes.reason(error)}",
            hint="see that the daemon's user may read its files",
        ) from error
    strange = [mark for mark in params["marks"] if mark not in known]
    if strange:
        raise NotFoundError(
            f"nothing that is wrong has the mark {strange[0]!r}",
            hint="clawctl doctor tells them",
        )
    return {"seen": [known[mark] for mark in dict.fromkeys(params["marks"])]}
