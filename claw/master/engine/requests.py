"""One effect per request id: a repeated request within a day gets the same answer.

`recall` and `remember` are called in the transaction of the effect itself, so that answer
and effect are on disk together or not at all.
"""

from datetime import timedelta

from claw.errors import ConflictError
from claw.master.engine.turn import Turn

KEPT = timedelta(days=1)


def recall(turn: Turn, request_id: str | None, method: str) -> object | None:
    """Return the answer that a request was given before, or None.

    Raises:
        ConflictError: The id was used for another method.
    """
    found = None if request_id is None else turn.tx.request(request_id)
    if found is None:
        return None
    known_method, reply, at = found
    if turn.now - at > KEPT:
        turn.tx.forget_requests(turn.now - KEPT)
        return None
    if known_method != method:
        raise ConflictError(
            f"request id {request_id!r} was used for {known_method}",
            hint="give each request an id of its own",
        )
    return reply


def remember(turn: Turn, request_id: str | None, method: str, reply: object) -> None:
    """Keep the answer to a request, a JSON value, for a day."""
    if request_id is not None:
        turn.tx.insert_request(request_id, method, reply, turn.now)
