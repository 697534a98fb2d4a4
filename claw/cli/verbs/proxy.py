"""``proxy``: the control socket over standard input and output, for clients on other hosts."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading

from claw.client.connection import open_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context
    from claw.kernel import channel

_BLOCK_BYTES = 1 << 16


def proxy(context: Context) -> int:
    """Copy both ways until the master hangs up, or nobody reads any more what it says."""
    with contextlib.closing(open_socket(context.home.control_socket)) as master:
        threading.Thread(target=_send_all, args=(master,), daemon=True).start()
        look = select.poll()
        look.register(master.fileno(), select.POLLIN)
        look.register(1, 0)  # POLLERR or POLLHUP, which nobody has to ask for: poll(2)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while all(fd != 1 for fd, _event in look.poll()):
                data = master.recv(_BLOCK_BYTES)
                if not data:
                    break
                _write(data)
    return 0


def _send_all(master: channel.Socket) -> None:
    """Send what comes in; at its end the master is told that nothing more will."""
    with contextlib.suppress(OSError):
        while data := os.read(0, _BLOCK_BYTES):
            master.sendall(data)
        master.shutdown(socket.SHUT_WR)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
