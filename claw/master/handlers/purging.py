"""``job.purge``: all that is known of a job is forgotten, but that it was."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import trio

from claw.errors import ConflictError
from claw.kernel import clock
from claw.master import forgetting
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import alerts, intents
from claw.master.engine.turn import Turn
from claw.master.output import logs
from claw.master.wiring import Json, Services
from claw.model import ids, instances
from claw.model.home import Home
from claw.store.records import Tx

PURGED = "job.purged"
_MARGIN_S = 30.0
_PATIENCE_S = 30.0
_PAUSE_S = 0.3
_SEEN = 200
"""Runs that are looked at in one read of the store."""


async def purge(call: Call, params: Params) -> Json:
    """Forget a job's runs, their output, results and files, and what happened to them."""
    services, name = call.services, params["job"]
    job = services.config.current.job(name)
    newest = await services.store.read(lambda tx: tx.newest_run_of(name))
    if job is None and newest is None:
        raise targets.no_job(services.config.current, name)
    await _see_that_none_is_open(call, name, force=params.get("force", False))
    until, through = await services.store.read(
        lambda tx: (tx.newest_run_of(name), tx.last_cursor())
    )
    if until is not None:
        await _see_that_none_is_needed(services, name, until)
        await services.store.write(partial(Tx.forget_idem_of, job=name, until=until))
    count = 0 if until is None else await _forget_runs(services, name, until)
    events = await _forget_events(services, name, through)
    while await services.store.write(
        lambda tx: tx.delete_deliveries_of(name, forgetting.EVENTS_BATCH)
    ):
        pass
    is_idle = not await _open_runs(services, name)
    await logs.in_thread(
        partial(_remove_output, services.home, name, until or "", is_idle=is_idle)
    )

    def note(turn: Turn) -> Json:
        detach(turn, name)
        turn.tx.delete_sla(name)
        turn.note(PURGED, job=name, why=f"{count} runs and {events} events", by=call.by)
        return {"job": name, "runs": count, "events": events}

    return await call.commit(note)


async def _see_that_none_is_open(call: Call, name: str, *, force: bool) -> None:
    """Refuse while a run of the job is open, or end all of them first.

    Raises:
        ConflictError: One is open, or will not end.
    """
    services = call.services
    if not await _open_runs(services, name):
        return
    if not force:
        raise ConflictError(
            f"job {name!r} has runs that are not over",
            hint=f"clawctl stop {name}, or --force to end them first",
        )

    def end(turn: Turn) -> None:
        for run in turn.tx.open_runs(name):
            intents.cancel_run(turn, run.id, by=call.by, why="purge")

    await services.decide(end)
    job = services.config.current.job(name)
    grace_s = 0.0 if job is None else job.grace_period_s

    async def look() -> bool | None:
        return None if await _open_runs(services, name) else True

    with trio.move_on_after(grace_s + _MARGIN_S):
        await services.bus.wait_for(look, jobs=frozenset({name}))
        return
    raise ConflictError(f"a run of {name!r} does not end", hint=f"clawctl why {name}")


async def _open_runs(services: Services, name: str) -> Sequence[object]:
    return await services.store.read(lambda tx: tx.open_runs(name))


async def _see_that_none_is_needed(services: Services, name: str, until: str) -> None:
    """Refuse while what a run of the job has left is still to be told to another.

    Raises:
        ConflictError: It is.
    """

    def look(tx: Tx, after: str) -> tuple[str, str | None]:
        found = tx.ended_of(name, after, until, _SEEN)
        needed = next((one.id for one in found if tx.is_needed(one.id)), None)
        return found[-1].id if found else "", needed

    after = ""
    while True:
        after, needed = await services.store.read(partial(look, after=after))
        if needed is not None:
            short = ids.short(needed)
            raise ConflictError(
                f"run {short} of {name!r} is needed by runs that follow it, or its workflow",
                hint="cancel those that are not over, or wait until they are",
            )
        if not after:
            return


async def _forget_runs(services: Services, name: str, until: str) -> int:
    """Forget the runs up to one, with patience for supervisors that are about to leave.

    Raises:
        ConflictError: One does not leave.
    """
    count, deadline = 0, clock.monotonic() + _PATIENCE_S
    while True:
        after = ""
        is_left = False
        while found := await services.store.read(
            partial(Tx.ended_of, job=name, after=after, until=until, limit=forgetting.BATCH)
        ):
            gone = await forgetting.forget_runs(services.home, services.store, found)
            count += gone
            is_left = is_left or gone < len(found)
            after = found[-1].id
        if not is_left:
            return count
        if clock.monotonic() > deadline:
            raise ConflictError(
                f"a supervisor of {name!r} does not leave", hint="try it again in a moment"
            )
        await trio.sleep(_PAUSE_S)


def detach(turn: Turn, name: str) -> None:
    """Have nothing that is said of the job name a run that is forgotten."""
    alerts.resolve_those(
        turn,
        name,
        "what is known of its run was purged",
        lambda one: one.run is not None and turn.tx.run(one.run) is None,
    )
    standing = turn.tx.standing(name)
    if standing is not None and standing.last_run and not turn.tx.run(standing.last_run):
        turn.tx.put_standing(replace(standing, last_run=None))
    for one in turn.tx.instances(name).values():
        if one.last_run and not turn.tx.run(one.last_run):
            turn.tx.put_instance(replace(one, last_run=None))


async def _forget_events(services: Services, name: str, through: int) -> int:
    count = 0
    while gone := await services.store.write(
        lambda tx: tx.delete_events_of(name, through, forgetting.EVENTS_BATCH)
    ):
        count += gone
    return count


def _remove_output(home: Home, name: str, until: str, *, is_idle: bool) -> None:
    """Remove what is left in the job's folders of output."""
    for folder in forgetting.names_in(home.log):
        if instances.split(folder)[0] == name:
            forgetting.remove_output(f"{home.log}/{folder}", until, is_idle=is_idle)
