"""Who lives: asked of the fork server, the only one that knows for sure."""

import contextlib
import json
from pathlib import Path

import claw
from claw.kernel import files, process, socket
from claw.model.home import Home
from claw.wire import supervision

_PATIENCE_S = 30.0


def supervisors_of(home: Home) -> dict[str, int]:
    """Return the pid of each living supervisor by its id; {} when no fork server answers.

    A supervisor that was just forked is among them, whatever it has done so far.
    """
    return {sid: pid for sid, pid in wards_of(home).items() if pid}


def wards_of(home: Home) -> dict[str, int]:
    """Return whom the fork server looks after, with pid 0 for who is dead or unseen."""
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
            found = {sid: ask(op="find", sid=sid) for sid in sids}
        except (OSError, ValueError):
            return {}
        return {sid: _number(one["pid"]) for sid, one in found.items() if one["alive"]}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def fork_server_of(home: Home, version: str = claw.__version__) -> int:
    """Return the pid of the fork server, though it may not serve yet; 0 when there is none."""
    path = home.forkserver_socket(version).encode()
    names = [one.name for one in Path("/proc").iterdir() if one.name.isdigit()]
    family = {int(name) for name in names if _says(name, path)}
    found = [pid for pid in family if process.parent_of(pid) not in family]
    heads = [pid for pid in found if process.session_of(pid) == pid or _is_starting(pid)]
    return max((pid for pid in heads if not _is_supervisor(pid)), default=0)


def _says(name: str, path: bytes) -> bool:
    try:
        return path in files.read_all(f"/proc/{name}/cmdline").split(b"\0")
    except OSError:
        return False


def _is_starting(pid: int) -> bool:
    return process.command_of(pid).startswith("python")


def _is_supervisor(pid: int) -> bool:
    name = process.command_of(pid)
    return name.startswith("claw:") and name != "claw:forkserver"


def are_all_known(home: Home) -> bool:
    """Tell whether the fork server knows every supervisor that lives, and no other."""
    known = wards_of(home)
    if not all(known.values()):
        return False
    try:
        sids = [one.name for one in Path(home.spool).iterdir()]
    except FileNotFoundError:
        return True
    return all(sid in known for sid in sids if files.is_locked(f"{home.spool}/{sid}/lock"))
