"""What the master asks of a supervisor: one method for each operation.

See `claw.wire.supervision` for what is said.
"""

from claw import __version__
from claw.kernel import memory
from claw.kernel.bare import os
from claw.supervisor import entries, machine
from claw.supervisor.case import Case
from claw.supervisor.control import Peer
from claw.supervisor.ending import Ending
from claw.supervisor.errands import GONE, Errands
from claw.supervisor.fostering import Fostering
from claw.supervisor.readiness import Readiness
from claw.supervisor.warm import Warm
from claw.wire.supervision import MEMORY, Launch, Message


class Requests:
    """Answers requests; an answer of None comes later, by ``peer.send``."""

    __slots__ = ("_case", "_ending", "_errands", "_fostering", "_readiness", "_warm")

    def __init__(
        self,
        case: Case,
        parts: tuple[Ending, Errands, Readiness],
        fostering: Fostering,
        warm: Warm,
    ) -> None:
        self._case = case
        self._warm = warm
        self._ending, self._errands, self._readiness = parts
        self._fostering = fostering

    def handle(self, peer: Peer, message: Message) -> Message | None:
        """Answer one request, whatever is wrong with it."""
        handler = getattr(self, f"_op_{message.get('op')}", None)
        if handler is None:
            return {"error": f"unknown operation {message.get('op')!r}"}
        if message.get("run", self._case.launch.run) != self._case.launch.run:
            # It has ended; or is not here yet, and is stopped when it is.
            return {} if message["op"] == "stop" else {"error": GONE}
        try:
            return handler(peer, message)  # type: ignore[no-any-return]
        except KeyError as error:
            return {"error": f"the request has no {error}"}
        except (OSError, TypeError, ValueError) as error:
            return {"error": str(error)}

    def _op_hello(self, _peer: Peer, _message: Message) -> Message:
        state = self._case.state
        return {
            "pid": os.getpid(),
            "run": self._case.launch.run,
            "attempt": state.attempt,
            "child": state.pid if state.phase == machine.UP else None,
            "phase": state.phase,
            "stopping": state.stop is not None and not state.stop.is_failure,
            "journal": self._case.spool.size,
            "version": __version__,
        }

    def _op_launch(self, _peer: Peer, message: Message) -> Message | None:
        return self._warm.ask(message)

    def _op_stop(self, _peer: Peer, message: Message) -> Message:
        if self._case.state.phase == machine.ENDED:
            return {}
        if message.get("attempt", self._case.state.attempt) != self._case.state.attempt:
            return {}  # what it is about has ended
        grace_s = message.get("grace_s")
        self._ending.ask(
            message["why"],
            message.get("by", ""),
            self._case.launch.grace_s if grace_s is None else float(grace_s),
            message.get("text", ""),
        )
        return {}

    def _op_withdraw(self, _peer: Peer, message: Message) -> Message:
        return {"withdrawn": self._case.withdraw(message["why"])}

    def _op_ready(self, _peer: Peer, message: Message) -> Message:
        if message["attempt"] == self._case.state.attempt:
            self._readiness.note(message["by"])
        return {}

    def _op_unready(self, _peer: Peer, message: Message) -> Message:
        if message["attempt"] == self._case.state.attempt:
            self._readiness.hindrance = message["why"]
        return {}

    def _op_health(self, _peer: Peer, message: Message) -> Message:
        state = self._case.state
        if message["attempt"] == state.attempt and self._case.is_child_up:
            self._case.note(entries.health(state, message["state"], message.get("why", "")))
        return {}

    def _op_signal(self, _peer: Peer, message: Message) -> Message:
        if not self._case.is_child_up:
            return {"sent": False}
        self._case.custody.signal(int(message["number"]))
        return {"sent": True}

    def _op_type(self, _peer: Peer, message: Message) -> Message:
        if not self._case.is_child_up:
            return {"taken": None}
        return {"taken": self._case.console.type(message["data"].encode("latin-1"))}

    def _op_resize(self, _peer: Peer, message: Message) -> Message:
        self._case.console.resize(int(message["rows"]), int(message["columns"]))
        return {}

    def _op_perform(self, peer: Peer, message: Message) -> Message | None:
        state, number = self._case.state, message.get("id")
        is_present = message.get("attempt", state.attempt) == state.attempt
        if not (is_present and self._case.is_child_up):
            return {"error": GONE}

        def ended(said: Message) -> None:
            if not peer.is_closed:
                peer.send({"id": number, **said})

        self._errands.begin(message["what"], float(message["timeout_s"]), ended)
        return None

    def _op_refresh(self, _peer: Peer, message: Message) -> Message:
        launch, case = Launch.of(message["launch"]), self._case
        fd = memory.sealed(f"claw:{launch.job}", launch.encode())
        os.close(case.handed.kept[MEMORY])
        case.handed.kept[MEMORY] = fd
        mine = case.launch
        mine.env, mine.refers, mine.held = launch.env, launch.refers, launch.held
        mine.secrets = launch.secrets
        return {"attempt": case.state.attempt}

    def _op_hand(self, _peer: Peer, message: Message) -> Message:
        self._fostering.hand(message["path"])
        return {}
