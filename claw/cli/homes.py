"""Which home a command is about."""
# ruff: noqa: PTH109, PTH110, PTH112, PTH116, PTH119, PTH120 (pathlib is too much for a bare status)

from __future__ import annotations

import os

from claw.errors import UsageError
from claw.model import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from claw.model.home import Home

PROJECT_FOLDER = ".claw"
"""Beside the file of an ``up`` project, with all its state."""


HOST = "CLAW_HOST"
"""Names the hosts whose masters are meant, as ``-H`` does, with commas between them."""


def hosts_in(text: str) -> list[str]:
    """Return the hosts that a text names, with commas between them."""
    return [one.strip() for one in text.split(",") if one.strip()]


def address_of(host: str) -> str:
    """Return the address of a host: ``ssh://HOST``.

    Raises:
        UsageError: It is named in another way.
    """
    if "://" in host and not host.startswith("ssh://"):
        raise UsageError(f"{host!r} is no host", hint="write ssh://USER@HOST or ssh://HOST")
    return host if "://" in host else f"ssh://{host}"


def label_of(host: str) -> str:
    """Return what people call a host of which this is the address: ``alice@web1:2222``."""
    return host.removeprefix("ssh://").partition("?")[0].partition("/")[0]


def with_options(address: str, options: Sequence[str]) -> str:
    """Return an address with options for clawctl there (`claw.client.remote`)."""
    quoted = (one.replace("%", "%25").replace("&", "%26") for one in options)
    return f"{address}?{'&'.join(quoted)}" if options else address


def here() -> str:
    """Return the present folder, or the root when it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


def choose(env: Mapping[str, str], uid: int, cwd: str) -> Home:
    """Return the home that is meant when no option names one.

    In this order: CLAW_HOST (the first of them); CLAW_HOME; the project around ``cwd`` that is
    up (`enclosing_project`); the caller's own; the system's, when the caller has none and the
    system has one. Where none of these has a master, a run's child means that of its run.

    Args:
        env: The environment.
        uid: The caller.
        cwd: The present folder.
    """
    if hosts_in(env.get(HOST, "")):
        return home.of_host(address_of(hosts_in(env[HOST])[0]))
    if env.get("CLAW_HOME"):
        return home.choose(env, uid)
    project = enclosing_project(cwd, uid)
    if project is not None:
        return project
    own, system = home.choose(env, uid), home.of_system()
    if own.config != system.config and not is_in_use(own):
        own = system if os.path.exists(system.control_socket) else own
    return _of_child(env, own)


def is_of_run(env: Mapping[str, str], place: Home, *, is_named: bool) -> bool:
    """Tell whether a command is typed by a run's child, and about the claw of that run.

    Args:
        env: The environment: ``CLAW_SOCKET`` and ``CLAW_TOKEN`` are a child's.
        place: The home that is meant.
        is_named: Whether somebody has named it: another claw's is not told of the run.
    """
    socket = env.get("CLAW_SOCKET")
    if not socket or not env.get("CLAW_TOKEN"):
        return False
    return not is_named or os.path.realpath(socket) == os.path.realpath(place.job_socket)


def of_run(env: Mapping[str, str]) -> Home:
    """Return as much of the home of a run as its child knows: where the sockets are."""
    run = os.path.dirname(os.path.dirname(env["CLAW_SOCKET"]))
    return home.Home(config="", state="", run=run, log="")


def _of_child(env: Mapping[str, str], place: Home) -> Home:
    """Return a home with the sockets of a master that is there, where a run's child means it.

    A child need not have the variables by which a master of a user has found its own sockets
    (XDG_RUNTIME_DIR), but it knows the one that it was given.
    """
    if not is_of_run(env, place, is_named=False):
        return place
    known = of_run(env)
    if os.path.exists(place.control_socket) or not os.path.exists(known.control_socket):
        return place
    return home.Home(config=place.config, state=place.state, run=known.run, log=place.log)


def is_in_use(place: Home) -> bool:
    """Tell whether a home was ever set up."""
    return os.path.isdir(place.config) or os.path.isdir(place.state)


def is_project(place: Home) -> bool:
    """Tell whether a home is that of an ``up`` project."""
    return place.run.endswith(f"/{PROJECT_FOLDER}/run")


def of_project(folder: str) -> Home:
    """Return the home of the project in a folder."""
    return home.at_folder(f"{folder.rstrip('/')}/{PROJECT_FOLDER}")


def enclosing_project(cwd: str, uid: int) -> Home | None:
    """Return the home of the nearest project around a folder that has a control socket.

    A project folder of somebody else is passed over: what is in it is not to be trusted.
    """
    folder = cwd
    while True:
        place = of_project(folder)
        if os.path.exists(place.control_socket) and _is_owned(place.state, uid):
            return place
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _is_owned(path: str, uid: int) -> bool:
    try:
        return os.stat(path).st_uid == uid
    except OSError:
        return False


def name_of(place: Home) -> str:
    """Return what people call a home: the other host, the project, or this host."""
    if place.remote:
        return label_of(place.remote)
    if is_project(place):
        return os.path.basename(os.path.dirname(os.path.dirname(place.run)))
    return os.uname().nodename.partition(".")[0]
