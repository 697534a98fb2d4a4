"""Who lives: asked of the fork server, the only one that knows for sure."""

import contextlib
import json

import claw
from claw.kernel import socket
from claw.model.home import Home
from claw.wire import supervision

_PATIENCE_S = 30.0


def supervisors_of(home: Home) -> dict[str, int]:
    """Return the pid of each living supervisor by its id; {} when no fork server answers.

    A supervisor that was just forked is among them, whatever it has done so far.
    """
    try:
        connection = socket.connect_unix(home.forkserver_socket(claw.__version__))
    except OSError:
        return {}
    with contextlib.closing(connection), connection.makefile("rb") as file:
        connection.settimeout(_PATIENCE_S)

        def ask(**message: object) -> dict[str, object]:
            connection.sendall(supervision.encode({"id": 1, **message}))
            while True:
                answer: dict[str, object] = json.loads(file.readline())
                if answer.get("id") == 1:
                    return answer

        try:
            sids = ask(op="hello")["supervisors"]
            assert isinstance(sids, list)
            found = {sid: ask(op="find", sid=sid)["pid"] for sid in sids}
        except (OSError, ValueError):
            return {}
        return {sid: pid for sid, pid in found.items() if isinstance(pid, int) and pid}
