"""One method of the control protocol, and short ways to write one down."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.schema import array, boolean, record, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.commands.schema import Schema

VIEWER, OPERATOR, ADMIN = ROLES = ("viewer", "operator", "admin")
"""Who may do what; each may also do what those before it may."""

MAX_LINES = 100_000
"""Most lines of output that one request may ask for."""
MAX_PAGE = 1000
"""Most rows that one reply holds; the rest comes with ``next``."""

JOB_TARGETS = array("names, patterns, `tag:TAG` or `all`", string("a target"), minItems=1)
TARGETS = array("names, patterns, `tag:TAG`, `all` or runs", string("a target"), minItems=1)
REQUEST_ID = string(
    "any text unique to this request: repeated within a day it has one effect and the "
    "same answer",
    maxLength=200,
)
FORCE = boolean("although it is paused, stopped or disabled")


class Method:
    """One method.

    Attributes:
        name: ``noun.verb``.
        summary: What it does, in one line.
        role: The least role that may call it.
        params: JSON Schema of its parameters.
        result: JSON Schema of its result.
        sends: Notifications that may follow, by name.
        is_mutating: Whether it changes anything; those take a ``request_id`` unless
            repeating them is pointless.
    """

    __slots__ = ("is_mutating", "name", "params", "result", "role", "sends", "summary")

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        summary: str,
        *,
        role: str = VIEWER,
        params: Schema | None = None,
        result: Schema | None = None,
        sends: dict[str, Schema] | None = None,
        is_mutating: bool = False,
    ) -> None:
        self.name = name
        self.summary = summary
        self.role = role
        self.params = params or record({})
        self.result = result or record({}, is_open=True)
        self.sends = sends or {}
        self.is_mutating = is_mutating

    @property
    def is_repeatable(self) -> bool:
        """Whether a repeated call is known as one, by its ``request_id``."""
        return "request_id" in self.params["properties"]


def reading(name: str, summary: str, params: Schema, result: Schema, **sends: Schema) -> Method:
    """Return a method that changes nothing, which a viewer may call."""
    return Method(name, summary, params=params, result=result, sends=sends)


def changing(
    name: str,
    summary: str,
    params: Schema,
    result: Schema,
    *,
    role: str = OPERATOR,
) -> Method:
    """Return a method that changes something, which takes a ``request_id``."""
    properties = {**params["properties"], "request_id": REQUEST_ID}
    params = record(properties, tuple(params.get("required", ())))
    return Method(name, summary, role=role, params=params, result=result, is_mutating=True)


def on_targets(name: str, summary: str, **more: Schema) -> Method:
    """Return a changing method whose answer tells about each job of its targets."""
    return changing(
        name, summary, record({"targets": JOB_TARGETS, **more}, ("targets",)), shapes.ACTED
    )
