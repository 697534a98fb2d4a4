r"""What clients and master say to each other: JSON-RPC 2.0, one object a line.

Sans-I/O. Both ends use this module, so that an error raised in the master is the same
error in the client: its code, message and hint travel in ``data``. A batch is refused;
parameters are named, never positional. docs/reference/protocol.md tells the whole protocol.
"""

from __future__ import annotations

import json

from claw import errors
from claw.wire import strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Object = dict[str, Any]
    Id = int | str | None

PROTOCOL_VERSION = 1
"""The version spoken here; also what a client without ``hello`` gets."""

MAX_REPLY_BYTES = 64 << 20
"""Longest line a client takes from a master that it has chosen to trust."""

_TEXT_LIMIT = 60


class Request:
    """A call of a method.

    Attributes:
        method: Its name, ``noun.verb``.
        params: Its named parameters.
        id: What the answer will carry.
        wants_reply: False for a call without an id, which is never answered.
    """

    __slots__ = ("id", "method", "params", "wants_reply")

    def __init__(self, method: str, params: Object, id_: Id, *, wants_reply: bool) -> None:
        self.method = method
        self.params = params
        self.id = id_
        self.wants_reply = wants_reply


class Reply:
    """An answer: a result, or an error when ``error`` is not None."""

    __slots__ = ("error", "id", "result")

    def __init__(self, id_: Id, result: Any, error: errors.ClawError | None) -> None:
        self.id = id_
        self.result = result
        self.error = error


class Notification:
    """What a subscription sends of its own accord."""

    __slots__ = ("method", "params")

    def __init__(self, method: str, params: Object) -> None:
        self.method = method
        self.params = params


def encode_request(id_: Id, method: str, params: Object) -> bytes:
    """Return a call as one line."""
    return _encode({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})


def encode_notification(method: str, params: Object) -> bytes:
    """Return a notification as one line."""
    return _encode({"jsonrpc": "2.0", "method": method, "params": params})


def encode_result(id_: Id, result: Any) -> bytes:
    """Return a successful answer as one line."""
    return _encode({"jsonrpc": "2.0", "id": id_, "result": result})


def encode_error(id_: Id, error: errors.ClawError) -> bytes:
    """Return an error as one line; ``data`` has its name and all that it carries."""
    data: Object = {"name": error.code, "hint": error.hint}
    if isinstance(error, errors.ConfigError):
        data["diagnostics"] = list(error.diagnostics)
    body = {"code": error.rpc_code, "message": error.message, "data": data}
    return _encode({"jsonrpc": "2.0", "id": id_, "error": body})


def decode_request(line: bytes) -> Request:
    """Return the request that a line holds.

    Raises:
        ProtocolError: It is not UTF-8, or not JSON.
        InvalidRequestError: It is JSON and no single request; ``request_id`` is its id.
    """
    message = _decode(line)
    if isinstance(message, list):
        raise errors.InvalidRequestError(
            "a batch of requests is not taken",
            hint="send one object a line; requests on one connection may be pipelined",
        )
    if not isinstance(message, dict):
        raise errors.InvalidRequestError(f"a request is an object, not {_brief(message)}")
    id_ = _id_of(message)
    if message.get("jsonrpc") != "2.0":
        raise errors.InvalidRequestError('"jsonrpc" has to be "2.0"', request_id=id_)
    method = message.get("method")
    if not isinstance(method, str):
        raise errors.InvalidRequestError('"method" has to be a string', request_id=id_)
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise errors.InvalidRequestError(
            '"params" has to be an object: parameters are named', request_id=id_
        )
    return Request(method, params, id_, wants_reply="id" in message)


def decode_from_master(line: bytes) -> Reply | Notification:
    """Return the answer or notification that a line holds.

    Raises:
        ProtocolError: It is neither.
    """
    message = _decode(line)
    if not isinstance(message, dict):
        raise errors.ProtocolError(f"the master sent {_brief(message)}, which is no answer")
    if "method" in message:
        return Notification(str(message["method"]), message.get("params") or {})
    error = message.get("error")
    if error is None and "result" not in message:
        raise errors.ProtocolError("the master sent neither a result nor an error")
    id_ = _id_of(message)
    if error is None:
        return Reply(id_, message["result"], None)
    return Reply(id_, None, _error_from(error))


def _error_from(body: object) -> errors.ClawError:
    """Return the error that the master raised, as the class it raised."""
    if not isinstance(body, dict):
        raise errors.ProtocolError(f"the master sent {_brief(body)} as an error")
    raw = body.get("data")
    data: Object = raw if isinstance(raw, dict) else {}
    message, hint = str(body.get("message", "")), str(data.get("hint", ""))
    name = data.get("name")
    kind = _BY_NAME.get(name) if isinstance(name, str) else None
    if kind is None:
        return _unknown_error(body.get("code"), message, hint)
    if issubclass(kind, errors.ConfigError):
        diagnostics = tuple(str(line) for line in data.get("diagnostics", ()))
        return kind(message, diagnostics=diagnostics, hint=hint)
    return kind(message, hint=hint)


def _unknown_error(rpc_code: object, message: str, hint: str) -> errors.ClawError:
    """Return an error whose name this version does not know, by its number."""
    for kind in _BY_NAME.values():
        if kind.rpc_code == rpc_code and kind is not errors.ClawError:
            return kind(message, hint=hint)
    return errors.RequestError(message, hint=hint)


def _tree(kind: type[errors.ClawError]) -> dict[str, type[errors.ClawError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found.update(_tree(child))
    return found


_BY_NAME = _tree(errors.ClawError)


def _id_of(message: Object) -> Id:
    id_ = message.get("id")
    if id_ is None or (isinstance(id_, int | str) and not isinstance(id_, bool)):
        return id_
    raise errors.InvalidRequestError(f'"id" is a string or a whole number, not {_brief(id_)}')


def _encode(message: Object) -> bytes:
    try:
        return _compact(message).encode() + b"\n"
    except UnicodeEncodeError:  # a name that is no UTF-8, as os.fsdecode gives it
        return _compact_ascii(message).encode() + b"\n"


def _decode(line: bytes) -> Any:
    try:
        return strict.parse(line.decode())
    except UnicodeDecodeError:
        raise errors.ProtocolError("the line is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise errors.ProtocolError(f"the line is not JSON: {error}") from None


def _brief(value: object) -> str:
    text = _compact_ascii(value)
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"


_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_compact_ascii = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
