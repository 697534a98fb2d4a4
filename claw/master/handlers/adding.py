"""``job.add`` and ``job.remove`` by the children of runs: jobs that stay when the run is over.

What a child of another user adds runs as that user; it says nothing but what `ALLOWED` has, and
follows no job but those that the same user's children have added.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import trio

from claw.config.making import is_made
from claw.config.managed import Managed
from claw.config.transient import KEYS
from claw.errors import ConflictError, DeniedError, UsageError
from claw.master.control.calls import Call, Params
from claw.master.engine import children, confinement
from claw.master.engine.turn import Turn
from claw.master.handlers import addable, definition
from claw.master.handlers.offspring import (
    NOT_THEIRS,
    check_table,
    check_user,
    is_free,
    is_made_by,
    parent_of,
)
from claw.master.wiring import Json
from claw.model import ids, making
from claw.model.job import Config

ALLOWED = (KEYS - NOT_THEIRS) | {
    "catch_up", "catch_up_window", "command", "delete_after_run", "enabled", "env", "jitter",
    "name", "run_at", "schedule", "shell", "timezone", "trigger", "ttl",
}  # fmt: skip
"""What a job may say that a child of another user adds."""

MAX_JOBS = 100
"""So many jobs may the children of one other user have added, at any time."""

_PACE = trio.Lock()
_SHARE = 4.0
"""After a change of another user's child the next has to wait so many times as long."""

_REFERENCE = re.compile(r"\$\{\w+:")

Table = dict[str, Any]


async def add(call: Call, params: Params) -> Json:
    """Add whole jobs, all or none, that are the doing of the child's run."""
    job = await check_user(call)
    origin = await call.services.decide(lambda turn: _origin(turn, parent_of(call)))
    user = None if is_free(call) else str(call.peer.uid)
    bounds = {} if job is None else confinement.as_keys(confinement.of(job))
    tables = {name: _made(table, bounds) for name, table in params["jobs"].items()}
    if user is not None:
        _check_cheaply(call, params, origin, user)
        tables = {name: {**one, "user": user} for name, one in tables.items()}

    def edit(managed: Managed) -> None:
        for name, table in tables.items():
            managed.add(name, {**table, "origin": origin}, origin=origin)
        made = [table for table in managed.jobs.values() if is_made(table)]
        _check_counts(
            [(str(table["origin"]), table.get("user")) for table in made], origin, user
        )

    check = addable.times_check(
        tables, call.services.config.current, is_guest=not is_free(call)
    )
    return await _change(call, params, edit, check)


async def remove(call: Call, params: Params) -> Json:
    """Remove jobs that children of the same user have added."""
    await check_user(call)
    if is_free(call):
        return await definition.remove(call, params)
    names: list[str] = list(dict.fromkeys(params["targets"]))
    for name in names:
        job = call.services.config.current.job(name)
        if job is None or not is_made_by(job, call.peer.uid):
            raise DeniedError(
                f"{call.peer.name} may not remove job {name!r}",
                hint="a child of another user removes jobs, by name, that it has added",
            )

    def edit(managed: Managed) -> None:
        for name in names:
            managed.remove(name, override=False)

    return await _change(call, params, edit)


async def _change(
    call: Call,
    params: Params,
    edit: Callable[[Managed], None],
    check: Callable[[Config], None] | None = None,
) -> Json:
    """Have a change made; those of other users' children one after the other, with pauses."""
    change = partial(
        call.services.reload,
        dry_run=params.get("dry_run", False),
        restart=is_free(call),
        edit=edit,
        check=check,
        by=call.by,
    )
    if is_free(call):
        return await change()
    async with _PACE:  # for all files are read anew
        began = trio.current_time()
        try:
            await _check_files(call)
            return await change()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(_SHARE * (trio.current_time() - began))


def _check_cheaply(call: Call, params: Params, origin: str, user: str) -> None:
    """Refuse what is no good before all that is configured is loaded for it.

    Raises:
        DeniedError: It would gain something by it, or only wants to see what would be.
        ConflictError: There are too many jobs already, or one of that name.
        UsageError: A name or a folder is none.
    """
    tables, known = params["jobs"], call.services.config.current
    _check(call, tables)
    if params.get("dry_run"):
        raise DeniedError("a dry run is not for the child of another user")
    for name in tables:
        problem = ids.name_problem(name)
        if problem:
            raise UsageError(f"{name!r} is no good name for a job: {problem}")
        job = known.job(name)
        if job is not None and not is_made_by(job, call.peer.uid):
            raise ConflictError(f"job {name!r} is there already, and is not its user's")
    made = [
        (job.origin, job.user)
        for job in known.jobs
        if making.maker_of(job.origin) is not None and job.name not in tables
    ]
    _check_counts([*made, *((origin, user) for _ in tables)], origin, user)


def _origin(turn: Turn, parent: str) -> str:
    run = children.maker(turn, parent)
    return making.origin_of(run.id, run.lineage.depth)


def _made(table: Mapping[str, Any], bounds: Mapping[str, object]) -> Table:
    """Return a job's table within the bounds of the job that adds it."""
    once = {"delete_after_run": True} if "run_at" in table else {}
    return {**once, **table, **bounds}


def _check(call: Call, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """See that a child of another user gains nothing by jobs.

    Raises:
        DeniedError: It would.
    """
    for name, table in tables.items():
        check_table(table, ALLOWED)
        cwd = table.get("cwd", "/")
        if not isinstance(cwd, str) or not cwd.startswith("/"):
            raise UsageError(f"job {name!r}: cwd has to be a folder's whole path")
        if _REFERENCE.search(json.dumps(table)):
            raise DeniedError(f"job {name!r}: what ${{...:}} stands for is not for other users")
        _check_trigger(call, name, table, tables)


async def _check_files(call: Call) -> None:
    """See that a change of a child of another user brings nobody else's with it.

    Raises:
        ConflictError: It would.
    """
    if await call.services.has_changed_files():
        raise ConflictError(
            "the configuration on disk is not what is loaded, and would be by this",
            hint="an operator has to reload it first",
        )


def _check_trigger(
    call: Call, name: str, table: Mapping[str, Any], others: Mapping[str, object]
) -> None:
    """See that a job follows none whose output is not its user's to read."""
    trigger = table.get("trigger", {})
    after = trigger.get("after", []) if isinstance(trigger, dict) else []
    for one in [after] if isinstance(after, str) else after:
        known = call.services.config.current.job(str(one))
        if one not in others and (known is None or not is_made_by(known, call.peer.uid)):
            raise DeniedError(f"job {name!r} may not follow {one!r}, which is not its user's")


def _check_counts(made: Sequence[tuple[str, object]], origin: str, user: str | None) -> None:
    """See that a run, and the children of another user, have not added too many jobs.

    Args:
        made: The origin and the user of each job that was added by a child, or is to be.
        origin: Of those that are to be.
        user: The other user; None: it is not limited how many.

    Raises:
        ConflictError: They have.
    """
    if sum(one == origin for one, _ in made) > children.MAX_FANOUT:
        found = making.maker_of(origin)
        run = ids.short(found[0]) if found else ""
        raise ConflictError(f"run {run} has added {children.MAX_FANOUT} jobs: no run adds more")
    if user is not None and sum(one == user for _, one in made) > MAX_JOBS:
        raise ConflictError(
            f"runs of user {user} have added {MAX_JOBS} jobs: remove some first"
        )
