"""What the children of runs may ask for, on a socket of their own that all users can reach.

The first request is ``hello`` with the token of a run (``CLAW_TOKEN``); all that follows is
asked for by that run, whatever name anybody gives. A token ends with its run.
"""

import os
from typing import Any

import claw
from claw.commands import methods
from claw.errors import DeniedError, RequestError
from claw.master.control.calls import Calls
from claw.master.control.connection import Connection
from claw.master.tokens import Tokens
from claw.master.wiring import Json, Services
from claw.wire.control import PROTOCOL_VERSION, Request

CHILD = "child"
"""What ``hello`` says of a child's role."""
ALLOWED = frozenset({"idem.check", "idem.claim", "idem.release", "run.set_result", "run.show"})
"""Methods that a child may call, beside ``hello``."""


class JobCalls:
    """Carries the requests of children out; the `Answerer` of their connections."""

    def __init__(self, services: Services, calls: Calls, tokens: Tokens) -> None:
        self._services = services
        self._calls = calls
        self._tokens = tokens

    def is_patient(self, _request: Request) -> bool:
        """Tell whether a request only waits: none of these does."""
        return False

    def is_change(self, request: Request) -> bool:
        """Tell whether a request is to be carried out although nobody hears the answer."""
        return self._calls.is_change(request)

    async def answer(self, connection: Connection, request: Request) -> Json:
        """Return the result of a request.

        Raises:
            ClawError: It is refused, or has failed.
        """
        if request.method == "hello":
            return await self._hello(connection, request.params)
        methods.method(request.method)
        if request.method not in ALLOWED:
            raise DeniedError(
                f"{request.method} is not for the children of runs",
                hint=f"they may call {', '.join(sorted(ALLOWED))}",
            )
        if connection.run is None:
            raise DeniedError(
                "nobody knows whose child this is", hint="first: hello, with $CLAW_TOKEN"
            )
        await self._see_that_it_lives(connection.run)
        if request.method == "run.show" and request.params.get("run") != connection.run:
            raise DeniedError(f"a child is told of its own run alone, {connection.run}")
        return await self._calls.answer(connection, request)

    async def _hello(self, connection: Connection, params: dict[str, Any]) -> Json:
        methods.validate("hello", params)
        run = self._run_of(params.get("token", ""))
        if run is None:
            raise DeniedError("that is the token of no run", hint="$CLAW_TOKEN has it")
        await self._see_that_it_lives(run)
        connection.be_of(run)
        return {
            "protocol": PROTOCOL_VERSION,
            "version": claw.__version__,
            "role": CHILD,
            "pid": os.getpid(),
            "run": run,
        }

    def _run_of(self, token: str) -> str | None:
        try:
            return self._tokens.run_of(token)
        except OSError as error:
            raise RequestError(f"no token can be read: {error}") from error

    async def _see_that_it_lives(self, run_id: str) -> None:
        run = await self._services.store.read(lambda tx: tx.run(run_id))
        if run is None or not run.is_active:
            raise DeniedError("the run of that token is over, and the token with it")
