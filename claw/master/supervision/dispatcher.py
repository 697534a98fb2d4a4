"""From claimed runs to living supervisors.

One pass of the gates at a time (`pulse`), whenever something may have become free to go; each
claim is launched by a task of its own, so that one slow launch holds up no other.
"""

import logging
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime  # noqa: TC003
from typing import TypeVar

import trio

from claw.errors import StoreError
from claw.kernel import socket
from claw.master.confidant import Confidant
from claw.master.engine import journal
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.master.supervision import handing, launches, results
from claw.master.supervision.launcher import ForkServer, LaunchRefusedError
from claw.master.supervision.launches import Surroundings
from claw.master.supervision.linefeed import LostError
from claw.master.supervision.links import Links
from claw.master.supervision.pulse import Passed, Pulse
from claw.master.supervision.sockets import Sockets, UnopenedError
from claw.master.supervision.ticker import Ticker
from claw.master.supervision.withdrawals import Withdrawals
from claw.master.tokens import Tokens
from claw.model import reference
from claw.model.home import Home
from claw.model.job import JobType
from claw.secrets.resolving import UnresolvedError
from claw.store.database import Answer
from claw.wire.supervision import Launch, Message

T = TypeVar("T")
_LOG = logging.getLogger("claw.dispatch")
_PAUSE_S = 1.0
_MOST_AHEAD = 8
"""Launches that the fork server is asked for before they are due: those behind can be called
off, and what is due goes before them."""
_KEEPER_PAUSE_S = 10.0
"""Until who keeps secrets and does not answer is asked again."""


class Dispatcher:
    """Claims what may run, and launches it."""

    def __init__(
        self,
        home: Home,
        pulse: Pulse,
        fork_server: ForkServer,
        links: Links,
        sockets: Sockets,
        means: tuple[Surroundings, Confidant],
    ) -> None:
        self._home = home
        self.pulse = pulse
        self._decide = pulse.decider
        self._fork_server = fork_server
        self._links = links
        self._sockets = sockets
        self._around, self._confidant = means
        self._outlines = launches.Outlines(home)
        self.tokens = Tokens(home.token_key)
        pulse.free = links.free
        links.on_refused = self._on_refused
        self.withdrawals = Withdrawals(links)
        self._ahead = trio.Semaphore(_MOST_AHEAD)
        self._passed: deque[Passed] = deque()
        self._refused: deque[Message] = deque()
        self._is_asked = False
        self._mistake = ""  # the last pass failed by it
        self._wake = trio.Event()
        self._on_next_due: Callable[[datetime | None], None] = lambda _at: None

    def go_by(self, ticker: Ticker) -> None:
        """Look at the queue when a ticker says so, and launch what it has armed."""
        ticker.on_run_due = self.wake
        ticker.on_armed = self.take_armed
        ticker.may_arm = lambda: self._fork_server.waits
        self._on_next_due = ticker.expect_run

    def wake(self) -> None:
        """Something may have become free to go."""
        self._is_asked = True
        self._wake.set()

    async def serve(self, nursery: trio.Nursery) -> None:
        """Dispatch whenever woken; launches and links run in ``nursery``."""
        self.pulse.on_passed = self._take
        self._nursery = nursery
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._refused:
                nursery.start_soon(self._undo_refused, self._refused.popleft())
            if self._is_asked:
                self._is_asked = False
                await self._pass_safely()
            while self._passed:
                await self._follow(self._passed[0], nursery)
                self._passed.popleft()

    async def _follow(self, passed: Passed, nursery: trio.Nursery) -> None:
        """Do what a pass has come to."""
        if passed.needed is not None:
            await self._sockets.settle(passed.needed)
        for claim in passed.claims:
            if claim.begin_at is not None:
                nursery.start_soon(self._launch_ahead, claim, nursery)
            elif claim.offset:
                nursery.start_soon(self._hand, claim)
            else:
                nursery.start_soon(self._launch, claim, nursery)

    async def _pass_safely(self) -> None:
        """Have the gates passed; what fails is tried again after a pause."""
        try:
            await self.pulse.pass_gates()
        except StoreError as error:
            _LOG.error("nothing can be started: %s", error)
        except Exception as error:  # noqa: BLE001  a mistake of ours must not end the master
            if repr(error) != self._mistake:
                _LOG.exception("nothing can be started; trying again, and what fails alike")
            self._mistake = repr(error)
        else:
            self._mistake = ""
            return
        await trio.sleep(_PAUSE_S)
        self.wake()

    def _take(self, passed: Passed) -> None:
        """Take what a pass has come to; what is claimed is expected from now on.

        It is on disk: so what is not handed on by a mistake of ours is launched nevertheless.
        """
        needed, later, is_settled = passed.needed, list(passed.claims), False
        is_latest = not self._passed  # else an earlier one may have sockets shut after it
        try:
            self._on_next_due(passed.next_due)
            is_settled = needed is not None and is_latest and self._sockets.is_settled(needed)
            for claim in passed.claims:
                if self._expect(claim) and is_settled and self._hand_at_once(claim):
                    later.remove(claim)
        finally:
            if later or not is_settled:
                self._passed.append(replace(passed, claims=tuple(later)))
                self._wake.set()

    def _expect(self, claim: Claim) -> bool:
        """Have a claim's supervisor expected; tell whether it is there already."""
        if claim.offset and self._links.expect_again(claim.sid):
            return True
        self._links.expect(claim.sid, claim.offset)
        if claim.offset:  # it has gone: who follows it finds that out
            self._nursery.start_soon(self._links.watch, claim.sid, claim.offset)
        return False

    def take_armed(self, claims: tuple[Claim, ...]) -> None:
        """Launch what was claimed before it is due."""
        for claim in claims:
            self._links.expect(claim.sid)
            self.withdrawals.expect(claim.sid)
        self._passed.append(Passed(claims, None, None))
        self._wake.set()

    async def _launch_ahead(self, claim: Claim, nursery: trio.Nursery) -> None:
        """Launch what is armed, unless it has been called off while it was in line."""
        async with self._ahead:
            if self.withdrawals.may_begin(claim.sid):
                await self._launch(claim, nursery)
                return
        self._links.forget(claim.sid)
        await self._decide.patiently(
            lambda turn: journal.never_launched(turn, claim.run.id, claim.attempt)
        )

    async def ask(self, asked: Sequence[Callable[[Turn], T]]) -> list[Answer[T]]:
        """Make decisions that clients ask for; what they have withdrawn has not begun then.

        Args:
            asked: As for `Pulse.ask`, and so are the answers.
        """
        answers = await self.pulse.ask(asked)
        await self.withdrawals.settled()
        return answers

    async def _launch(self, claim: Claim, nursery: trio.Nursery) -> None:
        """Have a claim's supervisor forked, and follow it."""
        try:
            ours, theirs = socket.pair()
        except OSError as error:
            await self._undo(claim, f"cannot launch: {error}", retryable=True)
            return
        try:
            await self._ask(claim, theirs.fileno())
        except LaunchRefusedError as error:
            ours.close()
            await self._undo(
                claim, error.message, retryable=error.retryable, wait_s=error.wait_s
            )
            return
        except UnopenedError as error:
            ours.close()
            wait_s = error.wait_s
            await self._undo(claim, error.message, retryable=wait_s is not None, wait_s=wait_s)
            return
        except LostError:
            ours.close()
            nursery.start_soon(self._links.watch, claim.sid, 0)
            return
        finally:
            theirs.close()
        link = self._links.link_over(ours, claim.sid)
        nursery.start_soon(self._links.watch, claim.sid, 0, link)

    def _hand_at_once(self, claim: Claim) -> bool:
        """Give a claim to a supervisor that is there, if nothing of that takes waiting."""
        job = claim.job
        if job.user or job.group or claim.handed or launches.referring(job, claim.run):
            return False
        try:
            return self._links.hand_at_once(claim.sid, self._values(claim, self._around, {}))
        except LostError:  # who follows it sees to it
            return True
        except Exception:  # noqa: BLE001  `_hand` meets it too, and says so
            return False

    async def _hand(self, claim: Claim) -> None:
        """Give a claim to a supervisor that is there; if it goes, who follows it sees to it."""
        try:
            await self._links.hand(claim.sid, await self._build(claim))
        except LaunchRefusedError as error:
            self._links.let_go(claim.sid)
            await self._put_back(
                claim, error.message, retryable=error.retryable, wait_s=error.wait_s
            )
        except LostError:
            return

    def _on_refused(self, _sid: str, message: Message) -> None:
        self._refused.append(message)  # who is adopted may say so before `serve` has begun
        self._wake.set()

    async def _undo_refused(self, message: Message) -> None:
        await self._decide.patiently(
            lambda turn: journal.launch_refused(
                turn,
                message["run"],
                message["attempt"],
                message["error"],
                retryable=message["retryable"],
            )
        )

    async def _ask(self, claim: Claim, link_fd: int) -> None:
        try:
            sockets = await self._sockets.ready(claim.job) if claim.job.sockets else {}
        except OSError as error:
            raise LaunchRefusedError(f"cannot launch: {error}", retryable=True) from error
        launch = await self._build(claim)
        try:
            await self._fork_server.launch(launch, link_fd, sockets)
        except OSError as error:
            raise LaunchRefusedError(f"cannot launch: {error}", retryable=True) from error

    async def _build(self, claim: Claim) -> Launch:
        try:
            around = await self._around.of(claim.job)
            handed = await handing.hand(self._home, claim.run, around.identity, claim.handed)
            launch = Launch(**self._values(claim, around, handed))
            await self._fill(launch, claim)
        except UnresolvedError as error:
            wait_s = _KEEPER_PAUSE_S if error.is_passing else None
            raise LaunchRefusedError(
                error.message, retryable=error.is_passing, wait_s=wait_s
            ) from error
        except OSError as error:
            raise LaunchRefusedError(f"cannot launch: {error}", retryable=True) from error
        except LookupError as error:
            raise LaunchRefusedError(str(error), retryable=False) from error
        except (ArithmeticError, TypeError, ValueError) as error:
            # What no check of the configuration foresaw: one job fails, and no other.
            _LOG.exception("the launch of run %s cannot be made", claim.run.id)
            raise LaunchRefusedError(f"cannot launch: {error}", retryable=False) from error
        return launch

    def _values(
        self, claim: Claim, around: Surroundings, handed: Mapping[str, str]
    ) -> dict[str, object]:
        """Return what the launch of a claim says, but for what its environment refers to.

        Args:
            claim: What is claimed.
            around: What its child inherits from.
            handed: What tells its child of what it is given to read.
        """
        own = {**claim.own, **handed, "CLAW_SOCKET": self._home.job_socket}
        own["CLAW_TOKEN"] = self.tokens.of(claim.run.id)
        if claim.job.type is not JobType.CONTINUOUS:
            own |= results.prepare(self._home, claim.run, around.identity)
        outline = self._outlines.of(claim.job, self._decide.config().daemon, around)
        values = outline.values(claim.run, own)
        if claim.begin_at is not None:
            values["begin_at"] = claim.begin_at.timestamp()
            values["crowd_s"] = claim.crowd_s
        return values

    async def _fill(self, launch: Launch, claim: Claim) -> None:
        """Look up what a launch's environment refers to."""
        texts = launches.referring(claim.job, claim.run)
        if texts:
            identity = launch.identity
            found = await self._confidant.look_up(
                reference.of_all(texts.values()),
                for_another=identity is not None and identity[0] != os.geteuid(),
            )
            launches.fill(launch, texts, found, launch.attempt)

    async def _undo(
        self, claim: Claim, error: str, *, retryable: bool, wait_s: float | None = None
    ) -> None:
        self._links.forget(claim.sid)
        await self._put_back(claim, error, retryable=retryable, wait_s=wait_s)

    async def _put_back(
        self, claim: Claim, error: str, *, retryable: bool, wait_s: float | None = None
    ) -> None:
        _LOG.warning("run %s could not be launched: %s", claim.run.id, error)
        await self._decide.patiently(
            lambda turn: journal.launch_refused(
                turn, claim.run.id, claim.attempt, error, retryable=retryable, wait_s=wait_s
            )
        )
