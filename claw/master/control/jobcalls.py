"""What the children of runs may ask for, on a socket of their own that all users can reach.

The first request is ``hello`` with the token of a run (``CLAW_TOKEN``); all that follows is
asked for by that run, whatever name anybody gives. A token ends with its run. Others, of any
user, may show a token for events (`claw.master.engine.happenings.issue`) and tell of those.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import claw
from claw.commands import methods
from claw.errors import ClawError, DeniedError, RequestError
from claw.master.control.auditor import Auditor
from claw.master.control.calls import Calls, Handler
from claw.master.control.connection import Connection
from claw.master.tokens import Tokens
from claw.master.wiring import Json, Services
from claw.store.database import Answer
from claw.wire.control import PROTOCOL_VERSION, Request

CHILD = "child"
"""What ``hello`` says of a child's role."""
OF_GUESTS = frozenset({"approval.list", "approval.approve", "approval.reject"})
"""Methods that need no token: it is the user who counts, whom the kernel names."""
BRIDGE = "bridge"
"""What it says to one who has shown a token for events."""
_FOR_BRIDGES = ["event.emit"]


class JobCalls:
    """Carries the requests of children out; the `Answerer` of their connections."""

    def __init__(
        self, services: Services, handlers: Mapping[str, Handler], tokens: Tokens
    ) -> None:
        """Take who carries out what a child may ask for, by method."""
        self._services = services
        self._allowed = sorted(handlers)
        self._calls = Calls(services, handlers, None, Auditor(services.audit))
        self._tokens = tokens

    def is_patient(self, request: Request) -> bool:
        """Tell whether a request only waits, so that others need not wait for it."""
        return self._calls.is_patient(request)

    def is_change(self, request: Request) -> bool:
        """Tell whether a request is to be carried out although nobody hears the answer."""
        return self._calls.is_change(request)

    def joins(self, _request: Request) -> bool:
        """Tell that each request is answered by itself: its run may be over meanwhile."""
        return False

    async def answer(
        self, connection: Connection, asked: Sequence[Request]
    ) -> list[Answer[Json]]:
        """Return what has come of the one request."""
        [request] = asked
        try:
            if request.method == "hello":
                return [Answer(await self._hello(connection, request.params))]
            await self._admit(connection, request)
        except ClawError as error:
            return [Answer(error=error)]
        return await self._calls.answer(connection, asked)

    async def _admit(self, connection: Connection, request: Request) -> None:
        """See that who asks may.

        Raises:
            ClawError: They may not.
        """
        methods.method(request.method)
        if request.method in OF_GUESTS:
            return
        allowed = self._allowed if connection.bridge is None else _FOR_BRIDGES
        if request.method not in allowed:
            raise DeniedError(
                f"{request.method} is not for {_WHO[connection.bridge is None]}",
                hint=f"they may call {', '.join(allowed)}",
            )
        if connection.bridge is not None:
            return
        if connection.run is None:
            raise DeniedError(
                "nobody knows whose child this is", hint="first: hello, with $CLAW_TOKEN"
            )
        await self._see_that_it_lives(connection.run)

    async def _hello(self, connection: Connection, params: dict[str, Any]) -> Json:
        methods.validate("hello", params)
        run, bridge = self._read(params.get("token", ""))
        if run is not None:
            await self._see_that_it_lives(run)
            connection.be_of(run)
        elif bridge is not None:
            connection.be_bridge(bridge)
        else:
            raise DeniedError(
                "that is the token of no run, and none for events",
                hint="a child's is in $CLAW_TOKEN; clawctl emit --new-token makes the others",
            )
        said = {
            "protocol": PROTOCOL_VERSION,
            "version": claw.__version__,
            "role": BRIDGE if run is None else CHILD,
            "pid": os.getpid(),
        }
        return said if run is None else {**said, "run": run}

    def _read(self, token: str) -> tuple[str | None, str | None]:
        """Return the run whose token that is, or the id of a token for events."""
        try:
            return self._tokens.run_of(token), self._tokens.bridge_of(token)
        except OSError as error:
            raise RequestError(f"no token can be read: {error}") from error

    async def _see_that_it_lives(self, run_id: str) -> None:
        run = await self._services.store.read(lambda tx: tx.run(run_id))
        if run is None or not run.is_active:
            raise DeniedError("the run of that token is over, and the token with it")


_WHO = {True: "the children of runs", False: "those who have a token for events"}
