"""The master's side of the fork server: finds the one that is there, or starts one.

The listening socket is made here and inherited, so that it can be connected to at once and
no request is lost while the interpreter starts.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import trio

import claw
from claw.errors import ClawError
from claw.kernel import channel, files, socket
from claw.master.reaper import Reaper
from claw.master.supervision import keeping
from claw.master.supervision.keeping import Kept
from claw.master.supervision.linefeed import LineLink, LostError
from claw.model.home import Home
from claw.wire import supervision
from claw.wire.supervision import Launch, Message

_LOG = logging.getLogger("claw.launcher")
_PAUSE_S = 0.2
_CODE = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from claw.supervisor.forkserver import main; main()"
)


class LaunchRefusedError(ClawError):
    """The fork server could not launch; nothing of the attempt has begun."""

    code = "launch_refused"

    def __init__(self, message: str, *, retryable: bool, wait_s: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.wait_s = wait_s


class Custodian(Protocol):
    """Sees that whatever becomes of fork servers, each run has one that knows it."""

    def on_launched(self, sid: str, kept: Kept, *, is_safe: bool) -> None:
        """A supervisor has been forked.

        Args:
            sid: Its id.
            kept: What it was given: the custodian's to keep and close.
            is_safe: The fork server lives that forked it.
        """

    async def on_new(self, link: LineLink) -> None:
        """A fork server is there; nobody else has asked it anything yet.

        Raises:
            LostError: It has gone again.
        """

    async def on_death(self) -> None:
        """The fork server has died."""

    def on_gone(self, sid: str) -> None:
        """A supervisor has ended, its run with it."""


class ForkServer:
    """The fork server of this version; another is started whenever it has died."""

    def __init__(
        self,
        home: Home,
        reaper: Reaper,
        custodian: Custodian,
        soft_limit: int,
    ) -> None:
        """Make the link; `serve` connects it.

        Args:
            home: Where its socket and log lie.
            reaper: Told that a fork server is not its to reap.
            custodian: Sees to the runs when a fork server comes, goes or tells.
            soft_limit: Of open files (getrlimit(2)), as jobs are to have it.
        """
        self._soft_limit = soft_limit
        self._reaper = reaper
        self.path = home.forkserver_socket(claw.__version__)
        self._log_path = home.daemon_log
        self._custodian = custodian
        self.on_hello: Callable[[LineLink, Message], Awaitable[None]] | None = None
        self._link: LineLink | None = None
        self._ready = trio.Event()
        self.pid: int | None = None
        self.waits = False  # its supervisors begin nothing before its time

    async def serve(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Keep a fork server connected; never returns."""
        while True:
            link = self._connect()
            if link is None:
                await trio.sleep(_PAUSE_S)
                continue
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._greet, link, task_status)
                await link.serve()
                nursery.cancel_scope.cancel()
            if self._link is None:
                # It went before it answered: it was just ending, or cannot run.
                _LOG.warning("the fork server ended before it answered; trying another")
                await trio.sleep(_PAUSE_S)
                continue
            _LOG.warning("the fork server (pid %s) is gone; its jobs go on", self.pid)
            self._ready = trio.Event()
            self._link = None
            self.waits = False
            task_status = trio.TASK_STATUS_IGNORED
            await self._custodian.on_death()

    async def _greet(self, link: LineLink, task_status: trio.TaskStatus[None]) -> None:
        try:
            hello = await link.call(op="hello")
            await self._custodian.on_new(link)
            if self.on_hello is not None:
                await self.on_hello(link, hello)
        except LostError:
            return
        self.pid = int(hello["pid"])
        self.waits = "begin_at" in hello.get("knows", ())
        self._link = link
        self._ready.set()
        task_status.started()

    def _connect(self) -> LineLink | None:
        try:
            return LineLink(channel.connect(self.path), self._on_notice)
        except OSError:
            pass
        try:
            self._start()
            return LineLink(channel.connect(self.path), self._on_notice)
        except OSError as error:
            _LOG.error("no fork server can be started: %s", error)
            return None

    def _start(self) -> None:
        """Exec a bare interpreter that becomes the fork server, with its log or without."""
        log_fd = self._open_log()
        try:
            process = self._exec(log_fd)
        finally:
            if log_fd >= 0:
                os.close(log_fd)
        self._reaper.own(process.pid)
        trio.lowlevel.spawn_system_task(self._reaper.reap_own, process)

    def _open_log(self) -> int:
        try:
            return files.open_append(self._log_path, 0o640)
        except OSError as error:
            _LOG.warning("the fork server has no log: %s: %s", self._log_path, error)
            return subprocess.DEVNULL

    def _exec(self, log_fd: int) -> subprocess.Popen[bytes]:
        server = socket.listen_unix(self.path)
        root = str(Path(claw.__file__).resolve().parents[1])
        argv = [sys.executable, "-I", "-S", "-c", _CODE, root, str(server.fileno())]
        argv += [self.path, str(self._soft_limit)]
        try:
            return subprocess.Popen(  # noqa: S603
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                pass_fds=[server.fileno()],
                cwd="/",
            )
        finally:
            server.close()

    def _on_notice(self, message: Message) -> None:
        if message.get("ev") == "gone":
            self._custodian.on_gone(str(message["sid"]))

    async def call(self, *fds: int, **message: object) -> Message:
        """Ask the fork server, as soon as there is one.

        Raises:
            LostError: It went before it answered.
        """
        while True:
            await self._ready.wait()
            link = self._link
            if link is not None:
                return await link.call(*fds, **message)

    async def launch(
        self, launch: Launch, link_fd: int, sockets: Mapping[str, int] = MappingProxyType({})
    ) -> int:
        """Have a supervisor forked, and return its pid.

        Args:
            launch: What it is to do.
            link_fd: Its end of a link to the master.
            sockets: What its child is to listen on, by the names that the launch gives.

        Raises:
            LaunchRefusedError: It was not; nothing has begun.
            LostError: The fork server died meanwhile, but the attempt had begun.
        """
        kept = keeping.make_kept(launch, sockets)
        link = self._link
        try:
            answer = await self.call(
                *kept.values(),
                link_fd,
                op="launch",
                sid=launch.sid,
                run=launch.run,
                attempt=launch.attempt,
                spool=launch.spool,
                launch_dir=launch.launch_dir,
                names=[*kept, supervision.LINK],
            )
        except LostError as error:
            if not files.exists(f"{launch.launch_dir}/{launch.run}.{launch.attempt}"):
                keeping.close(kept)
                raise LaunchRefusedError("the fork server died", retryable=True) from error
            self._custodian.on_launched(launch.sid, kept, is_safe=False)
            raise
        except BaseException:
            keeping.close(kept)
            raise
        if "error" in answer:
            keeping.close(kept)
            raise LaunchRefusedError(
                str(answer["error"]), retryable=bool(answer.get("retryable"))
            )
        is_safe = self._link is link and link is not None
        self._custodian.on_launched(launch.sid, kept, is_safe=is_safe)
        return int(answer["pid"])
