"""``run.transient``: a command run once, as who asks."""

import os
from typing import Any

import trio

from claw.commands.method import ADMIN
from claw.errors import DeniedError, NotFoundError, UsageError
from claw.kernel import accounts
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.control.peers import Peer, user_name
from claw.master.engine import intake, transients
from claw.master.engine.turn import Turn
from claw.master.handlers.run import check_texts, due_at, of_asker
from claw.master.wiring import Json
from claw.model.run import Origin

_OF_USER = ("HOME", "LOGNAME", "MAIL", "SHELL", "USER", "USERNAME")
"""Variables that tell of who asks, and of nobody else."""


async def submit(call: Call, params: Params) -> Json:
    """Ask for one run of a command."""
    table: dict[str, Any] = dict(params["table"])
    for key in ("user", "group"):
        if key in table:
            raise UsageError(f"run.transient: {key!r} is no part of 'table'")
    _check_folder(table)
    at, env = due_at(params), dict(params.get("env", {}))
    check_texts(env, table.get("argv", []))
    identity, groups = await trio.to_thread.run_sync(identity_of, call.peer, params.get("user"))
    if "user" in params:
        env = {name: value for name, value in env.items() if name not in _OF_USER}
    table |= {**identity, "inherit_env": []}
    ask = intake.Ask(
        job="",
        origin=Origin.MANUAL if at is None else Origin.AT,
        key=call.key,
        by=call.by,
        due_at=at,
        env=tuple(env.items()),
    )

    def decide(turn: Turn) -> Json:
        after = ""
        if "after" in params:
            first = targets.find_run(turn.tx, params["after"])
            if first is None:
                raise NotFoundError(f"no run {params['after']!r} to follow")
            after = first.id
        wish = transients.Wish(
            name=params.get("name", ""), table=table, groups=groups, after=after
        )
        run = transients.submit(turn, wish, of_asker(turn, call, ask))
        return {"run": run.id, "job": run.job, "state": run.state}

    return await call.commit(decide)


def _check_folder(table: dict[str, Any]) -> None:
    argv, cwd = table.get("argv"), table.get("cwd")
    if not isinstance(argv, list) or not argv or not all(isinstance(one, str) for one in argv):
        raise UsageError("run.transient: 'argv' has to be a list of words")
    if not isinstance(cwd, str) or not cwd.startswith("/"):
        raise UsageError("run.transient: 'cwd' has to be a folder's whole path")


def identity_of(peer: Peer, user: str | None) -> tuple[dict[str, str], tuple[int, ...] | None]:
    """Return as whom a command runs: keys of its job, and its groups if they are the caller's.

    Raises:
        DeniedError: It may not, or the daemon cannot.
        NotFoundError: There is no such user.
    """
    owner = os.geteuid()
    uid = peer.uid if user is None else accounts.user_id(user)
    if uid is None:
        raise NotFoundError(f"there is no user {user!r}")
    if uid != peer.uid and peer.role != ADMIN:
        raise DeniedError(
            f"to run as {user} needs the role {ADMIN}; {peer.name} is {peer.role}"
        )
    if uid == owner:
        return {}, None
    if owner != 0:
        own = user_name(owner)
        raise DeniedError(
            f"this daemon runs as {own} and can run nothing as {user_name(uid)}",
            hint=f"--user {own}, or use root's daemon: clawctl --system run ...",
        )
    if uid != peer.uid:
        return {"user": str(user)}, None
    return {"user": str(uid), "group": str(peer.gid)}, peer.groups
