"""From a request to its answer: validation, role, idempotency, audit, and the handler.

Invariants: a change is committed before it is answered (I1); a request id has one effect; each
change is in the audit log; a mistake in a handler is that request's failure and nothing else's.

Changes that only decide (`Decision`) are made together when a client sends one after the other:
in their order and each refused on its own, but in one transaction, and with one write of the
audit log.
"""

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import trio

from claw import errors
from claw.commands import methods
from claw.commands.method import ADMIN, ROLES, Method
from claw.kernel import clock
from claw.master.control.access import Access
from claw.master.control.auditor import Auditor, Done
from claw.master.control.connection import Connection
from claw.master.control.peers import Peer
from claw.master.engine import requests
from claw.master.engine.turn import Turn
from claw.master.wiring import Json, Services
from claw.store.database import Answer
from claw.wire.control import Request

log = logging.getLogger("claw.calls")

PATIENT = frozenset({"run.wait"})
"""Methods that only wait: other requests of the same connection overtake them."""

HELLO = "hello"

TOGETHER = 32
"""So many requests, of all clients, are in hand at a time beside one of each: those that flood
make neither a turn nor a decision long for the others."""

Params = dict[str, Any]
Decide = Callable[[Turn], Json]


class Call:
    """One request on its way: what a handler gets beside its parameters.

    Attributes:
        params: Without the request id, once it is begun.
        is_begun: It may be carried out.
        answer: What has come of it; None: nothing yet, or it was interrupted.
        outcome: The same, as the audit log says it.
    """

    def __init__(
        self, services: Services, connection: Connection, method: Method, params: Params
    ) -> None:
        self.services = services
        self.connection = connection
        self.method = method
        self.params = params
        self.request_id: str | None = None
        self.is_begun = False
        self.answer: Answer[Json] | None = None
        self.outcome = "interrupted"
        self._digest = ""
        self._is_repeated = False
        self._is_remembered = False

    def begin(self) -> None:
        """Take the request id out of what has been found to be as it has to be."""
        if self.method.is_repeatable:
            self.request_id = self.params.pop("request_id", None)
        if self.request_id is not None:
            self._digest = _digest_of(self.method.name, self.params)
        self.is_begun = True

    def settle(self, result: Json | None = None, error: BaseException | None = None) -> None:
        """Take what has come of it; a mistake of ours is told as one, and logged."""
        if error is None:
            self.outcome = "repeated" if self._is_repeated else "ok"
        else:
            error = error if isinstance(error, errors.ClawError) else self._mistake(error)
            self.outcome = error.code
        self.answer = Answer(result, error)

    def _mistake(self, error: BaseException) -> errors.ClawError:
        log.error("%s failed by mistake", self.method.name, exc_info=error)
        told = errors.InternalError(
            f"{self.method.name} failed: {type(error).__name__}",
            hint="this is a mistake in claw; the master's log has the details",
        )
        told.__cause__ = error
        return told

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

    async def commit(self, decide: Decide) -> Json:
        """Decide inside a transaction, have the effects performed, return the answer.

        The answer is remembered under the request id in the same transaction. Once begun,
        this is not cancelled half-way.

        Raises:
            ClawError: It is refused, or cannot be stored; nothing has happened.
        """

        def inside(turn: Turn) -> Json:
            result = decide(turn)
            self._remember(turn, result)
            return result

        [answer] = await self.services.commit([inside])
        result = answer.unwrap()
        self._is_remembered = True
        return result

    def once(self, decide: Decide) -> Decide:
        """Return a decision that is made unless the request id has had its effect already."""
        if self.request_id is None:
            return decide

        def inside(turn: Turn) -> Json:
            earlier = self._recall(turn)
            if earlier is not None:
                return earlier
            result = decide(turn)
            self._remember(turn, result)
            return result

        return inside

    async def recall(self) -> Json | None:
        """Return the answer that this request id was given before, if it was.

        Raises:
            ConflictError: The id was another request's.
        """
        [answer] = await self.services.commit([self._recall])
        return answer.unwrap()

    def _recall(self, turn: Turn) -> Json | None:
        self._is_repeated = False  # it may be called again
        name = self.method.name
        known = requests.recall(turn, self.request_key, name)
        if not isinstance(known, dict):
            return None
        if known["digest"] != self._digest:
            raise errors.ConflictError(
                f"request id {self.request_id!r} was used for another {name}",
                hint="give each request an id of its own",
            )
        self._is_repeated = True
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


class Decision:
    """A `Handler` of changes that does nothing but decide."""

    def __init__(self, prepare: Callable[[Call, Params], Decide]) -> None:
        """Take what says what is to be decided, or raises the `ClawError` of a refusal."""
        self.prepare = prepare

    async def __call__(self, call: Call, params: Params) -> Json:
        """Carry out one by itself."""
        return await call.commit(self.prepare(call, params))


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
        self._in_hand: dict[str | None, trio.Event] = {}  # by request id: alone
        self._beside = 0

    def is_patient(self, request: Request) -> bool:
        """Tell whether a request only waits, so that others need not wait for it."""
        return request.method in PATIENT

    def is_change(self, request: Request) -> bool:
        """Tell whether a request is to be carried out although nobody hears the answer."""
        method = methods.METHODS.get(request.method)
        return method is not None and method.is_mutating

    def joins(self, request: Request) -> bool:
        """Tell whether a request can be answered along with others of its kind."""
        return isinstance(self._handlers.get(request.method), Decision)

    async def answer(
        self, connection: Connection, asked: Sequence[Request]
    ) -> list[Answer[Json]]:
        """Answer a request, or the first of several that can be answered along with others.

        Returns:
            What has come of them, in their order: of as many as there is room for.
        """
        asked = asked[: 1 + TOGETHER - self._beside]
        try:
            calls = [self._call(connection, request) for request in asked]
        except errors.UnknownMethodError as error:
            return [Answer(error=error)]
        self._beside += len(calls) - 1
        try:
            await self._carry_out(calls)
        finally:
            self._beside -= len(calls) - 1
            self._auditor.write(connection.peer, _to_be_written_down(calls))
        return [call.answer for call in calls if call.answer is not None]

    def _call(self, connection: Connection, request: Request) -> Call:
        method = methods.method(request.method)
        return Call(self._services, connection, method, request.params)

    async def _carry_out(self, calls: Sequence[Call]) -> None:
        """See to it that each call is answered; what they decide is decided together."""
        decisions: list[tuple[Call, Decide]] = []
        for call in calls:
            await trio.lowlevel.checkpoint()  # others come first, however many these are
            try:
                handler = self._handlers[call.method.name]
                await self._admit(call)
                if isinstance(handler, Decision):
                    decide = handler.prepare(call, call.params)
                    decisions.append((call, call.once(decide)))
                else:
                    call.settle(await self._carry_out_alone(call, handler))
            except Exception as error:  # noqa: BLE001  it is for who asked, and no other
                call.settle(error=error)
        if decisions:
            await self._decide_together(decisions)

    async def _admit(self, call: Call) -> None:
        """See that a call may be carried out.

        Raises:
            ClawError: It is refused.
        """
        await self._permit(call.connection, call.method)
        methods.validate(call.method.name, call.params)
        _refuse_broken_text(call.params)
        if self._access is not None and call.method.name == HELLO:
            await self._access.show_token(call.connection, call.params.get("token", ""))
        call.begin()

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

    async def _decide_together(self, decisions: Sequence[tuple[Call, Decide]]) -> None:
        """Settle calls, once nothing else is in hand that has one of their request ids."""
        keys = {call.request_key for call, _ in decisions}
        while in_hand := keys & self._in_hand.keys():
            await self._in_hand[in_hand.pop()].wait()
        answers = await self._services.commit([decide for _, decide in decisions])
        for (call, _), answer in zip(decisions, answers, strict=True):
            call.settle(answer.value, answer.error)

    async def _carry_out_alone(self, call: Call, handler: Handler) -> Json:
        """Carry a request out, unless its id has had its effect already.

        The same request that comes while the first is in hand waits for that.
        """
        key = call.request_key
        if key is None:
            return await handler(call, call.params)
        while (others := self._in_hand.get(key)) is not None:
            await others.wait()
        done = self._in_hand[key] = trio.Event()
        try:
            earlier = await call.recall()
            if earlier is not None:
                return earlier
            result = await handler(call, call.params)
            await call.remember(result)
            return result
        finally:
            del self._in_hand[key]
            done.set()


def _to_be_written_down(calls: Sequence[Call]) -> list[Done]:
    """Return what the audit log is told of: changes, and refusals for want of a right."""
    denied = errors.DeniedError.code
    return [
        (call.method.name, call.params, call.outcome)
        for call in calls
        if (call.method.is_mutating if call.is_begun else call.outcome == denied)
    ]


_as_it_is = json.JSONEncoder(ensure_ascii=False).encode


def _digest_of(method: str, params: Params) -> str:
    text = json.dumps([method, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_broken_text(params: Params) -> None:
    """Refuse half a surrogate pair: it is no text that a file or the database takes."""
    try:
        _as_it_is(params).encode()
    except UnicodeEncodeError as error:
        raise errors.UsageError(
            "a text of the request has half a surrogate pair in it",
            hint="send text as UTF-8, or both halves",
        ) from error
