"""``python -I -S thin.py NURSERY WORDS...``: ``clawctl`` as a nursery's child, for a shell.

It starts in a tenth of the time. Its descriptors, folder and environment are the child's,
signals are handed on, and it ends as the child does; the child does not outlive it. A terminal
would not be the child's own: there one starts the true program.
"""

import _signal  # type: ignore[import-not-found]  # signal is of Python, and takes longer
import _socket
import marshal
import os
import sys

_HANDED_ON = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT)


def _line(connection: _socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(1)
        if not data:
            sys.exit("thin: the nursery has gone")
        line += data
    return line


def _main(path: str, words: list[str]) -> None:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(path)
    task = {
        "words": ["claw", *words],
        "cwd": os.getcwd(),  # noqa: PTH109  pathlib takes longer than all else
        "environ": dict(os.environ),
        "is_bound": True,
    }
    data = marshal.dumps(task)
    rights = b"".join(fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2))
    head = b"%8d" % len(data)
    connection.sendmsg([head], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
    connection.sendall(data)
    pid = int(_line(connection))
    for number in _HANDED_ON:
        _signal.signal(number, lambda sent, _frame: os.kill(pid, sent))
    status = int(_line(connection))
    if status < 0:
        _signal.signal(-status, _signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
