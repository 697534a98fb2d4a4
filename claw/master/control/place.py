"""The control socket's place in the file system: made safely, and made again when it is gone.

The caller holds the master's lock, so a socket that is there already belongs to nobody. The
folder of a user's sockets can vanish at any time (a logout removes XDG_RUNTIME_DIR).
"""

import contextlib
import logging
import os
import socket as sockets

import trio

from claw.kernel import files, socket
from claw.master.init.inherited import Door
from claw.master.output.watch import Watcher

log = logging.getLogger("claw.control")

BACKLOG = 1024
_PASSABLE = 0o711
"""Mode of a folder that others may pass through, and not look into."""
_READABLE = 0o755
"""Mode of the folder of a socket that is for others."""
_OTHERS = 0o077
_FIRST_PAUSE_S = 0.1
_LAST_PAUSE_S = 30.0


class Place:
    """One path, and the socket that listens there: made here, or given to this program."""

    def __init__(
        self, path: str, mode: int, watcher: Watcher, door: Door, *, is_for_all: bool = False
    ) -> None:
        """Take where to listen, and who may connect and get there."""
        self.path = path
        self._folder = os.path.dirname(path)  # noqa: PTH120
        self._mode = mode
        self._is_for_all = is_for_all
        self._watcher = watcher
        self._door = door
        self._inode: tuple[int, int] | None = None

    def listen(self) -> sockets.socket:
        """Listen at the path, in a folder that only those can look into who may.

        Raises:
            OSError: The folder or the socket cannot be made.
        """
        server = self._door.take(self._inode_there())
        if server is None:
            files.make_folder(self._folder, 0o700)
            self._let_others_pass()
            server = socket.listen_unix(self.path, self._mode, BACKLOG)
        self._inode = self._inode_there()
        self._door.hold(server, self._inode)
        return server

    def open_to(self, mode: int) -> None:
        """Change who may connect and get there, now and when it is made again."""
        if mode == self._mode:
            return
        self._mode = mode
        try:
            if self._is_in_place():
                os.chmod(self.path, mode)  # noqa: PTH101
            self._let_others_pass()
        except OSError as error:
            log.warning("the mode of %s stays as it is: %s", self.path, error)

    def _let_others_pass(self) -> None:
        """Let those get to the socket who may connect to it.

        In the folder of the one for all users, for root's jobs of others, none look around.
        """
        if self._is_for_all:
            os.chmod(self._folder, _PASSABLE)  # noqa: PTH101
            if os.geteuid() == 0:
                self._open_above()
        elif self._mode & _OTHERS:
            os.chmod(self._folder, _READABLE)  # noqa: PTH101
        else:
            self._let_nobody_look()

    def _let_nobody_look(self) -> None:
        """Take back what others were let; through root's folder all still pass to theirs."""
        mode = os.stat(self._folder).st_mode & 0o777  # noqa: PTH116
        allowed = _PASSABLE if os.geteuid() == 0 else 0o700
        if mode & ~allowed:
            os.chmod(self._folder, mode & allowed)  # noqa: PTH101

    def _open_above(self) -> None:
        """Let others pass the folder above, of which more may be open already."""
        above = os.path.dirname(self._folder)  # noqa: PTH120
        mode = os.stat(above).st_mode & 0o777  # noqa: PTH116
        os.chmod(above, mode | _PASSABLE)  # noqa: PTH101

    async def listen_again(self) -> sockets.socket:
        """Listen as soon as that is possible; tries at growing intervals of up to 30 s."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return self.listen()
            except OSError as error:
                log.warning("no socket at %s: %s", self.path, error)
            await trio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LAST_PAUSE_S)

    async def wait_gone(self) -> None:
        """Wait until clients that look for the socket no longer find this one."""
        above = os.path.dirname(self._folder)  # noqa: PTH120
        with self._watcher.watching(self._folder, above) as watch:
            while self._is_in_place():
                await watch.wait()

    def remove(self) -> None:
        """Remove the socket, unless it is another's by now, or going to be."""
        if self._door.is_handed_over:
            return
        if self._is_in_place() and not self._door.is_foreign:
            with contextlib.suppress(OSError):
                os.unlink(self.path)  # noqa: PTH108
        self._door.drop()

    def _is_in_place(self) -> bool:
        return self._inode is not None and self._inode_there() == self._inode

    def _inode_there(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path, follow_symlinks=False)  # noqa: PTH116
        except OSError:
            return None
        return status.st_dev, status.st_ino
