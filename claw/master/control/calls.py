"""From a request to its answer: validation, role, idempotency, audit, and the handler.

Invariants: a change is committed before it is answered (I1); a request id has one effect; each
change is in the audit log; a mistake in a handler is that request's failure and nothing else's.
"""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from claw import errors
from claw.commands import methods
from claw.commands.method import ADMIN, ROLES, Method
from claw.kernel import clock
from claw.master.control.access import Access
from claw.master.control.auditor import Auditor
from claw.master.control.connection import Connection
from claw.master.control.peers import Peer
from claw.master.engine import requests
from claw.master.engine.turn import Turn
from claw.master.wiring import Json, Services
from claw.wire.control import Request

log = logging.getLogger("claw.calls")

PATIENT = frozenset({"run.wait"})
"""Methods that only wait: other requests of the same connection overtake them."""

HELLO = "hello"

Params = dict[str, Any]


class Call:
    """One request on its way: what a handler gets beside its parameters."""

    def __init__(
        self, services: Services, connection: Connection, method: Method, params: Params
    ) -> None:
        self.services = services
        self.connection = connection
        self.method = method
        request_id = params.pop("request_id", None) if method.is_repeatable else None
        self.request_id: str | None = request_id
        self._digest = _digest_of(method.name, params)
        self._is_remembered = False
        self.outcome = "ok"

    @property
    def peer(self) -> Peer:
        """Who asks."""
        return self.connection.peer

    @property
    def by(self) -> str:
        """Who asks, as events and runs name them."""
        return self.peer.name

    @property
    def is_limited(self) -> bool:
        """Whether it is an operator's: with only what a job allows those to set for a run."""
        return not self.peer.is_guest and self.peer.role != ADMIN

    @property
    def _asker(self) -> str:
        """Whose request ids are told from those of others: a run's, or a user's."""
        return self.connection.run or str(self.peer.uid)

    async def commit(self, decide: Callable[[Turn], Json]) -> Json:
        """Decide inside a transaction, have the effects performed, return the answer.

        The answer is remembered under the request id in the same transaction. Once begun,
        this is not cancelled half-way.
        """

        def inside(turn: Turn) -> Json:
            result = decide(turn)
            self._remember(turn, result)
            return result

        result = await self.services.commit(inside)
        self._is_remembered = True
        return result

    async def recall(self) -> Json | None:
        """Return the answer that this request id was given before, if it was.

        Raises:
            ConflictError: The id was another request's.
        """
        name = self.method.name
        known = await self.services.decide(
            lambda turn: requests.recall(turn, self.request_key, name)
        )
        if not isinstance(known, dict):
            return None
        if known["digest"] != self._digest:
            raise errors.ConflictError(
                f"request id {self.request_id!r} was used for another {name}",
                hint="give each request an id of its own",
            )
        self.outcome = "repeated"
        result: Json = known["result"]
        return result

    async def remember(self, result: Json) -> None:
        """Keep the answer, unless `commit` has done so together with the effect."""
        if not self._is_remembered:
            await self.services.decide(lambda turn: self._remember(turn, result))

    def _remember(self, turn: Turn, result: Json) -> None:
        if self.request_id is not None:
            turn.tx.forget_requests(turn.now - requests.KEPT)
            answer = {"digest": self._digest, "result": result}
            requests.remember(turn, self.request_key, self.method.name, answer)

    @property
    def key(self) -> str:
        """What makes that which this request asks for the only one of its kind."""
        return self.request_key or f"{self._asker}:{clock.random(12).hex()}"

    @property
    def request_key(self) -> str | None:
        """The request id, as the store knows it: two users' ids are two, and two runs'."""
        return None if self.request_id is None else f"{self._asker}:{self.request_id}"


Handler = Callable[[Call, Params], Awaitable[Json]]


class Calls:
    """Carries requests out; the `Answerer` of every connection."""

    def __init__(
        self,
        services: Services,
        handlers: Mapping[str, Handler],
        access: Access | None,
        auditor: Auditor,
    ) -> None:
        """Take who carries out what.

        Args:
            services: What they work with.
            handlers: By method.
            access: Says who may ask; None: the handlers see for themselves that a child may
                have it, whatever its role.
            auditor: Writes down what is asked for.
        """
        self._services = services
        self._handlers = handlers
        self._access = access
        self._auditor = auditor
        self._in_hand: dict[str, trio.Event] = {}

    def is_patient(self, request: Request) -> bool:
        """Tell whether a request only waits, so that others need not wait for it."""
        return request.method in PATIENT

    def is_change(self, request: Request) -> bool:
        """Tell whether a request is to be carried out although nobody hears the answer."""
        method = methods.METHODS.get(request.method)
        return method is not None and method.is_mutating

    async def answer(self, connection: Connection, request: Request) -> Json:
        """Return the result of a request.

        Raises:
            ClawError: It is refused, or has failed.
        """
        method = methods.method(request.method)
        try:
            return await self._answer(connection, method, request.params)
        except errors.ClawError:
            raise
        except Exception as error:  # a mistake in one handler must not end the master
            log.exception("%s failed by mistake", method.name)
            raise errors.InternalError(
                f"{method.name} failed: {type(error).__name__}",
                hint="this is a mistake in claw; the master's log has the details",
            ) from error

    async def _answer(self, connection: Connection, method: Method, params: Params) -> Json:
        try:
            await self._permit(connection, method)
            methods.validate(method.name, params)
            _refuse_broken_text(params)
            if self._access is not None and method.name == HELLO:
                await self._access.show_token(connection, params.get("token", ""))
        except errors.DeniedError as error:
            self._auditor.write(connection.peer, method.name, params, error.code)
            raise
        handler = self._handlers[method.name]
        call = Call(self._services, connection, method, params)
        if method.is_mutating:
            return await self._change(call, params, handler)
        return await handler(call, params)

    async def _permit(self, connection: Connection, method: Method) -> None:
        """See that who asks may: the one place where roles decide.

        Raises:
            DeniedError: Their role is not enough, or they have none (any more).
        """
        if self._access is None:
            return
        await self._access.admit(connection, is_hello=method.name == HELLO)
        peer = connection.peer
        if ROLES.index(peer.role) < ROLES.index(method.role):
            raise errors.DeniedError(
                f"{method.name} needs the role {method.role}; {peer.name} is {peer.role}"
            )

    async def _change(self, call: Call, params: Params, handler: Handler) -> Json:
        """Have a change made and written down, whatever becomes of it."""
        try:
            return await self._change_once(call, params, handler)
        except errors.ClawError as error:
            call.outcome = error.code
            raise
        except trio.Cancelled:
            call.outcome = "interrupted"
            raise
        except Exception:
            call.outcome = errors.InternalError.code
            raise
        finally:
            self._auditor.write(call.peer, call.method.name, params, call.outcome)

    async def _change_once(self, call: Call, params: Params, handler: Handler) -> Json:
        """Make a change, unless its request id has had its effect already.

        The same request that comes while the first is in hand waits for that.
        """
        key = call.request_key
        if key is None:
            return await handler(call, params)
        while (others := self._in_hand.get(key)) is not None:
            await others.wait()
        done = self._in_hand[key] = trio.Event()
        try:
            earlier = await call.recall()
            if earlier is not None:
                return earlier
            result = await handler(call, params)
            await call.remember(result)
            return result
        finally:
            del self._in_hand[key]
            done.set()


def _digest_of(method: str, params: Params) -> str:
    text = json.dumps([method, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_broken_text(params: Params) -> None:
    """Refuse half a surrogate pair: it is no text that a file or the database takes."""
    try:
        json.dumps(params, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise errors.UsageError(
            "a text of the request has half a surrogate pair in it",
            hint="send text as UTF-8, or both halves",
        ) from error
