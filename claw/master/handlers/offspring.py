"""What the children of runs ask for on the socket that is theirs: runs and jobs, in limits.

A child of the daemon's owner, or of root, may have here what it could have on the control
socket. A child of another user gains nothing over what that user could do with at(1) and
cron(8): what it makes runs as that user, in what holds its own job back, with an environment
of its own making. Parentage comes from the token, and from nothing else.
"""

from collections.abc import Mapping
from typing import Any

import trio

from claw.commands.method import ADMIN
from claw.config.transient import KEYS
from claw.errors import DeniedError
from claw.kernel import accounts
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.control.peers import owner
from claw.master.engine import definitions
from claw.master.handlers import batch, emit, run, transient, workflow
from claw.master.wiring import Json
from claw.model import making
from claw.model.job import Job
from claw.model.run import Origin, Run
from claw.store.records import Tx

NOT_THEIRS = frozenset({"group", "inherit_env", "pool", "user"})
"""Keys by which a run would be another's, or take from others what they wait for."""
_PRIORITIES = frozenset({"normal", "low"})


async def show(call: Call, params: Params) -> Json:
    """Tell about the child's run, or one that it has made."""
    await _check_own(call, params["run"])
    return await run.show(call, params)


async def wait(call: Call, params: Params) -> Json:
    """Wait for a run that the child's run has made."""
    await _check_own(call, params["target"])
    return await run.wait(call, params)


async def tell(call: Call, params: Params) -> Json:
    """Tell of an event, for the child's run or by a token for events."""
    if call.connection.bridge is None:
        await check_user(call)
    return await emit.emit(call, params)


async def submit(call: Call, params: Params) -> Json:
    """Ask for one run of a job."""
    await _check_job(call, params)
    return await run.submit(call, params)


async def submit_batch(call: Call, params: Params) -> Json:
    """Ask for many runs of a job."""
    await _check_job(call, params)
    return await batch.submit_batch(call, params)


async def compose(call: Call, params: Params) -> Json:
    """Run jobs as a chain, a group or a chord."""
    await check_user(call)
    if not is_free(call):
        callback = [params["callback"]] if "callback" in params else []
        for name in (*params["jobs"], *callback):
            _check_made(call, name)
    return await workflow.compose(call, params)


async def submit_transient(call: Call, params: Params) -> Json:
    """Ask for one run of a command, as who asks."""
    await check_user(call)
    if not is_free(call):
        check_table(params["table"], KEYS - NOT_THEIRS)
        if "after" in params:
            await _check_own(call, params["after"])
    return await transient.submit(call, params)


def is_free(call: Call) -> bool:
    """Tell whether a child may have whatever its user could have on the control socket."""
    return call.peer.role == ADMIN


def parent_of(call: Call) -> str:
    """Return the run whose child asks.

    Raises:
        DeniedError: It has not said so.
    """
    if call.connection.run is None:
        raise DeniedError("nobody knows whose child this is", hint="first: hello, $CLAW_TOKEN")
    return call.connection.run


async def check_user(call: Call) -> Job | None:
    """See that who asks can be a child of that run, and return the run's job.

    What root's or the owner's run starts may have become any user; a run of another user has
    no children but that user's.

    Raises:
        DeniedError: The token has been another's.
    """
    services, parent = call.services, parent_of(call)
    config = services.config.current

    def read(tx: Tx) -> Job | None:
        found = tx.run(parent)
        return None if found is None else definitions.recall(tx, config, found.job)

    job = await services.store.read(read)
    if is_free(call):
        return job
    uid = None if job is None else await trio.to_thread.run_sync(_uid_of, job)
    if uid not in {call.peer.uid, owner()}:
        raise DeniedError(f"that token is not of a run of {call.peer.name}")
    return job


def _uid_of(job: Job) -> int | None:
    return accounts.user_id(job.user) if job.user else owner()


def check_table(table: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """See that a job says nothing by which its user would gain.

    Raises:
        DeniedError: It does.
    """
    for key in sorted(table.keys() - allowed):
        raise DeniedError(
            f"{key} is not for what a child of another user makes",
            hint=f"it may say {', '.join(sorted(allowed))}",
        )
    if table.get("priority", "normal") not in _PRIORITIES:
        raise DeniedError(
            "a child of another user goes before nobody: priority is normal or low"
        )


async def _check_job(call: Call, params: Params) -> None:
    """See that a child may ask for runs of a job.

    Raises:
        DeniedError: The job is neither its user's own, nor is it the owner's child.
    """
    await check_user(call)
    if is_free(call):
        return
    _check_made(call, params["job"])
    if params.get("force") or params.get("priority", "normal") not in _PRIORITIES:
        raise DeniedError("force and a high priority are not for the child of another user")


def _check_made(call: Call, name: str) -> None:
    job = call.services.config.current.job(name)
    if job is None or not is_made_by(job, call.peer.uid):
        raise DeniedError(
            f"{call.peer.name} may not run job {name!r}",
            hint="a child of another user runs commands, `clawctl run -- CMD`, and jobs that it"
            " has added",
        )


def is_made_by(job: Job, uid: int) -> bool:
    """Tell whether children of a user have made a job, which runs as that user."""
    return making.maker_of(job.origin) is not None and job.user == str(uid)


async def _check_own(call: Call, text: str) -> None:
    """See that a text names the child's run, or one that it has made.

    Raises:
        DeniedError: It names another, or nothing.
    """
    parent = parent_of(call)
    if text == parent:
        return

    def read(tx: Tx) -> Run | None:
        return targets.find_run(tx, text)

    found = await call.services.store.read(read)
    if found is None or not _is_own(call, parent, found):
        raise DeniedError(f"a child is told of its own run, {parent}, and of those it has made")


def _is_own(call: Call, parent: str, run: Run) -> bool:
    """Tell whether who asks may be told of a run: all of it, what it has left too.

    What a child's events have begun comes of its run, but may be anybody's; so may what a
    child of root has asked for on behalf of the same run.
    """
    if parent == run.id:
        return True
    is_asked = run.origin is Origin.CHILD and run.asked_by == call.by
    return parent == run.lineage.parent and (is_free(call) or is_asked)
